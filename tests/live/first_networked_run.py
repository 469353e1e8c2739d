"""Try what hst123r assumes of MAST, its bucket, CRDS, STDPSF and Gaia, one by one, on the real.

    python tests/live/first_networked_run.py

Each line says what was tried, whether it is as assumed, and what was found. A few requests and one
file of some MB; no token is sent. The variables that name other servers are obeyed, so that this is
tried with the test archive. The exit code is the number of things that differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import requests

from hst123r import instruments
from hst123r.archives import cloud_path, endpoints, exposure_file, names
from hst123r.archives.crds import Crds
from hst123r.archives.fetcher import Fetcher
from hst123r.archives.gaia import COLUMNS, TABLES
from hst123r.archives.portal import Portal
from hst123r.archives.replies import Replies
from hst123r.archives.stdpsf import Library
from hst123r.archives.tap import Tap
from hst123r.archives.wanted import Wanted
from hst123r.errors import Hst123rError
from hst123r.files.psf_library import read_grid
from hst123r.files.references import cards, named
from hst123r.records.position import parse

OWN = {p for d in instruments.names() for p in instruments.get(d).archive.pipelines}
SHORT = (10, 60)
"""Seconds to connect and to wait for a byte."""
RIGHTS = {"PUBLIC", "EXCLUSIVE_ACCESS", "RESTRICTED"}
OBSERVATION = (
    "obsid", "obs_id", "instrument_name", "filters", "t_min", "t_max", "t_exptime", "dataRights",
    "t_obs_release", "s_region", "proposal_id", "provenance_name", "mtFlag", "distance",
)  # fmt: skip
PRODUCT = (
    "dataURI", "productFilename", "obs_id", "parent_obsid", "size", "dataRights", "project",
    "productSubGroupDescription",
)  # fmt: skip


@dataclass
class Trial:
    """What was tried and found.

    Parameters
    ----------
    place : str
        Position of a target that has exposures.
    root : str
        Root name of a public exposure of it, as small as there is.
    name : str
        A name that MAST's name service knows.
    folder : Path
        Where files may be put.
    """

    place: str
    root: str
    name: str
    folder: Path
    differ: int = 0
    known: dict[str, Any] = field(default_factory=dict)

    def say(self, what: str, right: bool | None, found: object) -> None:
        """Print one line; None is for what could not be tried."""
        verdict = {True: "as assumed", False: "DIFFERS", None: "not tried"}[right]
        self.differ += right is False
        sys.stdout.write(f"{verdict:<11} {what}: {found}\n")

    def run(self, tries: list[Callable[[], None]]) -> None:
        """Try everything; what fails differs, and the rest goes on."""
        for one in tries:
            name = " ".join(one.__name__.split("_"))
            try:
                one()
            except (Hst123rError, requests.RequestException) as error:
                self.say(name, False, error)
            except KeyError as error:
                self.say(name, None, f"{error} is not known, see above")

    def observations(self) -> None:
        """Ask for the observations of a place."""
        names = [n for d in instruments.names() for n in instruments.get(d).archive.names]
        portal = Portal(endpoints.mast(), Replies(None))
        rows = portal.observations(parse(self.place), 1.0, sorted(set(names)), ["science"])
        self.say("observations of a place", bool(rows), f"{len(rows)} rows")
        lacks = [name for name in OBSERVATION if rows and name not in rows[0]]
        self.say("columns of observations", not lacks, f"lacking: {lacks or 'none'}")
        rights = {str(row["dataRights"]) for row in rows}
        self.say("spellings of dataRights", rights <= RIGHTS, sorted(rights))
        inside = [row for row in rows if row.get("distance") == 0]
        self.say("distance is 0 inside a footprint", bool(inside), f"{len(inside)} of {len(rows)}")
        ours = [row for row in rows if row["provenance_name"] in OWN]
        self.say("names of our pipelines", bool(ours), {r["provenance_name"] for r in rows})
        self.known["observations"] = ours
        self._products(portal, ours)

    def _products(self, portal: Portal, rows: list[dict[str, Any]]) -> None:
        # well-known places have thousands of observations, and dozens of products each
        mine = [row for row in rows if str(row["obs_id"]).lower().startswith(self.root[:6])]
        closed = [row for row in rows if row["dataRights"] != "PUBLIC"]
        some = [*mine, *closed[:5], *rows[:30]]
        found = portal.products([str(row["obsid"]) for row in some])
        lacks = [name for name in PRODUCT if found and name not in found[0]]
        self.say("columns of products", bool(found) and not lacks, f"lacking: {lacks or 'none'}")
        copies = [row for row in found if row["productFilename"].startswith("hst_")]
        told = {str(row["project"]) for row in copies}
        right = all(name.startswith("HAP") for name in told) if copies else None
        self.say("copies are told by `project`", right, sorted(told))
        mine = [
            row for row in found
            if row["productFilename"].startswith(self.root)
            and row["productFilename"].endswith(("_flc.fits", "_flt.fits"))
        ]  # fmt: skip
        self.say(f"{self.root} has a calibrated file", bool(mine), [r["dataURI"] for r in mine])
        closed = [row for row in found if row["dataRights"] != "PUBLIC"]
        if closed:
            self.known["closed"] = closed[0]
        if mine:
            self.known["product"] = mine[0]

    def head_of_a_file(self) -> None:
        """Ask for a piece of a file, with and without a validator."""
        row = self.known["product"]
        url = endpoints.mast().download(row["dataURI"])
        plain = {"Accept-Encoding": "identity"}
        with requests.get(url, headers=plain, timeout=SHORT, stream=True) as response:
            head = response.headers
        self.say(
            "a file has a Content-Length", "Content-Length" in head, head.get("Content-Length")
        )
        same = str(row["size"]) == head.get("Content-Length")
        self.say("`size` is the file's", same, row["size"])
        mark = head.get("ETag") or head.get("Last-Modified")
        self.say("a file has an ETag or Last-Modified", bool(mark), mark)
        ranged = {**plain, "Range": "bytes=2880-5759"}
        with requests.get(url, headers=ranged, timeout=SHORT) as part:
            there = part.headers.get("Content-Range")
        self.say("a range is 206 with Content-Range", part.status_code == 206, there)
        for wanted, validator in ((206, mark), (200, '"another"')):
            if validator:
                asked = {**ranged, "If-Range": validator}
                with requests.get(url, headers=asked, timeout=SHORT, stream=True) as part:
                    code = part.status_code
                self.say(f"If-Range {validator} is {wanted}", code == wanted, code)

    def whole_file(self) -> None:
        """Fetch an exposure and look at what it carries."""
        row = self.known["product"]
        path = self.folder / row["productFilename"]
        check = partial(exposure_file.verify, root=self.root)
        wanted = Wanted(row["dataURI"], endpoints.mast().download(row["dataURI"]), path, check)
        (found,) = Fetcher(endpoints.mast().host).fetch([wanted])
        self.say("an exposure arrives and is whole", found.status.there, found.error or found.size)
        if found.status.there:
            self.say("FITS checksums in it", True, found.checksums)
            self.known["file"] = path

    def exclusive_file(self) -> None:
        """Ask for a file that is not public, without a token."""
        if "closed" not in self.known:
            self.say("an exclusive file without a token", None, "this place has none")
            return
        url = endpoints.mast().download(self.known["closed"]["dataURI"])
        with requests.get(url, timeout=SHORT, stream=True) as response:
            code = response.status_code
        self.say("an exclusive file without a token", code in (401, 403), code)

    def bucket_of_public_files(self) -> None:
        """Look for the same file in the public bucket, by its name and by what MAST says."""
        uri = self.known["product"]["dataURI"]
        url = endpoints.bucket().download(uri)
        with requests.head(url, timeout=SHORT) as response:
            found = response.headers.get("ETag")
        self.say("the bucket has it by the rule for names", response.status_code == 200, url)
        self.say("the bucket has an ETag", bool(found), found)
        nothing = url.replace(self.root, f"{self.root[:-1]}x")
        with requests.head(nothing, timeout=SHORT) as response:
            code = response.status_code
        self.say("the bucket says 403 or 404 of what it has not", code in (403, 404), code)
        path = cloud_path.look_up(uri, endpoints.mast())
        right = path is not None and endpoints.bucket().at(path) == url
        self.say("MAST says the same of its place there", right, path)
        path = cloud_path.look_up(uri.replace(self.root, f"{self.root[:-1]}x"), endpoints.mast())
        self.say("and nothing of a file that is not there", path is None, path)

    def who_we_are(self) -> None:
        """Ask who we are without a token; with one it would be the same request."""
        where, plain = endpoints.mast().whoami, {"Accept": "application/json"}
        with requests.get(where, headers=plain, timeout=SHORT, allow_redirects=False) as answer:
            told = answer.json() if answer.status_code == 200 else {}
        anonymous = told.get("anon") if isinstance(told, dict) else None
        self.say("without a token we are nobody", anonymous is True, answer.status_code)

    def a_name(self) -> None:
        """Look up a name."""
        found = names.look_up(self.name, endpoints.mast(), Replies(None))
        said = f"{found.position.decimal} by {found.service}"
        self.say("the name service knows a name", True, said)

    def reference_files(self) -> None:
        """Fetch what the header names from CRDS, and let the file's own context choose."""
        path = self.known["file"]
        header = cards(path)
        detector = next(
            d for d in map(instruments.get, instruments.names())
            if all(header.get(k) == v for k, v in d.match.items())
        )  # fmt: skip
        names = named(path, detector.reference_files)
        plain = {n.rpartition("$")[2]: detector.match["INSTRUME"].lower() for n in names.values()}
        crds = Crds(endpoints.crds(), self.folder / "crds")
        found = crds.files(plain)
        self.say("CRDS gives files with the sha1 it says", bool(found), sorted(found))
        context = header.get("CRDS_CTX", "")
        if not context:
            self.say("a context chooses", None, "the header names none")
            return
        best = crds.best(context, header, list(detector.reference_files))
        mine = {key: names.get(key, "N/A").rpartition("$")[2] for key in detector.reference_files}
        self.say(f"{context} chooses as the header has it", best == mine, best)

    def measured_psfs(self) -> None:
        """Fetch a measured PSF of the detector of the exposure."""
        header = cards(self.known["file"])
        detector = next(
            d for d in map(instruments.get, instruments.names())
            if all(header.get(k) == v for k, v in d.match.items())
        )  # fmt: skip
        name = str(detector.psf_library)
        path = Library(endpoints.stdpsf(), self.folder / "stdpsf").file(name, "F606W")
        chips = read_grid(path, detector, "F606W")
        self.say("a measured PSF has as many chips", len(chips) == len(detector.chips), path.name)

    def stars_of_gaia(self) -> None:
        """Ask for a few stars, and for fewer than there are."""
        tap = Tap(endpoints.gaia())
        place = parse(self.place)
        source = (
            f"FROM {TABLES['gaia-dr3']} WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), "
            f"CIRCLE('ICRS', {place.ra_deg:.4f}, {place.dec_deg:.4f}, 0.02))"
        )
        number = tap.count(source)
        self.say("Gaia counts, and its jobs are as UWS has them", number > 0, f"{number} stars")
        answer = tap.table(f"SELECT {', '.join(COLUMNS)} {source}", number)
        self.say("as many arrive, with all columns", True, len(answer.table))
        try:
            tap.table(f"SELECT source_id {source}", max(number - 2, 0))
        except Hst123rError as error:
            self.say("Gaia says when it cuts", "cut its answer" in error.message, error.message)
        with requests.get(f"{answer.job}/phase", timeout=SHORT) as gone:
            code = gone.status_code
        self.say("a deleted job is gone", code in (403, 404, 410), code)


def main(arguments: list[str] | None = None) -> int:
    """Try everything; return how many things differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--place", default="00:24:06.51 -72:05:00.6")
    parser.add_argument("--root", default="j8bt06nyq")
    parser.add_argument("--name", default="M101")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(chosen.place, chosen.root, chosen.name, Path(folder))
        trial.run(list(_tries(trial)))
    sys.stdout.write(f"{trial.differ} differ from what is assumed\n")
    return trial.differ


def _tries(trial: Trial) -> Iterator[Callable[[], None]]:
    yield trial.observations
    yield trial.head_of_a_file
    yield trial.whole_file
    yield trial.exclusive_file
    yield trial.bucket_of_public_files
    yield trial.who_we_are
    yield trial.a_name
    yield trial.reference_files
    yield trial.measured_psfs
    yield trial.stars_of_gaia


if __name__ == "__main__":
    sys.exit(min(main(), 100))
