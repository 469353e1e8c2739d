"""Reference files from CRDS: verified before they are used, whoever brought them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from loopback.client import IMPATIENT, QUICK
from loopback.crds import listed_by_the_client

from hst123r.archives.crds import Crds
from hst123r.errors import ArchiveError, EnvironmentProblem
from hst123r.files.crds_cache import place_of, said_of

NAME = "toy_idc.fits"
DATA = bytes(range(256)) * 400
ASK, GET = "POST.*get_file_info_map", f"GET.*{NAME}"
HEADER = {"ROOTNAME": "jtst01abq", "INSTRUME": "ACS", "DETECTOR": "WFC"}


@pytest.fixture
def crds(archive, tmp_path):
    archive.crds.add(NAME, DATA)
    return Crds(archive.crds_url, tmp_path / "cache", QUICK)


def test_a_file_arrives_once_verified_in_the_layout_of_crds(archive, crds):
    place = crds.cache / "references" / "hst" / "acs" / NAME
    assert crds.files({NAME: "acs"}) == {NAME: place}
    assert place.read_bytes() == DATA
    assert place.stat().st_mode & 0o777 == 0o444
    assert sorted(path.name for path in place.parent.iterdir()) == [NAME]
    number = len(archive.log)
    assert crds.files({NAME: "acs"}) == {NAME: place}
    assert len(archive.log) == number


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "longer"])
def test_a_poisoned_file_of_a_warm_cache_is_found_and_fetched_again(archive, crds, caplog, how):
    """What the client of CRDS leaves behind after a broken transfer, and uses the next time."""
    place = place_of(crds.cache, "acs", NAME)
    place.parent.mkdir(parents=True)
    bad = {"flipped": b"\x01" + DATA[1:], "cut": DATA[:1000], "empty": b"", "longer": DATA + b"x"}
    place.write_bytes(bad[how])
    assert crds.files({NAME: "acs"})[NAME].read_bytes() == DATA
    assert f"{NAME} is fetched again: it is not the file that CRDS has" in caplog.text
    # and where nothing better comes, nothing is left that somebody could use
    place.chmod(0o644)
    place.write_bytes(bad[how])
    archive.faults.add(GET, "corrupt", None)
    with pytest.raises(ArchiveError, match="it is not the file that CRDS has"):
        crds.files({NAME: "acs"})


@pytest.mark.parametrize(
    ("on", "kind", "times", "options"),
    [
        (ASK, "status", 2, {"code": 503}), (ASK, "html", 2, {}), (ASK, "garbage", 1, {}),
        (ASK, "drop", 2, {}), (ASK, "hang", 1, {}),
        (GET, "status", 2, {"code": 503}), (GET, "html", 1, {}), (GET, "drop", 2, {}),
        (GET, "truncate", 2, {}), (GET, "corrupt", 2, {}), (GET, "stall", 1, {"seconds": 5}),
        (GET, "no_length", 1, {}), (GET, "truncate_no_length", 1, {}), (GET, "chunked", 1, {}),
        (GET, "redirect", 2, {}),
    ],
)  # fmt: skip
def test_trouble_that_passes_changes_nothing(archive, crds, on, kind, times, options):
    if kind in {"hang", "stall"}:
        crds = replace(crds, patience=replace(QUICK, **IMPATIENT))
    archive.faults.add(on, kind, times, **options)
    assert crds.files({NAME: "acs"})[NAME].read_bytes() == DATA


@pytest.mark.parametrize(
    ("on", "kind", "options", "says"),
    [
        (ASK, "status", {"code": 503}, "no answer in 5 tries: the archive answered 503"),
        (ASK, "status", {"code": 404}, "CRDS answered 404"),
        (ASK, "html", {}, "answered with a web page"),
        (ASK, "garbage", {}, "something that is not JSON"),
        (ASK, "error", {"body": "no such thing"}, "CRDS could not answer: no such thing"),
        (ASK, "redirect", {}, "CRDS answered 404|in circles"),
        (GET, "status", {"code": 404}, "the archive does not have it"),
        (GET, "status", {"code": 503}, "could not be fetched with 5 requests"),
        (GET, "html", {}, "a web page in place of the file"),
        (GET, "truncate_no_length", {}, "it is not the file that CRDS has"),
        (GET, "corrupt", {}, "it is not the file that CRDS has"),
        (GET, "redirect", {}, "in circles"),
    ],
)
def test_trouble_that_stays_is_a_typed_failure(archive, crds, on, kind, options, says):
    archive.faults.add(on, kind, None, **options)
    with pytest.raises(ArchiveError, match=says):
        crds.files({NAME: "acs"})
    assert not place_of(crds.cache, "acs", NAME).exists()


def test_a_file_that_crds_does_not_know_is_never_used(crds):
    with pytest.raises(ArchiveError, match=r"CRDS does not know gone_idc\.fits"):
        crds.files({NAME: "acs", "gone_idc.fits": "acs"})
    assert said_of(crds.cache, "gone_idc.fits") is None


def test_a_cache_that_the_client_of_crds_has_filled_is_verified_without_asking(archive, crds):
    whole = listed_by_the_client(crds.cache, {NAME: DATA})
    place = place_of(crds.cache, "acs", NAME)
    place.parent.mkdir(parents=True)
    place.write_bytes(DATA)
    assert crds.files({NAME: "acs"}) == {NAME: place}
    assert archive.log == []
    place.write_bytes(DATA[:-1] + b"?")
    assert crds.files({NAME: "acs"})[NAME].read_bytes() == DATA
    assert archive.crds.asked == []
    assert whole[NAME] == said_of(crds.cache, NAME)


def test_what_cannot_be_unpacked_is_told(archive, crds, monkeypatch):
    monkeypatch.setattr(
        archive.crds, "info", lambda *_: {"crds_encoded": "1.0", "crds_payload": "!"}
    )
    with pytest.raises(ArchiveError, match="what CRDS packed cannot be unpacked"):
        crds.files({NAME: "acs"})


def test_an_answer_that_crds_has_packed_is_read(archive, crds):
    archive.crds.encoded = True
    assert crds.files({NAME: "acs"})[NAME].read_bytes() == DATA


def test_what_was_kept_and_cannot_be_read_is_asked_again(archive, crds):
    crds.files({NAME: "acs"})
    kept = crds.cache / "config" / "hst" / "hst123r" / f"{NAME}.json"
    kept.write_text('{"sha1": "short"}')
    crds.files({NAME: "acs"})
    assert json.loads(kept.read_text())["name"] == NAME
    assert archive.crds.asked == ["get_file_info_map"] * 2


def test_several_processes_fetch_a_file_once(archive, crds):
    code = (
        "import sys; from pathlib import Path; from hst123r.archives.crds import Crds; "
        "print(Crds(sys.argv[1], Path(sys.argv[2])).files({sys.argv[3]: 'acs'}))"
    )
    archive.faults.add(GET, "slow", None, rate=400_000)
    command = [sys.executable, "-c", code, archive.crds_url, str(crds.cache), NAME]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert place_of(crds.cache, "acs", NAME).read_bytes() == DATA
    assert len(archive.requests(NAME)) == 1


def test_a_cache_that_cannot_be_written_is_told(crds):
    crds.cache.write_text("a file")
    with pytest.raises(EnvironmentProblem, match="cannot keep an answer of CRDS"):
        crds.files({NAME: "acs"})


def test_a_context_chooses_and_its_answer_is_kept(archive, crds):
    archive.crds.best = {"idctab": NAME, "npolfile": "NOT FOUND n/a", "d2imfile": "N/A"}
    types = ["IDCTAB", "NPOLFILE", "D2IMFILE"]
    assert crds.best("hst_0001.pmap", HEADER, types, ask=False) is None
    found = crds.best("hst_0001.pmap", HEADER, types)
    assert found == {"IDCTAB": NAME, "NPOLFILE": "N/A", "D2IMFILE": "N/A"}
    assert crds.best("hst_0001.pmap", HEADER, types, ask=False) == found
    assert archive.crds.asked == ["get_best_references"]
    other = {**HEADER, "DETECTOR": "HRC"}
    assert crds.best("hst_0001.pmap", other, types, ask=False) is None


@pytest.mark.parametrize(
    ("context", "best", "says"),
    [
        ("hst_9999.pmap", NAME, "could not answer: unknown context hst_9999.pmap"),
        ("hst_0001.pmap", "NOT FOUND No match found.", "hst_0001.pmap has no IDCTAB for jtst01abq"),
        ("hst_0001.pmap", "../../x.fits", "CRDS names a file '../../x.fits'"),
    ],
)
def test_a_choice_that_is_none_is_an_error(archive, crds, context, best, says):
    archive.crds.best = {"idctab": best}
    with pytest.raises(ArchiveError, match=says.replace(".", r"\.")):
        crds.best(context, HEADER, ["IDCTAB"])
