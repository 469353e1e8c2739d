"""The history by target, filter, parameter, measurement, caveat, state, software and time."""

import pytest

from hst123r.engine.history import Filter, history
from hst123r.errors import InputError
from hst123r.provenance.store import Store
from hst123r.records.outcome import Caveat, Measurement, Outcome

ENVIRONMENT = {"python": "3.12.1", "platform": "Linux", "packages": {"drizzlepac": "3.5.1"}}


def begin(store, packages):
    recipe = {"name": "r", "path": "r.yaml", "text": "x", "canonical": {"head": {"targets": []}}}
    run = {"uid": f"u{packages}", "command": ["hst123r", "run"], "folder": "/", "user": "me",
           "host": "here", "pid": 1, "options": {}, "parameters": []}  # fmt: skip
    environment = {**ENVIRONMENT, "packages": {"drizzlepac": packages}}
    return store.begin_run(recipe=recipe, environment=environment, run=run)


def job(store, run, stage, label, *, labels=None, params=None, outcome=None, error=None):
    from hst123r.provenance.rows import Part

    number = store.jobs.start(
        {"run_id": run, "stage": stage, "handler": stage, "label": label, "labels": labels or {},
         "version": 1, "key": None, "reasons": [], "log": "", "handler_digest": ""}
    )  # fmt: skip
    parts = [Part("param", name, value, "default") for name, value in (params or {}).items()]
    store.jobs.describe(number, parts, [], f"key {number}")
    if error is None:
        store.jobs.finish(number, outcome or Outcome(), {}, {})
    else:
        store.jobs.fail(number, "failed", {"error": error}, {})
    return number


@pytest.fixture(scope="module")
def folder(module_folder):
    """Two runs with other software, four jobs in the first, one in the second."""
    place = module_folder("work")
    store = Store(place)
    one, two = begin(store, "3.5.1"), begin(store, "3.10.0")
    f606w = {"target": "T", "filter": "F606W"}
    good = Outcome(
        measurements=[Measurement("rms", 4.0, "mas", subject="ja")],
        photometry=[{"target": "T", "level": "filter", "filter": "F606W", "mag_ab": 21.0}],
    )
    poor = Outcome(
        measurements=[Measurement("rms", 9.0, "mas", subject="jb"), Measurement("n", float("nan"))],
        caveats=[Caveat("few_matches", "only 3 stars match", "jb")],
    )
    job(store, one, "align", "a", params={"max_rms": "0.5 pix", "more": '{"x":"5 mas"}'})
    job(store, one, "stack", "b", labels=f606w, params={"max_rms": "0.2 pix"}, outcome=good)
    job(store, one, "stack", "c", labels={"target": "T", "filter": "F814W"}, outcome=poor)
    job(store, one, "stack", "d", error="no stars")
    job(store, two, "stack", "b", labels=f606w, params={"max_rms": "0.4 pix"}, outcome=good)
    store.close()
    return place


def found(folder, **asked):
    return [row["job"] for row in history(folder, Filter(**asked))]


@pytest.mark.parametrize(
    ("asked", "jobs"),
    [
        ({"through": "F606W"}, [2, 5]),
        ({"through": "F606W", "run": 2}, [5]),
        ({"target": "T", "through": "F814W"}, [3]),
        ({"where": ("max_rms > 0.3 pix",)}, [1, 5]),
        ({"where": ("stack.max_rms > 0.3 pix",)}, [5]),
        ({"where": ("max_rms > 0.3 pix", "max_rms < 0.5 pix")}, [5]),
        ({"where": ("align.more.x = 0.005 arcsec",)}, [1]),
        ({"measurement": ("rms > 5",)}, [3]),
        ({"measurement": ("rms < 0.005 arcsec",)}, [2, 5]),
        ({"caveat": "few_matches"}, [3]),
        ({"state": "failed"}, [4]),
        ({"quality": "caveat"}, [3]),
        ({"state": "done", "software": ("drizzlepac<3.6",)}, [1, 2, 3]),
        ({"state": "done", "software": ("drizzlepac>=3.6", "python>=3.12")}, [5]),
        ({"state": "done", "before": "2001-01-01"}, []),
        ({"state": "done", "since": "2001-01-01", "stage": "align"}, [1]),
    ],
)
def test_jobs_are_found_by(folder, asked, jobs):
    assert found(folder, **asked) == jobs


def test_what_matched_is_told(folder):
    (row,) = history(folder, Filter(measurement=("rms>5 mas",), caveat="few_matches"))
    assert row["matched"] == ["jb: rms = 9 mas", "jb: only 3 stars match"]
    assert history(folder, Filter(stage="align"))[0]["matched"] == []


def test_runs_are_found_by_software_and_time(folder):
    rows = history(folder, Filter(software=("drizzlepac=3.10",)))
    assert [(row["run"], row["recipe"]) for row in rows] == [(2, "r")]
    assert history(folder, Filter(before="2001-01-01")) == []


def test_the_light_curve_of_each_run(folder):
    rows = history(folder, Filter(photometry="T"))
    assert [(row["run"], row["job"], row["mag_ab"]) for row in rows] == [(1, 2, 21.0), (2, 5, 21.0)]
    assert [row["run"] for row in history(folder, Filter(photometry="T", run=2))] == [2]
    assert history(folder, Filter(photometry="T", through="F814W")) == []


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"through": "F606"}, "no such filter, did you mean 'F606W'"),
        ({"caveat": "few_match"}, "did you mean 'few_matches'"),
        ({"state": "fialed"}, "did you mean 'failed'"),
        ({"where": ("max_rsm > 1 pix",)}, "no such parameter"),
        ({"where": ("max_rms > 10 mas",)}, "cannot be compared with 10 mas"),
        ({"measurement": ("rmss > 1",)}, "did you mean 'rms'"),
        ({"measurement": ("rms > 1 s",)}, "is measured in mas"),
        ({"software": ("drizlepac > 3",)}, "did you mean 'drizzlepac'"),
        ({"photometry": "U"}, "no such target"),
        ({"before": "yesterday"}, "is not a date"),
        ({"run": 9}, "there is no run 9"),
    ],
)
def test_what_is_not_there_is_a_sentence(folder, asked, sentence):
    with pytest.raises(InputError, match=sentence):
        history(folder, Filter(**asked))
