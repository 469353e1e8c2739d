"""What a run asks of other archives, as `query` and `plan` say it before."""

import json
import shutil
from pathlib import Path

from hst123r.archives import endpoints
from hst123r.cli.main import invoke
from hst123r.engine import questions
from hst123r.engine.planned import Progress
from hst123r.recipe.load import load
from hst123r.stage import registry
from hst123r.stage.contract import Job

RECIPE = """\
hst123r: 1
name: r
targets: [{name: T, position: "150.1 2.2"}]
stages:
  - fetch: {from: mast}
  - wcs: {start: refit, fetch_references: true}
  - reference: {absolute: {catalog: gaia-dr3}}
  - align: {}
"""
GENERAL = ["reference files of the WCS", "stars around the reference"]


def stages(tmp_path):
    (tmp_path / "r.yaml").write_text(RECIPE)
    recipe = load(tmp_path / "r.yaml")
    return recipe, [Progress(item, registry.get(item.stage)) for item in recipe.instances]


class Planned:
    def __init__(self, job):
        self.job = job


def test_of_a_recipe_it_is_said_in_general(tmp_path):
    recipe, progress = stages(tmp_path)
    asked = questions.of_recipe(recipe)
    assert [row["what"] for row in asked] == GENERAL
    assert {row["server"] for row in asked} == {endpoints.crds(), endpoints.gaia()}
    assert questions.of_plan(progress) == asked


def test_of_a_plan_what_jobs_need_and_nothing_where_all_is_kept(tmp_path):
    _, progress = stages(tmp_path)
    for item in progress:
        item.divided = True
    assert questions.of_plan(progress) == []
    (wcs,) = (item for item in progress if item.instance.stage == "wcs")
    row = {"archive": "CRDS", "server": endpoints.crds(), "what": "jref$x_idc.fits"}
    wcs.jobs = [Planned(Job(name, notes={questions.ASKS: [dict(row)]})) for name in ("a", "b")]
    assert questions.of_plan(progress) == [row]
    wcs.skipped = True
    assert questions.of_plan(progress) == []


def test_exposures_that_are_not_here_yet_need_something_too(tmp_path):
    from hst123r.records.outcome import Product

    _, progress = stages(tmp_path)
    for item in progress:
        item.divided = True
    (wcs,) = (item for item in progress if item.instance.stage == "wcs")
    file = Path(tmp_path / "x_flc.fits")
    product = Product("exposure", "x", {}, {"science": str(file)})
    wcs.jobs = [Planned(Job("x", inputs={"exposure": [product]}))]
    assert [row["what"] for row in questions.of_plan(progress)] == GENERAL[:1]
    file.touch()
    assert questions.of_plan(progress) == []


FRESH = """\
hst123r: 1
name: r
targets: [{name: T, position: "150.1 2.2"}]
stages:
  - fetch: {from: directory, path: data}
  - exposures: {}
  - wcs: {start: refit, fetch_references: true}
  - reference: {absolute: {catalog: gaia-dr3}}
  - align: {}
  - drizzle: {}
  - detect: {}
  - photometry:
      for:
        ACS/WFC: {psf: grid, fetch_psf_grids: true}
"""


def test_a_plan_for_a_new_work_directory_says_it_in_general(tmp_path, made_exposures, capsys):
    shutil.copytree(made_exposures, tmp_path / "data")
    (tmp_path / "r.yaml").write_text(FRESH)
    arguments = ["plan", str(tmp_path / "r.yaml"), "-C", str(tmp_path / "w")]
    assert invoke([*arguments, "--json"]) == 10
    rows = json.loads(capsys.readouterr().out)["asks"]
    assert [row["what"] for row in rows] == [*GENERAL, "measured PSFs"]
    assert invoke(arguments) == 10
    assert f"will ask STDPSF ({endpoints.stdpsf()}): measured PSFs" in capsys.readouterr().out


def test_a_stage_that_errs_may_still_ask(tmp_path):
    from hst123r.errors import InputError

    _, progress = stages(tmp_path)
    for item in progress:
        item.divided = True
        item.error = InputError("refused")
    assert [row["what"] for row in questions.of_plan(progress)] == GENERAL
