"""The value of every parameter, and where it came from.

Precedence, lowest first: stage default, detector suggestion, recipe, ``for:`` block, ``--set``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.recipe.model import SELECT, Instance, Recipe
from hst123r.recipe.origins import DEFAULT, SET, give, paths_of
from hst123r.recipe.text import Located
from hst123r.recipe.validate import check
from hst123r.records.exposure import band
from hst123r.records.params import Params
from hst123r.stage import registry
from hst123r.stage.contract import Variant


@dataclass(frozen=True, slots=True)
class Resolved:
    """Checked parameters of one stage for one detector and filter.

    Parameters
    ----------
    params : Params
        The parameters.
    values : dict
        The same as plain JSON values.
    origins : dict of str to str
        Origin of each parameter, and by path of each value given inside one.
    """

    params: Params
    values: dict[str, Any]
    origins: dict[str, str]

    def origin(self, path: str) -> str:
        """Return the origin of a value, a default where nobody gave it."""
        return self.origins.get(path, DEFAULT)


def resolve(
    instance: Instance, detector: str | None = None, filter_name: str | None = None
) -> Resolved:
    """Resolve the parameters of a stage.

    Parameters
    ----------
    instance : Instance
        The stage in its recipe.
    detector, filter_name : str, optional
        What a job is about; they choose suggestions and ``for:`` blocks.

    Returns
    -------
    Resolved
        Values with origins.

    Raises
    ------
    InputError
        If values that are good by themselves do not fit together.
    """
    model = registry.get(instance.stage).params
    values: dict[str, Any] = {}
    origins = dict.fromkeys(model.names(), DEFAULT)
    for name, value in _suggested(instance, detector).items():
        values[name] = value
        give(origins, dict.fromkeys(paths_of(value, name), f"detector {detector}"))
    values.update(instance.values)
    give(origins, instance.origins)
    for block in instance.blocks:
        if block.covers(detector, filter_name):
            values.update(block.values)
            give(origins, block.origins)
    values.update(instance.overrides)
    give(origins, instance.set_origins)
    origins.update(dict.fromkeys(instance.overrides, SET))
    params, problems = check(model, Located({}, 0, 0, {}), values, "")
    if not isinstance(params, Params):
        about = " ".join(part for part in (detector, filter_name) if part)
        message = "; ".join(f"{problem.path}: {problem.message}" for problem in problems)
        raise InputError(f"for {about}: {message}" if about else message, where=instance.path)
    return Resolved(params, params.as_json(), origins)


def variants(instance: Instance) -> list[tuple[Variant, dict[str, str]]]:
    """Return what differs by detector or filter, from weak to strong.

    Parameters
    ----------
    instance : Instance
        The stage in its recipe.

    Returns
    -------
    list of (Variant, dict)
        Detector suggestions and ``for:`` blocks, without what stronger ones override for all;
        with the origin of each value. Applied in this order to the values that are resolved
        without detector and filter, they give those for one detector and filter.

    Raises
    ------
    InputError
        If the values of one do not fit together.
    """
    able = registry.get(instance.stage).varies_by
    suggesting = instruments.names() if "detector" in able else ()
    found: list[tuple[str | None, str | None, list[str]]] = [
        (name, None, [key for key in _suggested(instance, name) if key not in instance.values])
        for name in suggesting
    ]
    found += [(block.detector, block.filter, list(block.values)) for block in instance.blocks]
    kept = []
    for detector, filter_name, names in found:
        own = [name for name in names if name not in instance.overrides]
        resolved = resolve(instance, detector, filter_name)
        if own:
            values = {name: resolved.values[name] for name in own}
            origins = {name: resolved.origins[name] for name in own}
            kept.append((Variant(detector, filter_name, values), origins))
    return kept


def selection(
    recipe: Recipe, detector: str | None = None, filter_name: str | None = None
) -> dict[str, Any]:
    """Return what a recipe selects, be it that a stage uses it or not.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    detector, filter_name : str, optional
        What it is asked for, which chooses ``for:`` blocks.

    Returns
    -------
    dict
        Parameters of the stage `select` as plain values.
    """
    used = (item for item in recipe.instances if item.stage == SELECT)
    instance = next(used, recipe.select)
    if instance is None:
        instance = Instance(name=SELECT, stage=SELECT)
    through = None if filter_name is None else band(filter_name)
    return resolve(instance, detector, through).values


def _suggested(instance: Instance, detector: str | None) -> dict[str, Any]:
    if detector is None:
        return {}
    suggestion = instruments.get(detector).stages.get(instance.stage)
    return suggestion.parameters if suggestion is not None else {}
