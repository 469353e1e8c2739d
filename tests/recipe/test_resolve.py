"""Precedence: stage default < detector < recipe < for block < --set, each with its origin."""

import pytest

from hst123r.errors import InputError
from hst123r.recipe.load import load
from hst123r.recipe.resolve import resolve

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
