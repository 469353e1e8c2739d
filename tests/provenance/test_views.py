"""The views answer the usual questions, from stores of any version."""

import sqlite3

import pytest

from hst123r.provenance.reading import reading
from hst123r.provenance.store import NAME, Store
from hst123r.provenance.views import VIEWS, outdated
from hst123r.records.outcome import Measurement, Outcome, Product, Reject


def rows(store, text, *values):
    return list(store.db.query(text, list(values)))


def test_every_view_gives_rows_of_a_store_without_any(store):
    for name in VIEWS:
        assert rows(store, f"select * from {name}") == []


@pytest.fixture
def three(attempt, work, image, begin):
    """An exposure is aligned twice, and each time drizzled; the second result is the first's."""
    run = begin()
    raw = image(work / "raw" / "a.fits")
    job = {"run": run}
    fetch = attempt("fetch", "a", makes=[raw], **job)
    aligned = image(work / "products" / "a.fits", 1)
    first = attempt("align", "a", reads=[raw], makes=[aligned], **job)
    drizzle = attempt("drizzle", "a", reads=[aligned], **job)
    image(aligned, 2)
    second = attempt("align", "a", reads=[raw], makes=[aligned], **job)
    again = attempt("drizzle", "a", reads=[aligned], labels={"filter": "F606W"}, **job)
    return fetch, first, drizzle, second, again


def test_a_job_is_linked_with_the_attempt_whose_bytes_it_read(store, three):
    fetch, first, drizzle, second, again = three
    text = "select l.job, p.job_id as maker from lineage l join product p on p.id = l.product"
    found = {(row["job"], row["maker"]) for row in rows(store, text)}
    assert found == {(first, fetch), (drizzle, first), (second, fetch), (again, second)}


def test_the_attempts_that_count(store, three):
    found = rows(store, "select job, filter from last_good order by job")
    assert [row["job"] for row in found] == [three[0], three[3], three[4]]
    assert found[2]["filter"] == "F606W"
    store.jobs.forget("drizzle", "a")
    assert [row["job"] for row in rows(store, "select job from last_good")] == [three[0], three[3]]


def test_what_is_known_by_facts_is_found_by_name(store, begin, attempt):
    run = begin()
    maker = attempt("a", "x", run=run, outcome=Outcome([Product("exposure", "jx")]))
    reader = attempt("b", "x", run=run)
    store.db.table("job_input").insert(
        {"job_id": reader, "kind": "exposure", "position": 0, "name": "jx", "role": "facts",
         "path": None, "content_id": None, "identity": "{}"}
    )  # fmt: skip
    text = "select p.job_id from lineage l join product p on p.id = l.product where l.job = ?"
    assert [row["job_id"] for row in rows(store, text, reader)] == [maker]


def test_measurements_rejects_and_light_curves_of_runs(store, begin, attempt):
    outcome = Outcome(
        measurements=[Measurement("rms", 3.0, "mas")], rejects=[Reject("jx", "after", "too early")],
        photometry=[{"target": "T", "level": "filter", "filter": "F606W", "mag_ab": 21.0}],
    )  # fmt: skip
    one, two = begin(), begin(uid="u2")
    old = attempt(run=one, outcome=outcome)
    store.end_run(two, state="done", exit_code=0, ran=0, reused=[old], blocked=[])
    found = rows(store, "select run, job_id as job, mag_ab from photometry_by_run order by run")
    assert [(row["run"], row["job"]) for row in found] == [
        (one, old), (two, old)
    ]  # fmt: skip
    attempt(run=two)
    (measured,) = rows(store, "select name, value, current from measurements")
    assert measured == {"name": "rms", "value": 3.0, "current": 0}
    assert rows(store, "select subject, code, run from rejects") == [
        {"subject": "jx", "code": "after", "run": one}
    ]


def test_views_do_not_hide_columns_that_come_later(store):
    store.db.table("photometry").add_column("later", float)
    with sqlite3.connect(store.path) as other:
        names = [row[1] for row in other.execute("pragma table_info(photometry_by_run)")]
    other.close()
    assert "later" in names


@pytest.mark.parametrize("change", ["drop view rejects", "another", "drop view last_good"])
def test_a_store_has_the_views_of_the_version_that_opens_it(store, work, change):
    """Views have no number: a store of the same migrations may have those of another version."""
    with store.transaction():
        if change == "another":
            store.db.execute("drop view lineage")
            store.db.execute("create view lineage as select 1 as job")
        else:
            store.db.execute(change)
        store.db.execute("create view mine as select 1 as one")
    assert len(outdated(store.db)) == 1
    store.close()
    before = (work / NAME).read_bytes()
    with reading(work) as read:
        assert outdated(read.db) == []
        for name in VIEWS:
            assert rows(read, f"select * from {name}") == []
    assert (work / NAME).read_bytes() == before
    written = Store(work)
    assert outdated(written.db) == []
    assert rows(written, "select one from mine") == [{"one": 1}]
    written.close()
    with sqlite3.connect(work / NAME) as other:
        text = "select sql from sqlite_master where name = 'lineage'"
        assert "identity" in other.execute(text).fetchone()[0]
    other.close()


def makers(store):
    text = "select l.job, p.job_id as maker from lineage l join product p on p.id = l.product"
    return {row["job"]: row["maker"] for row in rows(store, text)}


def test_the_same_bytes_made_again_later_are_not_what_was_read(store, begin, attempt, work, image):
    run, path = begin(), image(work / "products" / "a.fits")
    first = attempt("align", "a", run=run, makes=[path])
    reader = attempt("stack", "a", run=run, reads=[path])
    attempt("align", "a", run=run, makes=[path])
    assert makers(store) == {reader: first}


def test_of_two_that_wrote_a_path_the_bytes_decide(store, begin, attempt, work, image):
    """Their rows are in the order in which they ended, which need not be that of writing."""
    run, path = begin(), image(work / "products" / "a.fits", value=1)
    one = attempt("align", "a", run=run, makes=[path])
    image(path, value=2)
    attempt("align", "b", run=run, makes=[path])
    image(path, value=1)
    reader = attempt("stack", "a", run=run, reads=[path])
    assert makers(store) == {reader: one}
    # touched by hand in what is volatile, the bytes are nobody's, and the last one counts
    image(path, value=1, DATE="2020-01-01")
    other = attempt("stack", "b", run=run, reads=[path])
    assert makers(store)[other] == one + 1
