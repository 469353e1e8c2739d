"""The table of the engines that make stacks."""

from typing import get_args

from hst123r.external.drizzle_engines import ENGINES
from hst123r.records.drizzling import DrizzleParams


def test_every_engine_of_a_recipe_is_there():
    names = get_args(DrizzleParams.model_fields["engine"].annotation)
    assert set(names) == set(ENGINES)
    assert DrizzleParams().engine == "astrodrizzle"
