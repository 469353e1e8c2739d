"""What a run rests on leaves the store whole, and nothing of the machine with it."""

import json

import pytest

from hst123r.errors import InputError
from hst123r.provenance.extract import attempts, extract, inside, recipe_text
from hst123r.records.outcome import Outcome, Product


def test_what_a_run_rests_on(store, begin, attempt, image, work):
    first = begin()
    raw = image(work / "raw" / "a_flc.fits", 1.0)
    made = image(work / "products" / "a.fits", 2.0)
    fetch = attempt("fetch", "a", run=first, makes=[raw])
    attempt("drizzle", "a", run=first, reads=[raw], makes=[made])
    found = extract(store.db, first)
    assert [(job["stage"], job["label"]) for job in found["jobs"]] == [
        ("fetch", "a"), ("drizzle", "a"),
    ]  # fmt: skip
    (file,) = found["jobs"][0]["products"][0]["files"]
    assert file["path"] == "raw/a_flc.fits"
    assert file["facets"]["pixels"].startswith("blake3:")
    (read,) = found["jobs"][1]["inputs"]
    assert (read["path"], read["digest"]) == ("raw/a_flc.fits", file["digest"])
    assert found["environment"]["packages"] == {"astropy": "7.0"}
    assert recipe_text(store.db, first) == "hst123r: 1\n"
    # a second run that reuses the first attempt rests on it too
    second = begin()
    store.db.execute("update run set reused = ? where id = ?", [json.dumps([fetch]), second])
    assert attempts(store.db, second) == [fetch]


def test_nothing_of_the_machine_is_in_it(store, begin, attempt, image, work, tmp_path):
    run = begin()
    other = image(tmp_path / "mine" / "catalogue.fits", 1.0)
    facts = {"source": "/data/group/archive/x.fits", "list": ["/a/b"]}
    outcome = Outcome([Product("file", "x", {}, {}, facts)])
    attempt("drizzle", "a", run=run, reads=[other], outcome=outcome)
    found = extract(store.db, run)
    text = json.dumps(found)
    for word in (str(tmp_path), "/somewhere", '"me"', '"here"', "/data", '"/a'):
        assert word not in text
    assert found["jobs"][0]["inputs"][0]["path"] == "outside/catalogue.fits"
    assert inside(None) is None
    assert inside("ACS/WFC") == "ACS/WFC"


def test_no_such_run(store):
    with pytest.raises(InputError, match="there is no run 7"):
        extract(store.db, 7)
