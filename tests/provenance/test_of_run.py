"""What one run had, made by it or reused."""

from hst123r.files.content import look
from hst123r.provenance import of_run
from hst123r.records.outcome import Measurement, Outcome, Product


def test_a_run_has_what_it_made_and_what_it_reused(store, begin, attempt, work, image):
    one = begin()
    path = image(work / "products" / "a.fits")
    outcome = Outcome(
        [Product("stack", "a", {"filter": "F606W"}, {"science": str(path)})],
        [Measurement("rms", 1.0)], photometry=[{"target": "T", "level": "filter"}],
    )  # fmt: skip
    old = attempt("stack", "a", run=one, makes=[path], outcome=outcome)
    attempt("stack", "b", run=one)
    two = begin(uid="u2")
    new = attempt("stack", "b", run=two)
    assert of_run.last_run(store.db) in {one, two}
    store.end_run(two, state="done", exit_code=0, ran=1, reused=[old], blocked=[])
    found = of_run.jobs(store.db, two)
    assert {key: row["job"] for key, row in found.items()} == {
        ("stack", "a"): old, ("stack", "b"): new
    }  # fmt: skip
    assert of_run.last_run(store.db) == two
    assert list(of_run.files(store.db, [old])) == ["products/a.fits"]
    assert of_run.measurements(store.db, [old])["stack", "a", "", "rms"]["value"] == 1.0
    assert list(of_run.photometry(store.db, [old])) == [("stack", "T", "filter", *[""] * 6)]
    names = {(part.kind, part.name) for part in of_run.parts(store.db, [new])[new]}
    assert ("param", "pixfrac") in names


def test_every_source_of_a_target_is_a_point_of_its_own(store, begin, attempt):
    def rows(*sources):
        return [{"target": "T", "level": "filter", "source": source} for source in sources]

    def keys(*sources):
        number = attempt(outcome=Outcome(photometry=rows(*sources)))
        return [key[-1] for key in of_run.photometry(store.db, [number])]

    assert keys("7", "9") == ["7", "9"]
    assert keys("7") == [""]
    assert keys(None, None, "7", "7") == ["", " (1)", "7", "7 (3)"]


def test_bytes_of_fits_files_stand_for_what_they_mean(store, begin, attempt, work, image):
    """A job may look at bytes, and these hold the date; the pictures that it shows name a run."""

    def parts(**cards):
        path = image(work / "a.fits", 1, **cards)
        number = attempt(reads=[path])
        change = "update job_input set identity = ? where job_id = ?"
        with store.transaction():
            store.db.execute(change, [f'{{"bytes": "{look(path).digest}"}}', number])
            store.db.execute(
                "insert into job_input (job_id, kind, position, name, role, identity) values "
                "(?, 'stack', 1, 'a', 'preview', ?)", [number, f'{{"bytes": "blake3:{number}"}}']
            )  # fmt: skip
        return [part for part in of_run.parts(store.db, [number])[number] if part.kind == "input"]

    first = parts()
    assert parts(DATE="2020-01-01") == first
    assert parts(EXPTIME=7.0) != first
    assert [part.name for part in first] == ["exposure/a/science/bytes"]


def test_the_recipe_of_a_run_as_plain_values(store, begin):
    number = begin(recipe={"text": "x", "canonical": {"head": {"name": "x"}, "stages": []}})
    assert of_run.canonical(store.db, number) == {"head": {"name": "x"}, "stages": []}


def test_no_run_is_none(store):
    assert of_run.last_run(store.db) is None
