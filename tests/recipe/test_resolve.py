"""Precedence: stage default < detector < recipe < for block < --set, each with its origin."""

import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.recipe.load import load
from hst123r.recipe.resolve import resolve, variants
from hst123r.stage.contract import Job

RECIPE = """\
hst123r: 1
name: r
targets: [{name: T, position: "10 20"}]
stages:
  - fetch: {from: directory, path: data}
  - drizzle:
      pixfrac: 0.7
      for:
        WFC3/IR: {pixfrac: 0.6, kernel: turbo}
        F160W: {pixfrac: 0.5}
        WFC3/IR F160W: {pixfrac: 0.4}
  - drizzle: {name: plain}
"""


@pytest.fixture
def recipe(tmp_path):
    def load_it(*settings):
        path = tmp_path / "recipe.yaml"
        path.write_text(RECIPE)
        return load(path, settings, shown="recipe.yaml")

    return load_it


@pytest.mark.parametrize(
    ("detector", "filter_name", "value", "origin"),
    [
        (None, None, 0.7, "recipe.yaml:7:7"),
        ("ACS/WFC", "F814W", 0.7, "recipe.yaml:7:7"),
        ("WFC3/IR", "F110W", 0.6, "recipe.yaml:9:19"),
        ("ACS/WFC", "F160W", 0.5, "recipe.yaml:10:17"),
        ("WFC3/IR", "F160W", 0.4, "recipe.yaml:11:25"),
    ],
)
def test_the_more_special_block_wins(recipe, detector, filter_name, value, origin):
    found = resolve(recipe().instance("drizzle"), detector, filter_name)
    assert found.params.pixfrac == value
    assert found.origins["pixfrac"] == origin


def test_set_wins_over_everything(recipe):
    found = resolve(recipe("drizzle.pixfrac=0.9").instance("drizzle"), "WFC3/IR", "F160W")
    assert (found.params.pixfrac, found.origins["pixfrac"]) == (0.9, "--set")


def test_detectors_suggest_and_defaults_remain(recipe):
    found = resolve(recipe().instance("plain"), "WFC3/UVIS", "F814W")
    assert found.params.scale.to("arcsec") == pytest.approx(0.04)
    assert found.origins["scale"] == "detector WFC3/UVIS"
    assert found.origins["pixfrac"] == "stage default"


def test_the_two_instances_are_set_apart(recipe):
    checked = recipe("plain.pixfrac=1.0")
    assert resolve(checked.instance("plain")).params.pixfrac == 1.0
    assert resolve(checked.instance("drizzle")).params.pixfrac == 0.7


def test_deep_settings(recipe, tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "hst123r: 1\nname: s\ntargets: [{name: T, position: '1 2'}]\nstages:\n"
        "  - fetch: {from: simulated, simulation: {seed: 1, observations: "
        "[{detector: ACS/WFC, filter: F606W, dates: [2019-04-01]}]}}\n"
    )
    checked = load(path, ["fetch.simulation.seed=5", "fetch.simulation.stars.number=10"])
    simulation = resolve(checked.instance("fetch")).params.simulation
    assert (simulation.seed, simulation.stars.number) == (5, 10)
    assert len(simulation.observations) == 1


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("drizzle.pixfrac", "write --set stage.parameter=value"),
        ("pixfrac=1", "write --set stage.parameter=value"),
        ("drizle.pixfrac=1", "did you mean 'drizzle'?"),
        ("drizzle.pixfrak=1", "did you mean 'pixfrac'?"),
        ("drizzle.pixfrac=2", "2 is above 1"),
        ("drizzle.scale=0.05", "has no unit"),
        ("drizzle.bits=[", "not valid YAML"),
        ("drizzle.pixfrac=0.5 # less", "what follows # would be lost"),
        ("drizzle.pixfrac=0.5\nkernel: turbo", "a value is one line"),
        ("fetch.path=\udcff", "it is not UTF-8"),
        ("drizzle.scale=0 arcsec", "is not above 0 arcsec"),
        ("select.exclude=[x]", "is not the root name"),
        (f"drizzle.bits=[{'1' * 5000}]", "a number of 5000 digits is too long"),
    ],
)
def test_wrong_settings_say_what_would_be_right(recipe, setting, says):
    with pytest.raises(InputError) as caught:
        recipe(setting)
    assert says in str(caught.value)
    assert f"--set {setting}" in str(caught.value)


def test_what_is_needed_is_inserted(recipe):
    found = [(item.name, item.implied) for item in recipe().instances]
    assert found == [
        ("fetch", False), ("select", True), ("exposures", True), ("drizzle", False),
        ("plain", False),
    ]  # fmt: skip


def test_a_stage_is_set_by_the_name_it_has(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(RECIPE.replace("      pixfrac: 0.7", "      name: epochs\n      pixfrac: 0.7"))
    with pytest.raises(InputError) as caught:
        load(path, ["drizzle.pixfrac=1.0"])
    assert "the stage drizzle is called epochs or plain in this recipe" in str(caught.value)
    assert "--set epochs.pixfrac=" in str(caught.value)


def test_set_is_checked_with_the_blocks_it_wins_over(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        RECIPE.replace("stages:", "select: {for: {ACS/HRC: {before: 2010-01-01}}}\nstages:")
    )
    load(path, ["select.after=2009-01-01"])
    with pytest.raises(InputError) as caught:
        load(path, ["select.after=2011-01-01"])
    assert "2010-01-01 is not later than `after`, 2011-01-01" in str(caught.value)


def test_a_mistake_in_the_recipe_is_not_blamed_on_set(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(RECIPE.replace("pixfrac: 0.7", "pixfrac: 1.7"))
    with pytest.raises(InputError) as caught:
        load(path, ["drizzle.kernel=turbo"])
    assert len(caught.value.problems) == 1
    assert "--set" not in str(caught.value)


@pytest.mark.parametrize("setting", ["drizzle.pixfrac=0.9", "plain.scale=0.07 arcsec"])
def test_variants_applied_in_order_are_what_is_resolved(recipe, setting):
    checked = recipe(setting)
    for name in ("drizzle", "plain"):
        instance = checked.instance(name)
        base = resolve(instance)
        job = Job("j", variants=[variant for variant, _ in variants(instance)])
        for detector in instruments.names():
            for filter_name in ("F160W", "F814W"):
                found = job.varied(base.params, detector, filter_name)
                assert found == resolve(instance, detector, filter_name).params


def test_origins_reach_inside_mappings_and_go_with_what_they_belong_to(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "hst123r: 1\nname: s\ntargets: [{name: T, position: '1 2'}]\nstages:\n"
        "  - fetch: {from: simulated, simulation: {seed: 1, stars: {number: 9}, observations: "
        "[{detector: ACS/WFC, filter: F606W, dates: [2019-04-01]}]}}\n"
    )
    found = resolve(load(path, []).instance("fetch"))
    assert found.origin("simulation.seed") == "s.yaml:5:43"
    assert found.origin("simulation.stars.number") == "s.yaml:5:60"
    assert found.origin("simulation.stars.radius") == "stage default"
    assert found.origin("simulation.observations[0].filter").startswith("s.yaml:5:")
    found = resolve(load(path, ["fetch.simulation.seed=5"]).instance("fetch"))
    assert found.origin("simulation") == "--set"
    assert found.origin("simulation.seed") == "--set"
    assert found.origin("simulation.stars.number") == "s.yaml:5:60"
    found = resolve(load(path, ["fetch.simulation.stars={slope: 0.3}"]).instance("fetch"))
    assert found.origin("simulation.stars.slope") == "--set"
    assert found.origin("simulation.stars.number") == "stage default"
