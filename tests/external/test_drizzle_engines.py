"""The table of the engines that make stacks."""

import sys
from types import SimpleNamespace
from typing import get_args

import pytest

from hst123r.errors import StageError
from hst123r.external import astrodrizzle, drizzling
from hst123r.external.drizzle_engines import ENGINES
from hst123r.records.drizzling import DrizzleParams


def test_every_engine_of_a_recipe_is_there():
    names = get_args(DrizzleParams.model_fields["engine"].annotation)
    assert set(names) == set(ENGINES)
    assert DrizzleParams().engine == "astrodrizzle"


@pytest.mark.parametrize("module", [astrodrizzle, drizzling])
def test_a_full_disk_is_not_told_as_the_engines_failure(module, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "prepare", full)
    # it is not called, and takes seconds to import
    monkeypatch.setitem(sys.modules, "drizzlepac", SimpleNamespace(astrodrizzle=None))
    run = module.astrodrizzle if module is astrodrizzle else module.drizzle
    with pytest.raises(OSError, match="No space left"):
        run(tmp_path, [], None, None)

    def bad(*_):
        raise ValueError("no")

    monkeypatch.setattr(module, "prepare", bad)
    with pytest.raises(StageError, match="failed: ValueError: no"):
        run(tmp_path, [], None, None)
