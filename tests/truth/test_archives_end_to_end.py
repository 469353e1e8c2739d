"""A recipe on an archive: query, download, references, Gaia, drizzle, photometry; and the truth.

The archive runs on this machine and is asked by real HTTP; what it holds is simulated, so that the
true sky is known. Headers are off by half an arcsec, and the frame of Gaia is the true one.
"""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from loopback.server import Archive
from loopback.tap import gaia_table

from hst123r.algorithms.proper_motion import julian_year
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.archives import endpoints
from hst123r.files.content import look
from hst123r.products.exposures import open_wcs

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
RA, DEC = 150.1, 2.2
DETECTOR, FILTER, MAGNITUDE = "WFC3/IR", "F160W", 20.0
HEADER_OFF = (0.4, -0.3)
"""Arcsec that the headers are wrong by, to the east and north."""
ERROR_MAS = 1.0
"""What Gaia says of a star of 19 to 20 mag a few years from its epoch."""
SIMULATION = {
    "seed": 3,
    "at": ["SN"],
    "observations": [
        {"detector": DETECTOR, "filter": FILTER, "dates": ["2014-04-01", "2014-06-10"],
         "exposures": 2, "exposure_time": "300 s", "size": "400 pix"},
    ],
    "transient": {"dates": ["2014-04-01", "2014-06-10"], "magnitudes": [f"{MAGNITUDE} mag"] * 2},
    "stars": {"number": 170, "radius": "25 arcsec", "separation": "1.8 arcsec",
              "brightest": "17.5 mag", "faintest": "22 mag"},
    "pointing_error": "0 arcsec",
    "roll_error": "0 deg",
    "errors": [
        {"east": f"{HEADER_OFF[0]} arcsec", "north": f"{HEADER_OFF[1]} arcsec"},
        {"east": "0.1 arcsec", "north": "0.2 arcsec", "roll": "0.01 deg"},
    ],
}  # fmt: skip
RECIPE = f"""\
hst123r: 1
name: r
targets: [{{name: SN, position: "{RA} {DEC}"}}]
select: {{detectors: [{DETECTOR}], filters: [{FILTER}]}}
stages:
  - fetch: {{from: mast}}
  - wcs: {{start: refit, fetch_references: true}}
  - reference: {{absolute: {{catalog: gaia-dr3}}}}
  - align: {{}}
  - drizzle: {{name: stacks}}
  - photometry: {{}}
  - scrape: {{radius: 0.2 arcsec}}
"""


def distortion_table(header):
    """Return the table that a header's distortion came from, so that a refit gives it back."""
    linear = np.array([[header[f"OC{a}1{k}"] for k in (1, 0)] for a in "XY"])
    size = 1014
    row = {
        "DETCHIP": 1, "DIRECTION": "FORWARD", "FILTER": FILTER,
        "XSIZE": size, "YSIZE": size, "XREF": header["IDCXREF"], "YREF": header["IDCYREF"],
        "THETA": header["IDCTHETA"], "SCALE": header["IDCSCALE"],
        "V2REF": header["IDCV2REF"], "V3REF": header["IDCV3REF"],
    }  # fmt: skip
    for n in range(1, header["A_ORDER"] + 1):
        for m in range(n + 1):
            own = [header.get(f"{letter}_{m}_{n - m}", 0.0) for letter in "AB"]
            row[f"CX{n}{m}"], row[f"CY{n}{m}"] = linear[:, 1 - m] if n == 1 else linear @ own
    primary = fits.PrimaryHDU()
    primary.header.update(
        DETECTOR="IR", INSTRUME="WFC3", NORDER=header["A_ORDER"], PARITY=-1, FILETYPE="DISTORTION"
    )
    out = io.BytesIO()
    table = Table({name: [value] for name, value in row.items()})
    fits.HDUList([primary, fits.table_to_hdu(table)]).writeto(out)
    return out.getvalue()


def catalogue(truth):
    """Return a Gaia of the true stars, at its own epoch and with the errors it says."""
    rng = np.random.default_rng(4)
    number = len(truth)
    motion = rng.normal(0, 5, (2, number))
    years = 2016.0 - julian_year(56748.0)
    x, y = to_tangent_plane(truth["ra"], truth["dec"], RA, DEC)
    noise = rng.normal(0, ERROR_MAS, (2, number)) + motion * years
    ra, dec = from_tangent_plane(x + noise[0] / 1e3, y + noise[1] / 1e3, RA, DEC)
    east, north = np.where(rng.random(number) < 0.1, np.nan, motion)
    # a source without a proper motion is one whose motion nobody knows
    return gaia_table(ra, dec, truth["magnitude"], error_mas=ERROR_MAS, pmra=east, pmdec=north)


@pytest.fixture(scope="module")
def truth(module_folder):
    """Make the exposures; return their folder and the true tables."""
    from hst123r.archives.simulated import Simulation, make, planned, programmes
    from hst123r.records.position import parse
    from hst123r.records.target import Target

    folder = module_folder("made")
    simulation = Simulation.model_validate(SIMULATION)
    (programme,) = programmes(simulation, (Target("SN", parse(f"{RA} {DEC}")),), folder).values()
    tables = {}
    for entry in planned(programme):
        made = make(programme, entry.root, folder, None)
        tables[entry.root] = Table.read(made["truth"])
        fits.setval(made["science"], "IDCTAB", value="iref$toy_idc.fits")
    return folder, tables


@pytest.fixture(scope="module")
def done(truth, module_folder):
    """Run the recipe twice against the archive; return its folder, its server, and the answers."""
    folder, tables = truth
    place = module_folder("archives")
    (place / "recipe.yaml").write_text(RECIPE)
    first = next(iter(tables.values()))
    with Archive() as archive:
        paths = sorted(folder.glob("*_flt.fits"))
        for path in paths:
            archive.holdings.add_exposures(
                [path], DETECTOR, filters=FILTER, provenance_name="CALWF3"
            )
        archive.crds.add("toy_idc.fits", distortion_table(fits.getheader(paths[0], "SCI")))
        archive.tap.stars = catalogue(first)
        settings = {
            **os.environ, endpoints.VARIABLE: archive.url, endpoints.GAIA_VARIABLE: archive.tap_url,
            endpoints.CRDS_VARIABLE: archive.crds_url, "NO_PROXY": "127.0.0.1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }  # fmt: skip
        settings.pop("CRDS_PATH", None)

        def call(*words):
            command = [sys.executable, "-m", "hst123r", *words]
            number = len(archive.log)
            out = subprocess.run(
                command, cwd=place, env=settings, capture_output=True, text=True, check=False
            )
            return out, [entry["request"] for entry in archive.log[number:]]

        calls = {
            "query": call("query", "recipe.yaml", "--json"),
            "refused": refused(archive, call),
            "run": call("run", "recipe.yaml", "--json"),
            "again": call("run", "recipe.yaml", "--json"),
            "offline": call("run", "recipe.yaml", "--json", "--offline"),
            "plan": call("plan", "recipe.yaml", "--json"),
        }
        (cached,) = (place / "r" / "raw" / "crds").rglob("toy_idc.fits")
        cached.chmod(0o644)
        cached.write_bytes(cached.read_bytes()[:-2880])
        calls["poisoned"] = call("run", "recipe.yaml", "--json", "--offline")
        calls["healed"] = call("run", "recipe.yaml", "--json")
        # Gaia has another answer, and is asked again
        for kept in (place / "r" / "raw" / "gaia").glob("*.json"):
            kept.unlink()
        archive.tap.stars["dec"] += 0.002 / 3600
        calls["changed"] = call("run", "recipe.yaml", "--json", "--until", "reference")
        yield place / "r", calls


def refused(archive, call):
    """Run while Gaia takes no query."""
    archive.faults.add("POST.*async", "status", None, code=404)
    answer = call("run", "recipe.yaml", "--json")
    archive.faults.clear()
    return answer


def test_an_archive_that_refuses_ends_the_run_and_the_next_one_goes_on(done):
    out, asked = done[1]["refused"]
    assert out.returncode == 5
    assert "the archive took no query, it answered 404 Not Found" in out.stdout
    assert "Traceback" not in out.stderr
    assert len([request for request in asked if "Download" in request]) == 4
    # what is done is kept
    _, later = done[1]["run"]
    assert not [request for request in later if "/tap" not in request]


def test_a_poisoned_reference_file_is_named_and_fetched_again(done):
    """Everything else is reused: the file is what it was."""
    out, asked = done[1]["poisoned"]
    assert out.returncode == 5
    assert "toy_idc.fits: it is not the file that CRDS has" in out.stdout
    assert asked == []
    out, asked = done[1]["healed"]
    assert out.returncode == 0, out.stderr
    assert asked == ["GET /crds/unchecked_get/references/hst/toy_idc.fits"]
    jobs = [job for stage in json.loads(out.stdout)["stages"] for job in stage["jobs"]]
    assert {job["state"] for job in jobs} == {"reused"}


def test_another_answer_of_gaia_makes_the_tie_again(done):
    out, asked = done[1]["changed"]
    assert out.returncode == 0, out.stderr
    assert all("/tap/" in request for request in asked)
    jobs = {
        (stage["stage"], job["state"]): job["reasons"]
        for stage in json.loads(out.stdout)["stages"]
        for job in stage["jobs"]
    }
    (reason,) = [said for (stage, state), said in jobs.items() if state == "done"]
    assert "gaia-dr3" in str(reason)
    assert ("reference", "done") in jobs


def test_everything_is_asked_for_and_arrives(done):
    _, calls = done
    out, _ = calls["run"]
    assert out.returncode == 0, out.stderr
    text = "\n".join([*calls["refused"][1], *calls["run"][1]])
    for part in (
        "api/v0/invoke",
        "Download/file",
        "get_file_info_map",
        "toy_idc.fits",
        "/tap/async",
    ):
        assert part in text
    assert "Traceback" not in out.stderr


def test_a_query_downloads_nothing_and_says_who_else_will_be_asked(done):
    out, asked = done[1]["query"]
    assert out.returncode == 0, out.stderr
    answer = json.loads(out.stdout)
    assert len(answer["exposures"]) == 4
    assert not [request for request in asked if "Download" in request or "/tap" in request]
    assert [entry["archive"] for entry in answer["also"]] == ["CRDS", "Gaia DR3"]


@pytest.mark.parametrize("which", ["again", "offline", "plan"])
def test_the_next_run_makes_no_request(done, which):
    out, asked = done[1][which]
    assert out.returncode == 0, out.stderr
    assert asked == []


def test_the_frame_is_that_of_gaia(done, truth):
    """The absolute position is as good as the catalogue's stars are, twice their error at most."""
    folder, _ = done
    for path in sorted(folder.glob("products/align/*/*_flt.fits")):
        table = truth[1][path.name[:9]]
        with fits.open(path) as hdus:
            wcs = open_wcs(hdus["SCI", 1].header, hdus, path.name)
            ra, dec = wcs.all_pix2world(table["x"], table["y"], 0)
        there = np.stack(to_tangent_plane(ra, dec, RA, DEC), axis=1)
        here = np.stack(to_tangent_plane(table["ra"], table["dec"], RA, DEC), axis=1)
        east, north = 1000 * np.mean(there - here, axis=0)
        assert math.hypot(east, north) < 2 * ERROR_MAS, (path.name, east, north)
    raw = sorted((folder / "raw").glob("*_flt.fits"))
    assert len(raw) == 4
    # as they came, they are off by what was put into their headers
    table = truth[1][raw[0].name[:9]]
    with fits.open(raw[0]) as hdus:
        ra, dec = open_wcs(hdus["SCI", 1].header, hdus, "raw").all_pix2world(
            table["x"], table["y"], 0
        )
    x, y = to_tangent_plane(ra, dec, RA, DEC)
    x0, y0 = to_tangent_plane(table["ra"], table["dec"], RA, DEC)
    assert np.hypot(np.mean(x - x0), np.mean(y - y0)) == pytest.approx(0.5, abs=0.05)


def test_the_light_curve_is_that_of_the_target(done):
    (path,) = done[0].glob("products/scrape/SN/SN_light_curve.ecsv")
    rows = Table.read(path)
    rows = rows[rows["level"] == "epoch"]
    assert len(rows) == 2
    for row in rows:
        assert abs(row["mag_ab"] - MAGNITUDE) < 3 * row["mag_err"]
        assert row["mag_err"] < 0.05


def test_what_was_fetched_is_on_record(done, finished_in):
    found = finished_in(done[0])
    rows = list(found.store.db.query("select uri, path, sha256, size from download"))
    assert len([row for row in rows if row["uri"].startswith("mast:")]) == 4
    # what was asked first, and what came when it was asked again
    first, gaia = [row for row in rows if row["uri"].startswith("gaia-dr3: FROM gaiadr3")]
    assert first["sha256"] != gaia["sha256"]
    table = done[0] / gaia["path"]
    assert table.stat().st_size == gaia["size"]
    references = list(found.store.db.query("select * from reference_file where digest <> ''"))
    assert {row["name"] for row in references} == {"iref$toy_idc.fits"}
    (cached,) = (done[0] / "raw" / "crds").rglob("toy_idc.fits")
    assert {row["digest"] for row in references} == {look(cached).digest}
    facts = found.facts("reference")["SN"]
    assert facts["frame"] == "gaia-dr3"
    assert facts["absolute"]["matches"] > 50
