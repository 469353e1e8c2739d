"""Which runs are kept."""

import pytest

from hst123r.provenance import held, of_run, tags


@pytest.fixture
def run(store, begin):
    """Record a run that ended in some way."""

    def record(recipe="r", state="done", reused=(), blocked=(), **options):
        number = begin(
            {"name": recipe, "text": recipe}, uid=f"u{store.db.table('run').count}", options=options
        )
        if state != "running":
            store.end_run(
                number, state=state, exit_code=0, ran=0, reused=list(reused), blocked=list(blocked)
            )
        return number

    return record


def kept(store, last=1):
    return {row["run"]: row["kept"] for row in held.runs(store.db, last)}


def test_the_last_complete_run_of_each_recipe_and_what_came_later(store, run):
    old, last, other = run(), run(), run("other")
    early, failed = run(until="align"), run(state="failed")
    assert kept(store) == {
        old: "", last: "it is the last complete one", other: "it is the last complete one",
        early: "it came later", failed: "it came later",
    }  # fmt: skip
    assert kept(store, 2)[old] == "it is the last complete one"
    assert kept(store, 9)[old] == "it is the last complete one"


@pytest.mark.parametrize(
    "how",
    [{"until": "align"}, {"only": "report"}, {"state": "failed"}, {"state": "running"},
     {"repair": ["a:b"]},
     {"blocked": [{"stage": "a", "label": "b", "why": "c"}]}],
)  # fmt: skip
def test_what_was_never_complete_is_kept_whole(store, run, how):
    first, second = run(**how), run(**how)
    assert set(kept(store).values()) == {"this recipe never ran to its end"}
    assert list(kept(store)) == [first, second]


def test_a_repair_and_an_adoption_are_no_last_run_of_a_recipe(store, run):
    last, mended, adopted = run(), run(repair=["a:b"]), run(what="adopt")
    rows = kept(store)
    assert rows[last] == "it is the last complete one"
    assert (rows[mended], rows[adopted]) == ("it came later", "it was no run of a recipe")
    assert of_run.last_run(store.db) == last


def test_a_recipe_is_told_from_an_adoption_by_what_was_asked(store, run):
    old, last = run("adopted"), run("adopted")
    run("adopted", what="adopt")
    assert kept(store)[old] == ""
    assert kept(store)[last] == "it is the last complete one"


def test_a_tag_keeps(store, run):
    old, _ = run(), run()
    tags.put(store.db, "paper", old, "")
    assert kept(store)[old] == "it has a tag"


def test_files_of_runs_and_what_they_read(store, run, attempt, work, image):
    made = image(work / "products" / "a.fits")
    read = image(work / "raw" / "b.fits", value=3)
    one = run(state="running")
    job = attempt(run=one, reads=[read], makes=[made])
    two = run(reused=[job])
    rows = {(row["run"], row["path"]) for row in held.files(store.db)}
    assert rows == {(one, "products/a.fits"), (two, "products/a.fits")}
    assert held.named(store.db, [two]) == {"products/a.fits", "raw/b.fits"}
    assert held.named(store.db, []) == set()
    assert held.makers(store.db, ["products/a.fits"]) == [job]
    held.forget(store.db, [job])
    assert held.makers(store.db, ["products/a.fits"]) == []
