"""The names that a search may use are those of the store."""

from hst123r.provenance import found
from hst123r.records.outcome import Caveat, Measurement, Outcome


def test_names_are_listed_once(store, begin, attempt):
    outcome = Outcome(
        measurements=[Measurement("rms", 4.0, "mas")], caveats=[Caveat("few", "few stars")],
        photometry=[{"target": "T", "level": "filter", "filter": "F606W"}],
    )  # fmt: skip
    run = begin()
    for _ in range(2):
        job = attempt("stack", run=run, labels={"filter": "F606W"}, outcome=outcome)
    assert found.parameter_names(store.db) == ["stack.pixfrac"]
    assert found.measurement_names(store.db) == ["rms"]
    assert found.caveat_codes(store.db) == ["few"]
    assert found.filters(store.db) == ["F606W"]
    assert found.parameters(store.db, "stack.pixfrac")[-1] == (job, "stack", "pixfrac", "0.8")
    assert found.parameters(store.db, "align.pixfrac") == []
    assert [row["value"] for row in found.measurements(store.db, "rms")] == [4.0, 4.0]
    assert found.caveats(store.db, "few")[0]["text"] == "few stars"
    assert found.packages(store.db)[run]["astropy"] == "7.0"
    rows = found.photometry(store.db, "T", run_id=None, through="F606W", level="filter")
    assert [row["job"] for row in rows] == [job - 1, job]
