"""What stages promise, and whether it holds for those that are there."""

import json

from hst123r import instruments
from hst123r.provenance.store import Store
from hst123r.recipe.load import load
from hst123r.stage import registry


def test_detectors_suggest_only_where_jobs_differ_by_detector():
    for detector in instruments.names():
        for name in instruments.get(detector).stages:
            assert "detector" in registry.get(name).varies_by, (detector, name)


def test_jobs_have_the_labels_their_stage_varies_by(finished):
    recipe = load(finished.parent / "small.yaml")
    store = Store(finished, read_only=True)
    rows = list(store.db.query("select stage, label, labels from job"))
    store.close()
    assert {row["stage"] for row in rows} >= {"align", "stacks", "photometry"}
    for row in rows:
        # of the files of `select` nobody knows the detector before it has opened them
        stage = registry.get(recipe.instance(row["stage"]).stage)
        if stage.name != "select":
            assert set(stage.varies_by) <= set(json.loads(row["labels"])), row
