"""Back and forward through the attempts that really stood on one another."""

import pytest

from hst123r.provenance.lineage import (
    ahead,
    behind,
    downloads,
    jobs,
    jobs_about,
    jobs_of_content,
    links,
    makers,
    owned_files,
    points,
    readers,
)
from hst123r.records.outcome import Outcome, Product


@pytest.fixture
def chain(attempt, store, work, image, begin):
    """Two exposures, each aligned; the first one twice, and its stack only from the old one."""
    run = begin()
    made = {}
    for name in "ab":
        raw = image(work / "raw" / f"{name}.fits", value=10 * ord(name))
        made[f"fetch {name}"] = attempt("fetch", name, run=run, makes=[raw])
        out = image(work / "align" / f"{name}.fits", value=10 * ord(name) + 1)
        made[f"align {name}"] = attempt("align", name, run=run, reads=[raw], makes=[out])
        stack = image(work / "stack" / f"{name}.fits", value=10 * ord(name) + 2)
        made[f"stack {name}"] = attempt(
            "stack", name, run=run, reads=[out], makes=[stack], labels={"target": name.upper()}
        )
    again = image(work / "align" / "a.fits", value=9)
    made["align a again"] = attempt(
        "align", "a", run=run, reads=[work / "raw" / "a.fits"], makes=[again]
    )
    return made


def names(chain, found):
    back = {number: name for name, number in chain.items()}
    return [back[number] for number in found]


def test_back_and_forward_are_one_chain_and_not_the_other(store, chain):
    assert names(chain, behind(store.db, [chain["stack b"]])) == ["fetch b", "align b", "stack b"]
    found = ahead(store.db, [chain["fetch b"]], every=False)
    assert names(chain, found) == ["fetch b", "align b", "stack b"]


def test_forward_goes_through_old_attempts_only_when_asked(store, chain):
    found = ahead(store.db, [chain["fetch a"]], every=False)
    assert names(chain, found) == ["fetch a", "align a again"]
    found = ahead(store.db, [chain["fetch a"]], every=True)
    assert names(chain, found) == ["fetch a", "align a", "stack a", "align a again"]
    # the stack that counts stands on an attempt that counts no more
    assert names(chain, behind(store.db, [chain["stack a"]])) == ["fetch a", "align a", "stack a"]
    assert jobs(store.db, [chain["align a"]])[chain["align a"]]["current"] is False


def test_links_tell_what_was_read_and_who_made_it(store, chain):
    (link,) = links(store.db, [chain["stack a"]])
    assert (link.path, link.made_by, link.role) == ("align/a.fits", chain["align a"], "science")
    assert link.labels == {"filter": "F606W"}
    assert jobs_of_content(store.db, link.digest) == [(chain["align a"], "align/a.fits")]
    assert jobs_of_content(store.db, "blake3:0") == []
    old = readers(store.db, "align/a.fits", chain["align a"], every=True)
    assert names(chain, old) == ["stack a"]
    assert readers(store.db, "align/a.fits", chain["align a again"], every=True) == []
    (made,) = owned_files(store.db, [chain["fetch a"]])
    assert (made["path"], made["job"]) == ("raw/a.fits", chain["fetch a"])
    assert names(chain, jobs_about(store.db, "A")) == ["stack a"]


def test_points_are_those_of_the_attempts_that_count(store, attempt, begin):
    def rows(flux):
        about = {"target": "T", "filter": "F606W", "flux_njy": flux}
        return [
            {**about, "level": "epoch", "epoch": "20190401"},
            {**about, "level": "exposure", "epoch": "20190401", "exposure": "ja"},
            {**about, "level": "filter"},
            {**about, "level": "filter", "filter": "F814W"},
        ]

    run = begin()
    for flux in (1.0, 2.0):
        attempt("scrape", "T", run=run, outcome=Outcome(photometry=rows(flux)))
    assert [row["flux_njy"] for row in points(store.db, "T", "F606W", "20190401")] == [2.0]
    assert [row["level"] for row in points(store.db, "T", "F606W", "ja")] == ["exposure"]
    assert [row["level"] for row in points(store.db, "T", "F606W", "")] == ["filter"]
    assert len(points(store.db, "T", "", "")) == 4
    assert points(store.db, "T", "F435W", "") == []


def test_addresses_are_found_by_the_name_of_the_file(store, attempt):
    got = {"uri": "mast:HST/product/ja_flc.fits", "path": "raw/ja_flc.fits", "status": "whole"}
    number = attempt(outcome=Outcome([Product("file", "ja")], downloads=[got]))
    assert downloads(store.db, [number]) == {(number, "ja_flc.fits"): got["uri"]}


def test_what_was_made_again_with_equal_results_keeps_its_readers(
    store, attempt, work, image, begin
):
    """A second run repeats a job, and what follows is reused: it is tied to the first attempt."""
    one = begin()
    raw, out = work / "raw" / "a.fits", work / "align" / "a.fits"
    fetch = attempt("fetch", "a", run=one, makes=[image(raw)])
    align = attempt("align", "a", run=one, reads=[raw], makes=[image(out, 2)])
    stack = attempt("stack", "a", run=one, reads=[out], makes=[image(work / "s.fits", 3)])
    two = begin(uid="u2")
    # the same bytes, and other bytes that mean the same to a job that looks at pixels
    fetch_2 = attempt("fetch", "a", run=two, makes=[raw])
    align_2 = attempt("align", "a", run=two, reads=[raw], makes=[image(out, 2, DATE="2020-01-01")])
    assert set(ahead(store.db, [fetch_2], every=False)) == {stack, fetch_2, align_2}
    assert ahead(store.db, [fetch], every=True) == [fetch, align, stack]
    assert ahead(store.db, [align_2], every=False) == [stack, align_2]
    assert readers(store.db, "raw/a.fits", fetch_2, every=False) == [align_2]
    assert readers(store.db, "align/a.fits", align_2, every=False) == [stack]
    assert readers(store.db, "raw/a.fits", fetch_2, every=True) == [align, align_2]
    (link,) = links(store.db, [stack])
    assert link.made_by == align
    assert makers(store.db, [stack]) == {
        (stack, link.kind, link.name, link.role, link.path): [align, align_2]
    }
    # other pixels are another thing
    align_3 = attempt("align", "a", run=two, reads=[raw], makes=[image(out, 9)])
    assert ahead(store.db, [align_3], every=False) == [align_3]


def test_stamps_are_nothing_to_a_job_that_reads_all_bytes(store, attempt, work, image, begin):
    run = begin()
    out = work / "align" / "a.fits"
    align = attempt("align", "a", run=run, makes=[image(out, 2)])
    scrape = attempt("scrape", "a", run=run, reads=[out], looks_at="bytes")
    stamped = attempt("align", "a", run=run, makes=[image(out, 2, DATE="2020-01-01")])
    assert ahead(store.db, [stamped], every=False) == [scrape, stamped]
    changed = attempt("align", "a", run=run, makes=[image(out, 2, EXPTIME=9.0)])
    assert ahead(store.db, [changed], every=False) == [changed]
    assert ahead(store.db, [align], every=True) == [align, scrape]


def test_what_is_known_by_facts_keeps_its_readers(store, attempt, begin):
    run = begin()

    def made(depth):
        return attempt("a", "x", run=run, outcome=Outcome([Product("e", "jx", facts={"d": depth})]))

    first = made(1)
    reader = attempt("b", "x", run=run)
    store.db.table("job_input").insert(
        {"job_id": reader, "kind": "e", "position": 0, "name": "jx", "role": "facts",
         "path": None, "content_id": None, "identity": "{}"}
    )  # fmt: skip
    again = made(1)
    assert ahead(store.db, [first], every=False) == [first, reader]
    assert ahead(store.db, [again], every=False) == [reader, again]
    other = made(2)
    assert ahead(store.db, [other], every=False) == [other]
