"""``--set stage.parameter=value``: parameters that win over those of the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hst123r.errors import InputError, did_you_mean
from hst123r.recipe.model import Instance
from hst123r.recipe.origins import SET, give, paths_of
from hst123r.recipe.problem import Problem
from hst123r.recipe.stage_entry import known_values
from hst123r.recipe.text import Located, scalar
from hst123r.recipe.validate import check_more
from hst123r.stage import registry


def read_settings(
    settings: Sequence[str], instances: list[Instance], targets: Sequence[str] | None
) -> list[Problem]:
    """Apply ``--set`` options to the instances.

    Parameters
    ----------
    settings : sequence of str
        The options' values.
    instances : list of Instance
        The instances, changed in place.
    targets : sequence of str or None
        Names of the recipe's targets.

    Returns
    -------
    list of Problem
        What is wrong with the options.
    """
    problems = []
    for setting in settings:
        try:
            messages = _apply(setting, instances, targets)
        except InputError as error:
            messages = [error.message]
        problems += [Problem(0, 0, f"--set {setting}", message) for message in messages]
    return problems


def _apply(setting: str, instances: list[Instance], targets: Sequence[str] | None) -> list[str]:
    left, equals, right = setting.partition("=")
    name, dot, path = left.strip().partition(".")
    if not equals or not dot or not path:
        raise InputError("write --set stage.parameter=value")
    instance = _find(name, path, instances)
    params = registry.get(instance.stage).params
    keys = path.split(".")
    if keys[0] not in params.names():
        raise InputError(f"unknown parameter, {did_you_mean(keys[0], params.names())}")
    value = scalar(right)
    below = known_values(instance)
    instance.overrides[keys[0]] = _placed(below.get(keys[0]), keys[1:], value)
    give(instance.set_origins, dict.fromkeys(paths_of(value, path), SET))
    given = {keys[0]: instance.overrides[keys[0]]}
    nowhere = Located({}, 0, 0, {})
    found = check_more(params, nowhere, below, given, "", targets)
    return [problem.message for problem in found]


def _find(name: str, path: str, instances: list[Instance]) -> Instance:
    instance = next((item for item in instances if item.name == name), None)
    if instance is not None:
        return instance
    called = [item.name for item in instances if item.stage == name]
    if called:
        raise InputError(
            f"the stage {name} is called {' or '.join(called)} in this recipe; "
            f"write for example --set {called[0]}.{path}=…"
        )
    known = dict.fromkeys(item.name for item in instances)
    raise InputError(f"there is no stage {name!r} in this recipe, {did_you_mean(name, known)}")


def _placed(base: Any, keys: list[str], value: Any) -> Any:
    if not keys:
        return value
    inner = dict(base) if isinstance(base, dict) else {}
    return {**inner, keys[0]: _placed(inner.get(keys[0]), keys[1:], value)}
