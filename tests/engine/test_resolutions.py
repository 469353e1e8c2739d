"""Parameters of stages, each combination resolved once."""

import pytest

from hst123r.engine.resolutions import Resolutions
from hst123r.recipe.load import load


@pytest.fixture
def resolutions(write_recipe):
    return Resolutions(load(write_recipe("exposures: {}", "drizzle: {pixfrac: 0.7}")))


def drizzle(resolutions):
    (found,) = [item for item in resolutions.recipe.instances if item.stage == "drizzle"]
    return found


def test_a_combination_is_resolved_once(resolutions):
    once = resolutions.of(drizzle(resolutions), "ACS/WFC")
    assert resolutions.of(drizzle(resolutions), "ACS/WFC") is once
    assert resolutions.of(drizzle(resolutions), "WFC3/IR").values["scale"] != once.values["scale"]
    assert resolutions.variants(drizzle(resolutions)) is resolutions.variants(drizzle(resolutions))


def test_every_parameter_is_told_with_its_origin(resolutions):
    found = {(row["stage"], row["name"]): row for row in resolutions.parameters()}
    assert found["drizzle", "pixfrac"]["value"] == 0.7
    assert "recipe" in found["drizzle", "pixfrac"]["origin"]
    assert "recipe" not in found["drizzle", "kernel"]["origin"]
