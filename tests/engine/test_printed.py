"""What changed in the parameters of a recipe, for jobs that print all of them."""

from hst123r.engine import printed
from hst123r.engine.dry import plan
from hst123r.engine.options import Options
from hst123r.engine.workspace import Workspace
from hst123r.provenance.rows import Part
from hst123r.recipe.load import load


def row(stage, name, value):
    return {"stage": stage, "name": name, "value": value}


def test_what_changed_is_named_with_its_stage():
    old = [row("stacks", "pixfrac", 0.8), row("stacks", "bits", [64]), row("align", "method", "a")]
    new = [row("stacks", "pixfrac", 0.6), row("stacks", "bits", [64]), row("detect", "kernel", 3)]
    assert printed.in_words(old, new) == (
        "stacks.pixfrac: 0.8 → 0.6; align.method: a → nothing; detect.kernel: nothing → 3"
    )
    assert printed.in_words(old, old) == printed.in_words(None, new) == ""


def test_a_plan_names_the_parameters_that_a_report_prints(copy_of_finished):
    """Also of an export, which does not print those of later stages."""

    def why(*settings):
        recipe = load(copy_of_finished.parent / "small.yaml", settings)
        stages = plan(recipe, Workspace(copy_of_finished), Options())
        return {item.instance.name: [job.decision.why for job in item.jobs] for item in stages}

    says = "the recipe, whose parameters it prints: "
    found = why("stacks.pixfrac=0.6")
    assert found["export"] == found["report"] == [f"{says}stacks.pixfrac: 0.8 → 0.6"]
    found = why("report.measurements=false")
    assert found["export"] == [""]
    assert f"{says}report.measurements: true → false" in found["report"][0]


def test_what_was_not_kept_as_the_digest_says_is_not_told(copy_of_finished, finished_in):
    store = finished_in(copy_of_finished).store
    row = store.db.execute("select id from job where stage = 'export'").fetchone()
    parts = store.jobs.parts(row[0])
    found = printed.then(store.db, row[0], parts)
    assert {item["stage"] for item in found} >= {"fetch", "stacks", "export"}
    assert "report" not in {item["stage"] for item in found}
    others = [part for part in parts if part.name != printed.PARAMETERS]
    assert printed.then(store.db, row[0], others) is None
    other = Part("argument", printed.PARAMETERS, "blake3:0 (2000)")
    assert printed.then(store.db, row[0], [*others, other]) is None
