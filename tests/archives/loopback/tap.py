"""A TAP service with stars: jobs that are submitted, watched, fetched and deleted.

What it answers is that of TAP 1.1 and UWS 1.1, with the limits of Gaia's archive. The address of a
job and the phase that it is created in could not be checked against the real one.
"""

from __future__ import annotations

import gzip
import math
import re
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy import units as u
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table

ROOT = "/tap"
CIRCLE = re.compile(r"CIRCLE\('ICRS', ([-\d.]+), ([-\d.]+), ([-\d.]+)\)")
UNITS = {
    "ra": "deg", "dec": "deg", "ra_error": "mas", "dec_error": "mas", "parallax": "mas",
    "parallax_error": "mas", "pmra": "mas/yr", "pmdec": "mas/yr", "pmra_error": "mas/yr",
    "pmdec_error": "mas/yr", "ref_epoch": "yr", "phot_g_mean_mag": "mag",
    "phot_bp_mean_mag": "mag", "phot_rp_mean_mag": "mag", "astrometric_excess_noise": "mas",
}  # fmt: skip


def gaia_table(ra, dec, mag, *, error_mas=0.5, pmra=None, pmdec=None, pm_error=0.02, epoch=2016.0):
    """Return stars as rows of gaia_source; NaN in a proper motion is a source without one."""
    number = len(ra)
    ones = np.ones(number)
    pmra = 0.0 * ones if pmra is None else np.asarray(pmra)
    pmdec = 0.0 * ones if pmdec is None else np.asarray(pmdec)
    lacks = np.isnan(pmra)
    table = Table(masked=True)
    table["source_id"] = np.arange(number, dtype=np.int64)[::-1] + 4_000_000_000_000_000_001
    values = {
        "ref_epoch": epoch * ones, "ra": ra, "dec": dec, "ra_error": error_mas * ones,
        "dec_error": error_mas * ones, "ra_dec_corr": 0.1 * ones,
    }  # fmt: skip
    for name, column in values.items():
        table[name] = np.asarray(column, float)
    moving = {
        "parallax": 0.2 * ones, "parallax_error": 0.1 * ones, "pmra": pmra,
        "pmra_error": pm_error * ones, "pmdec": pmdec, "pmdec_error": pm_error * ones,
        "pmra_pmdec_corr": 0.0 * ones,
    }  # fmt: skip
    for name, column in moving.items():
        table[name] = MaskedColumn(np.where(lacks, 0, column), mask=lacks)
    table["astrometric_params_solved"] = np.where(lacks, 3, 31).astype(np.int16)
    table["astrometric_excess_noise"] = 0.1 * ones
    table["ruwe"] = MaskedColumn(ones, mask=lacks)
    table["duplicated_source"] = np.zeros(number, bool)
    for name in ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"):
        table[name] = np.asarray(mag, np.float32)
    for name, unit in UNITS.items():
        table[name].unit = u.Unit(unit)
    return table


@dataclass
class Service:
    """What a TAP service holds and does."""

    stars: Table = field(default_factory=lambda: gaia_table([], [], []))
    jobs: dict = field(default_factory=dict)
    deleted: list = field(default_factory=list)
    hard_limit: int = 3_000_000
    polls: int = 1
    format: str = "binary2"

    def answer_to(self, adql):
        """Return the whole answer to a query."""
        stars = self.stars
        found = CIRCLE.search(adql)
        if found is None or " FROM gaiadr3.gaia_source " not in adql:
            raise ValueError("Cannot parse query: unknown table or no circle")
        ra, dec, radius = map(float, found.groups())
        away = [
            math.hypot(((x - ra + 180) % 360 - 180) * math.cos(math.radians(dec)), y - dec)
            for x, y in zip(stars["ra"], stars["dec"], strict=True)
        ]
        rows = stars[np.asarray(away, float) <= radius]
        names = adql.removeprefix("SELECT ").partition(" FROM ")[0]
        if names.startswith("COUNT(*)"):
            return Table({"number_of_rows": np.asarray([len(rows)], np.int64)})
        return rows[[name.strip() for name in names.split(",")]]


def votable(table, limit, style="binary2", flag=True):
    """Return a table as a VOTable, cut at a limit, with the mark that says so."""
    cut = len(table) > limit
    made = from_table(table[:limit])
    for resource in made.resources:
        for item in resource.tables:
            item.format = style
    out = BytesIO()
    made.to_xml(out)
    status = "OVERFLOW" if cut and flag else "OK"
    info = f'<INFO name="QUERY_STATUS" value="{status}"/>'.encode()
    body = out.getvalue()
    return body.replace(b"</RESOURCE>", info + b"</RESOURCE>")


def failure(text):
    """Return the document of an error (DALI 1.1, section 4.4.2)."""
    return (
        '<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f'<RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">{text}</INFO>'
        "</RESOURCE></VOTABLE>"
    ).encode()


def answer(handler, body):
    """Answer one request."""
    service = handler.archive.tap
    path = urlsplit(handler.path).path.removeprefix(ROOT)
    if handler.command == "POST" and path == "/async":
        return _submit(handler, service, parse_qs(body))
    found = re.fullmatch(r"/async/(\d+)(/.*)?", path)
    if found is None or found[1] not in service.jobs or found[1] in service.deleted:
        return handler.send(404, b"no such job", "text/plain")
    job, rest = service.jobs[found[1]], found[2] or ""
    if handler.command == "DELETE":
        service.deleted.append(found[1])
        return handler.send(303, b"", "text/plain", {"Location": f"{ROOT}/async"})
    kind = handler.fault.kind if handler.fault else ""
    if rest == "/phase":
        return _phase(handler, service, job, kind)
    if rest == "/error":
        return handler.send(200, failure(job["error"]), "application/x-votable+xml")
    if rest == "/results/result":
        return _result(handler, service, job, kind)
    return handler.send(404, b"not here", "text/plain")


def _submit(handler, service, form):
    if form["LANG"] != ["ADQL"] or form["REQUEST"] != ["doQuery"] or form["PHASE"] != ["RUN"]:
        return handler.send(400, b"not understood", "text/plain")
    number = str(1001 + len(service.jobs))
    job = {"polls": 0, "most": int(form["MAXREC"][0]), "error": "", "query": form["QUERY"][0]}
    try:
        job["table"] = service.answer_to(form["QUERY"][0])
    except (ValueError, KeyError) as error:
        job["error"] = str(error)
    service.jobs[number] = job
    where = f"{handler.archive.url}{ROOT}/async/{number}"
    return handler.send(303, b"", "text/plain", {"Location": where})


def _phase(handler, service, job, kind):
    job["polls"] += 1
    phase = "EXECUTING" if job["polls"] <= service.polls or kind == "executing" else "COMPLETED"
    if kind == "error":
        job["error"] = handler.fault.get("body", "the database is away")
    if job["error"]:
        phase = "ERROR"
    if kind == "aborted":
        phase = "ABORTED"
    handler.send(200, phase.encode(), "text/plain")


def _result(handler, service, job, kind):
    table, most = job["table"], min(job["most"], service.hard_limit)
    if kind in {"short_page", "overflow"}:
        most = min(most, max(len(table) - 1, 0))
    body = votable(table, most, service.format, flag=kind != "short_page")
    headers = {}
    if kind == "packed":
        body = gzip.compress(body)
    if kind == "packed_badly":
        body = gzip.compress(body)[:-20]
    if kind == "no_table":
        body = b'<?xml version="1.0"?><VOTABLE version="1.3"></VOTABLE>'
    if kind == "cut":
        # as long as the head says, and half of what it should be
        body = body[: len(body) // 2]
    if kind == "truncate":
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True
        return None
    return handler.send(200, body, "application/x-votable+xml", headers)
