"""Questions to the store."""

import pytest

from hst123r.provenance import queries
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Reject


@pytest.fixture
def filled(store, begin, attempt, work, image):
    """Two runs: an alignment and a stack of it, and the stack again."""
    raw = image(work / "raw" / "one.fits")
    aligned = image(work / "products" / "aligned.fits", value=1.0)
    stack = image(work / "products" / "stack.fits", value=2.0)
    first, second = begin(), begin(uid="u2")
    jobs = [
        attempt("align", "v1", run=first, reads=[raw], makes=[aligned], labels={"target": "SN"}),
        attempt("drizzle", "a", run=first, reads=[aligned], makes=[stack]),
        attempt("drizzle", "a", run=second, reads=[aligned], makes=[stack], key="k2"),
    ]
    store.end_run(first, state="done", exit_code=0, ran=2, reused=[], blocked=[])
    store.db.execute("update run set started = '2024-01-01T00:00:00Z' where id = ?", [first])
    store.db.execute("update job set started = '2024-01-01T00:00:00Z' where run_id = ?", [first])
    return jobs


def test_runs_by_number_and_by_date(store, filled):
    everything = queries.runs(store.db)
    assert [run["run"] for run in everything] == [1, 2]
    assert everything[0]["command"] == "run r.yaml"
    assert everything[0]["recipe"] == "r"
    assert (everything[0]["state"], everything[1]["state"]) == ("done", "running")
    assert [run["run"] for run in queries.runs(store.db, since="2025-01-01")] == [2]
    assert [run["run"] for run in queries.runs(store.db, run_id=1)] == [1]
    assert queries.runs(store.db, run_id=9) == []


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({}, [0, 1, 2]),
        ({"run_id": 2}, [2]),
        ({"stage": "drizzle"}, [1, 2]),
        ({"label": "v1"}, [0]),
        ({"about": "SN"}, [0]),
        ({"about": "nobody"}, []),
        ({"path": "raw/one.fits"}, [0]),
        ({"path": "products/aligned.fits"}, [0, 1, 2]),
        ({"path": "products/stack.fits"}, [1, 2]),
        ({"since": "2025-01-01"}, [2]),
        ({"stage": "drizzle", "run_id": 1}, [1]),
    ],
)
def test_jobs_by_what_is_known_of_them(store, filled, asked, answer):
    found = queries.jobs(store.db, **asked)
    assert [job["job"] for job in found] == [filled[number] for number in answer]


def test_a_job_tells_its_reasons_as_sentences(store, filled):
    (job,) = queries.jobs(store.db, job_id=filled[0])
    assert job["reasons"] == ["no record of it"]
    assert job["labels"] == {"target": "SN"}
    assert job["forgotten"] is False


def test_the_maker_of_a_file_is_the_last_that_was_done(store, filled):
    assert queries.maker_of(store.db, "products/stack.fits") == filled[2]
    assert queries.maker_of(store.db, "products/aligned.fits") == filled[0]
    assert queries.maker_of(store.db, "raw/one.fits") is None
    store.db.execute("update job set state = 'failed' where id = ?", [filled[2]])
    assert queries.maker_of(store.db, "products/stack.fits") == filled[1]


def test_current_files_are_those_of_the_latest_attempts(store, filled):
    found = {row["path"]: (row["stage"], row["label"]) for row in queries.current_files(store.db)}
    assert found == {
        "products/aligned.fits": ("align", "v1"), "products/stack.fits": ("drizzle", "a"),
    }  # fmt: skip
    assert queries.latest_done(store.db, "drizzle") == [filled[2]]
    store.jobs.forget("drizzle", None)
    assert [row["path"] for row in queries.current_files(store.db)] == ["products/aligned.fits"]
    assert queries.latest_done(store.db, "drizzle") == []


def test_a_path_counts_for_the_last_job_that_owns_it_only(store, attempt, work, image):
    """A stage that was renamed leaves jobs behind, and these have its files no more."""
    path = image(work / "products" / "a.fits")
    other = image(work / "products" / "b.fits", value=2.0)
    attempt("fetch", "a", makes=[path])
    attempt("fetch", "b", makes=[other])
    image(path, value=1.0)
    last = attempt("get", "a", makes=[path])
    found = {row["path"]: row["stage"] for row in queries.current_files(store.db)}
    assert found == {"products/a.fits": "get", "products/b.fits": "fetch"}
    store.db.execute("update job set forgotten = 1 where id = ?", [last])
    assert [row["path"] for row in queries.current_files(store.db)] == ["products/b.fits"]
    store.db.execute("update job set state = 'failed' where id = ?", [last])
    assert len(queries.current_files(store.db)) == 2


def test_what_a_job_found_out(store, attempt):
    outcome = Outcome(
        [Product("stack", "a")], [Measurement("noise", 0.5, "electrons/s")],
        [Caveat("kernel", "text")], [Reject("one", "filter", "why", {"filter": "F606W"})],
    )  # fmt: skip
    job = attempt(outcome=outcome)
    details = queries.job_details(store.db, job)
    assert details["measurements"][0]["value"] == 0.5
    assert details["caveats"] == [{"code": "kernel", "text": "text", "subject": ""}]
    assert details["rejects"][0]["labels"] == {"filter": "F606W"}
    assert queries.job_details(store.db, None) == {"measurements": [], "caveats": [], "rejects": []}
    assert queries.rejects(store.db, [job]) == [
        {"job_id": job, "subject": "one", "filter": "F606W", "code": "filter", "reason": "why"}
    ]
    assert queries.rejects(store.db, []) == []


def test_what_a_job_read_and_made(store, filled):
    files = queries.job_files(store.db, filled[1])
    assert files["parameters"] == [{"name": "pixfrac", "value": "0.8", "origin": "default"}]
    assert [row["path"] for row in files["inputs"]] == ["products/aligned.fits"]
    assert [(row["path"], row["quality"]) for row in files["products"]] == [
        ("products/stack.fits", "good")
    ]


def test_environment_and_parameters_of_a_run(store, begin):
    given = [{"stage": "align", "name": "sigma", "value": 3.0, "origin": "recipe.yaml:9:3"}]
    run = begin(parameters=given)
    assert queries.parameters(store.db, run) == given
    assert queries.environment(store.db, 1)["packages"] == {"astropy": "7.0"}


def test_a_number_can_be_followed_back_to_the_bytes_of_raw_files(small):
    """From a row of photometry through the jobs below it to what was fetched."""
    db = small.store.db
    row = next(db.query("select job_id from photometry where target = 'SN' and level = 'epoch'"))
    waiting, seen, raw = [row["job_id"]], set(), {}
    while waiting:
        job = waiting.pop()
        seen.add(job)
        for read in queries.job_files(db, job)["inputs"]:
            maker = queries.maker_of(db, read["path"])
            if read["path"].startswith("raw/"):
                raw[read["path"]] = read["digest"]
            if maker is not None and maker not in seen:
                waiting.append(maker)
    stages = {db.table("job").get(job)["stage"] for job in seen}
    assert {"scrape", "photometry", "detect", "align", "reference", "fetch"} <= stages
    names = {path.name for path in (small.folder / "raw").glob("*_flc.fits")}
    assert {path.removeprefix("raw/") for path in raw} == names
    from hst123r.files.content import digest_file

    assert all(digest_file(small.folder / path) == digest for path, digest in raw.items())
