"""Finding stages: a stage is a file in the folder ``stages/``, and there is no other list."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from hst123r.errors import InputError
from hst123r.stage.contract import Stage

PACKAGE = "hst123r.stages"

AnyStage = Stage[Any]


@cache
def names() -> tuple[str, ...]:
    """Return the names of all stages, in alphabetical order."""
    package = importlib.import_module(PACKAGE)
    return tuple(sorted(info.name for info in pkgutil.iter_modules(package.__path__)))


@cache
def get(name: str) -> AnyStage:
    """Return the stage of a name.

    Parameters
    ----------
    name : str
        Name of the stage, as in recipes.

    Returns
    -------
    Stage
        The one instance of the stage's class.

    Raises
    ------
    InputError
        If there is no such stage.
    """
    if name not in names():
        raise InputError(f"there is no stage {name!r}", hint=f"Stages are {', '.join(names())}")
    module = importlib.import_module(f"{PACKAGE}.{name}")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Stage)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} must define exactly one Stage, it has {len(found)}")
    return found[0]()


@cache
def implied_maker(kind: str) -> AnyStage | None:
    """Return the stage that is inserted when nothing in a recipe makes a needed kind.

    Parameters
    ----------
    kind : str
        Kind of product.

    Returns
    -------
    Stage or None
        None when the user has to name a stage.
    """
    for name in names():
        stage = get(name)
        if stage.implied and kind in stage.makes:
            return stage
    return None
