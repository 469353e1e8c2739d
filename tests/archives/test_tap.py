"""Tables from a TAP service, whole or with a reason, whatever goes wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from loopback.client import IMPATIENT, QUICK
from loopback.tap import gaia_table

from hst123r.archives.tap import Tap
from hst123r.errors import ArchiveError

WHERE = (
    "FROM gaiadr3.gaia_source WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), "
    "CIRCLE('ICRS', 150.1000, 2.2000, 0.05))"
)
SELECT = f"SELECT source_id, ra, dec, pmra {WHERE}"
NUMBER = 150
PHASE, RESULT, SUBMIT = "GET.*phase", "GET.*result", "POST.*async"


@pytest.fixture(autouse=True)
def stars(archive):
    rng = np.random.default_rng(3)
    ra, dec = 150.1 + rng.uniform(-0.02, 0.02, NUMBER), 2.2 + rng.uniform(-0.02, 0.02, NUMBER)
    motion = np.where(rng.random(NUMBER) < 0.1, np.nan, 3.0)
    archive.tap.stars = gaia_table(ra, dec, rng.uniform(14, 21, NUMBER), pmra=motion, pmdec=motion)
    return archive.tap.stars


@pytest.fixture
def tap(archive):
    return Tap(archive.tap_url, QUICK)


@pytest.mark.parametrize("style", ["binary2", "binary", "tabledata"])
def test_all_rows_arrive_and_the_jobs_are_deleted(archive, tap, stars, style):
    archive.tap.format = style
    assert tap.count(WHERE) == NUMBER
    answer = tap.table(SELECT, NUMBER)
    assert len(answer.table) == NUMBER
    assert np.array_equal(np.sort(answer.table["source_id"]), np.sort(stars["source_id"]))
    assert np.ma.getmaskarray(answer.table["pmra"]).sum() == stars["pmra"].mask.sum() > 5
    assert archive.tap.deleted == ["1001", "1002"]
    # one row more than were counted, so that a service that has more would say so
    assert archive.tap.jobs["1002"]["most"] == NUMBER + 1


PASSES = [
    (on, kind, times, options)
    for on in (SUBMIT, PHASE, RESULT)
    for kind, times, options in (
        ("status", 2, {"code": 503}), ("status", 1, {"code": 429, "retry_after": 0}),
        ("drop", 2, {}), ("html", 2, {}),
    )
    if not (on == SUBMIT and kind == "html")
] + [
    (PHASE, "garbage", 2, {}), (PHASE, "executing", 3, {}), (RESULT, "truncate", 2, {}),
    (RESULT, "garbage", 1, {}), (RESULT, "cut", 2, {}), (RESULT, "packed", 1, {}),
    (RESULT, "packed_badly", 1, {}), (PHASE, "redirect", 2, {}), (RESULT, "hang", 1, {}),
]  # fmt: skip


@pytest.mark.parametrize(("on", "kind", "times", "options"), PASSES)
def test_trouble_that_passes_changes_nothing(archive, on, kind, times, options):
    patience = replace(QUICK, **IMPATIENT) if kind == "hang" else QUICK
    archive.faults.add(on, kind, times, **options)
    assert len(Tap(archive.tap_url, patience).table(SELECT, NUMBER).table) == NUMBER


@pytest.mark.parametrize(
    ("on", "kind", "options", "says"),
    [
        (SUBMIT, "status", {"code": 503}, "no answer in 5 tries: the archive answered 503"),
        (SUBMIT, "status", {"code": 400, "body": b"bad query"}, "took no query.*400.*bad query"),
        (SUBMIT, "status", {"code": 404}, "took no query, it answered 404 Not Found. Try again"),
        (SUBMIT, "html", {}, "web page"),
        (SUBMIT, "garbage", {}, "took no query, it answered 200"),
        (SUBMIT, "redirect", {}, "took no query, it answered 302"),
        (SUBMIT, "drop", {}, "no answer in 5 tries"),
        (SUBMIT, "hang", {}, "no answer in 2 tries"),
        (PHASE, "html", {}, "no answer in 5 tries: the archive answered with a web page"),
        (PHASE, "garbage", {}, "no phase of a job"),
        (PHASE, "executing", {}, "runs for more than 0.3 s, its phase is EXECUTING"),
        (PHASE, "error", {"body": "table is away"}, "could not answer: table is away"),
        (PHASE, "aborted", {}, "could not answer: its phase is ABORTED"),
        (PHASE, "status", {"code": 404}, "did not give its answer, it answered 404"),
        (PHASE, "redirect", {}, "sends us in circles"),
        (RESULT, "overflow", {}, "cut its answer after 149 rows"),
        (RESULT, "short_page", {}, "counts 150 rows and sent 149"),
        (RESULT, "cut", {}, "no whole VOTable"),
        (RESULT, "truncate", {}, r"in 5 tries: (the connection|\d+ of \d+ bytes)"),
        (RESULT, "packed_badly", {}, "cannot be unpacked"),
        (RESULT, "no_table", {}, "no VOTable: it has no table"),
        (RESULT, "garbage", {}, "no whole VOTable"),
        (RESULT, "html", {}, "web page"),
        (RESULT, "status", {"code": 500}, "answered 500"),
    ],
)
def test_trouble_that_stays_is_a_typed_failure(archive, on, kind, options, says):
    patience = replace(QUICK, longest_query_s=0.3) if kind == "executing" else QUICK
    if kind == "hang":
        patience = replace(QUICK, **IMPATIENT, tries=2)
    archive.faults.add(on, kind, None, **options)
    with pytest.raises(ArchiveError, match=says):
        Tap(archive.tap_url, patience).table(SELECT, NUMBER)
    if on != SUBMIT:
        # no job is left behind
        assert set(archive.tap.deleted) == set(archive.tap.jobs)


def test_a_service_with_a_limit_of_its_own_is_found_out(archive, tap):
    archive.tap.hard_limit = 100
    with pytest.raises(ArchiveError, match="cut its answer after 100 rows"):
        tap.table(SELECT, NUMBER)


def test_more_rows_than_were_counted_are_found_out(tap):
    with pytest.raises(ArchiveError, match="cut its answer after 141 rows"):
        tap.table(SELECT, 140)


def test_a_query_that_is_refused_is_told_with_the_reason(tap):
    with pytest.raises(ArchiveError, match="could not answer: Cannot parse query"):
        tap.table("SELECT x FROM nowhere", 1)


def test_nobody_there_and_a_job_that_is_elsewhere(archive, tap, monkeypatch):
    with pytest.raises(ArchiveError, match="no answer in 5 tries: the archive cannot be reached"):
        Tap("http://127.0.0.1:1/tap", QUICK).table(SELECT, 1)
    monkeypatch.setattr(type(archive), "url", "http://elsewhere.example")
    with pytest.raises(ArchiveError, match=r"sends us to another host, elsewhere\.example"):
        tap.table(SELECT, NUMBER)


def test_a_job_that_cannot_be_deleted_is_no_failure(archive, tap):
    archive.faults.add("DELETE", "drop", None)
    assert len(tap.table(SELECT, NUMBER).table) == NUMBER
