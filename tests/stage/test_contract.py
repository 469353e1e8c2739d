"""What every stage fulfils."""

import inspect
import json
import re

import pytest

from hst123r import instruments
from hst123r.provenance.store import Store
from hst123r.recipe.load import load
from hst123r.records.outcome import Outcome
from hst123r.records.params import Params
from hst123r.stage import registry
from hst123r.stage.contract import Job, Stage

STAGES = [registry.get(name) for name in registry.names()]
KINDS = {kind for stage in STAGES for kind in stage.makes}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
class TestEveryStage:
    def test_it_is_named_after_its_file(self, stage):
        assert type(stage).__module__ == f"hst123r.stages.{stage.name}"

    def test_its_version_is_a_whole_number_from_one(self, stage):
        assert type(stage.version) is int
        assert stage.version >= 1

    def test_every_parameter_has_a_line_of_help(self, stage):
        assert issubclass(stage.params, Params)
        for name, field in stage.params.model_fields.items():
            assert field.description, name
            assert len(field.description) < 200

    def test_a_number_with_a_dimension_has_its_unit(self, stage):
        """A bare float is a ratio, a count or a number of sigma, never a length or an angle."""
        for name, field in stage.params.model_fields.items():
            if field.annotation in (float, int):
                assert not re.search(r"arcsec|degree|second", field.description), name

    def test_somebody_makes_what_it_needs(self, stage):
        # files of the user's that a stage names itself when it divides its work
        given = {
            "user file",
            "template",
            "psf grid",
            "reference file",
            "catalogue file",
            "dolphot file",
            "Vega table",
        }
        assert {need.kind for need in stage.needs} <= KINDS | given

    def test_it_says_how_its_work_is_divided(self, stage):
        assert stage.per in {"exposure", "visit", "group", "field", "target", "recipe"}
        assert inspect.getdoc(type(stage)).endswith(".")

    def test_a_job_has_an_estimate_of_its_memory(self, stage):
        assert type(stage).memory_mb is not None
        if type(stage).memory_mb is Stage.memory_mb:
            assert stage.memory_mb(Job("x"), None) > 100


def test_a_stage_without_its_parts_cannot_be_made():
    class Half(Stage[Params]):
        def run(self, job, params, context):
            return Outcome()

    with pytest.raises(TypeError, match="divide"):
        Half()


def test_kinds_with_an_implied_maker_have_one_only():
    for kind in KINDS:
        makers = [stage.name for stage in STAGES if stage.implied and kind in stage.makes]
        assert len(makers) <= 1, kind


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


def test_the_version_of_whatever_a_stage_works_with_is_recorded():
    from hst123r.engine.environment import PACKAGES

    tools = {tool for name in registry.names() for tool in registry.get(name).tools}
    assert tools <= {"hst123r", *PACKAGES}
