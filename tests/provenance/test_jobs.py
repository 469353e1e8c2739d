"""The rows about jobs: what they read, made, and how they ended."""

import math
import sqlite3

import pytest

from hst123r.files.content import look
from hst123r.provenance.store import Store
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality, Reject


def test_a_done_job_gives_back_all_it_handed_over(store, attempt, work, image):
    raw = image(work / "raw" / "one.fits")
    stack = image(work / "products" / "a.fits", value=1.0)
    product = Product(
        "stack", "a", {"filter": "F606W"}, {"science": str(stack)}, {"zeropoint_ab": 26.5}
    )
    caveat = Caveat("kernel", "it does not conserve flux")
    job = attempt(reads=[raw], outcome=Outcome([product], caveats=[caveat]), makes=[stack])
    (made,) = store.jobs.made([job])[job]
    assert made.product.files == {"science": str(stack)}
    assert made.product.facts == {"zeropoint_ab": 26.5}
    assert made.product.caveats == [caveat]
    assert made.product.quality is Quality.CAVEAT
    assert made.contents["science"].digest == look(stack).digest
    assert made.owned == {"science": True}
    (read,) = store.jobs.inputs(job)
    assert read.path == str(raw)
    assert read.identity == {"pixels": look(raw).facets["pixels"]}
    row = store.db.table("job").get(job)
    assert (row["state"], row["quality"], row["cpu_seconds"]) == ("done", "caveat", 1.5)


def test_paths_are_kept_relative_to_the_work_directory(store, attempt, work, tmp_path, image):
    raw, stack = image(tmp_path / "mine" / "one.fits"), image(work / "products" / "a.fits")
    job = attempt(reads=[raw], makes=[stack])
    store.close()
    work.rename(tmp_path / "moved")
    again = Store(tmp_path / "moved")
    (made,) = again.jobs.made([job])[job]
    assert made.product.files == {"fits": str(tmp_path / "moved" / "products" / "a.fits")}
    assert again.jobs.inputs(job)[0].path == str(raw)
    again.close()


def test_parts_of_a_key_come_back_by_name_with_their_origin(store, attempt, work, image):
    raw = image(work / "raw" / "one.fits")
    parts = {(p.kind, p.name): p for p in store.jobs.parts(attempt(reads=[raw]))}
    assert parts["param", "pixfrac"].value == "0.8"
    assert parts["param", "pixfrac"].origin == "default"
    assert parts["version", "drizzle"].value == "1"
    assert parts["input", "exposure/one/science/pixels"].value == look(raw).facets["pixels"]


def test_the_last_done_attempt_stays_known_when_a_later_one_fails(store, begin, attempt):
    one = attempt(key="k1")
    run = begin()
    two = store.jobs.start(
        {
            "run_id": run, "stage": "drizzle", "handler": "drizzle", "label": "a", "labels": {},
            "version": 1, "key": "k2", "reasons": [], "log": "x", "handler_digest": "h",
        }
    )  # fmt: skip
    assert store.jobs.records()["drizzle", "a"].last_state == "running"
    error = {"error_kind": "StageError", "error": "no product", "exit_code": 4}
    store.jobs.fail(two, "failed", error, {})
    record = store.jobs.records()["drizzle", "a"]
    assert (record.done_id, record.key) == (one, "k1")
    assert (record.last_id, record.last_state, record.error) == (two, "failed", "no product")


def test_a_forgotten_job_is_no_longer_done(store, attempt):
    attempt(label="a")
    kept = attempt(label="b")
    assert store.jobs.forget("drizzle", "a") == 1
    assert store.jobs.forget("drizzle", "a") == 0
    records = store.jobs.records()
    assert records["drizzle", "a"].done_id is None
    assert records["drizzle", "b"].done_id == kept
    assert store.jobs.forget("drizzle", None) == 1
    assert store.jobs.forget("detect", None) == 0


def test_a_file_that_a_job_only_refers_to_is_not_its_own(store, begin, attempt, work, image):
    raw = image(work / "raw" / "one.fits")
    known = store.contents.look(str(raw))
    job = attempt(makes=())
    product = Product("selected", "one", {}, {"science": str(raw)})
    store.jobs.finish(job, Outcome([product]), {str(raw): known}, {})
    made = store.jobs.made([job])[job][-1]
    assert made.owned == {"science": False}
    assert made.contents["science"] == known


def test_quality_belongs_to_the_product_it_is_about(store, attempt):
    products = [Product("exposure", name, {"exposure": name}) for name in ("one", "two")]
    outcome = Outcome(products, [Measurement("matches", 2, low=10, subject="two")])
    job = attempt(outcome=outcome)
    qualities = [made.product.quality for made in store.jobs.made([job])[job]]
    assert qualities == [Quality.GOOD, Quality.BAD]
    assert store.jobs.records()["drizzle", "a"].quality == "bad"


def test_caveats_come_back_only_with_the_product_they_are_about(store, attempt):
    products = [Product("exposure", name, {"exposure": name}) for name in ("one", "two")]
    about = [Caveat("one_only", "x", "one"), Caveat("all", "y")]
    job = attempt(outcome=Outcome(products, caveats=about))
    first, second = (made.product for made in store.jobs.made([job])[job])
    assert [c.code for c in first.caveats] == ["one_only", "all"]
    assert [c.code for c in second.caveats] == ["all"]


def test_what_could_not_be_measured_is_null_and_outside_its_limits(store, attempt):
    attempt(outcome=Outcome([], [Measurement("rms", math.nan, "mas", high=5.0)]))
    row = next(store.db.table("measurement").rows)
    assert row["value"] is None
    assert (row["high"], row["quality"]) == (5.0, "bad")


def test_facts_that_json_cannot_hold_store_nothing(store, attempt):
    job = attempt()
    before = store.db.table("product").count

    def fails():
        with store.transaction():
            store.jobs.finish(job, Outcome([Product("x", "x", facts={"v": math.nan})]), {}, {})

    with pytest.raises(ValueError, match="JSON"):
        fails()
    assert store.db.table("product").count == before


def test_rejects_photometry_and_references_are_rows(store, attempt):
    reject = Reject("one", "filter", "its filter is F606W", {"detector": "ACS/WFC"})
    rows = [{"target": "SN", "level": "epoch", "mjd": 58574.0, "flux_njy": 1.5, "mag_ab": None}]
    references = [{"keyword": "IDCTAB", "name": "x_idc.fits", "digest": "blake3:0"}]
    job = attempt(outcome=Outcome(rejects=[reject], photometry=rows, references=references))
    assert next(store.db.table("reject").rows)["labels"] == '{"detector": "ACS/WFC"}'
    stored = next(store.db.table("photometry").rows)
    assert (stored["job_id"], stored["flux_njy"], stored["mag_ab"]) == (job, 1.5, None)
    assert next(store.db.table("reference_file").rows)["keyword"] == "IDCTAB"


def test_a_job_of_no_run_is_refused(store, attempt):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        attempt(run=55)
