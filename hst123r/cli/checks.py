"""What ``check`` shows of a good recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hst123r import instruments
from hst123r.recipe.model import Instance, Recipe
from hst123r.recipe.resolve import Resolved, resolve
from hst123r.records.amount import Amount
from hst123r.records.params import Params
from hst123r.stage import registry


def target_rows(recipe: Recipe) -> list[dict[str, str]]:
    """Return the targets with their positions in both forms.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Returns
    -------
    list of dict
        ``name``, ``sexagesimal`` and ``degrees``.
    """
    rows = []
    for entry in recipe.head.targets:
        if entry.position is None:
            unknown = f"looked up by {entry.asked!r}"
            rows.append({"name": entry.label, "sexagesimal": unknown, "degrees": ""})
            continue
        place = entry.target({}).position
        rows.append(
            {"name": entry.label, "sexagesimal": place.sexagesimal, "degrees": place.decimal}
        )
    return rows


def resolved_rows(recipe: Recipe) -> list[dict[str, str]]:
    """Return every parameter with value and origin; those that differ by detector once more.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Returns
    -------
    list of dict
        ``stage``, ``for``, ``parameter`` (its path, where it is inside another), ``value``,
        ``unit`` (empty for none) and ``origin``.
    """
    rows = []
    for instance in recipe.instances:
        base = _cells(resolve(instance))
        rows += [_row(instance, "", name, cell) for name, cell in base.items()]
        for what, found in _variants(recipe, instance):
            rows += [
                _row(instance, what, name, cell)
                for name, cell in _cells(found).items()
                if base.get(name) != cell
            ]
    return rows


def _variants(recipe: Recipe, instance: Instance) -> list[tuple[str, Resolved]]:
    """Resolutions for each detector the recipe selects, and for each ``for:`` block."""
    able = registry.get(instance.stage).varies_by
    select = recipe.instance("select")
    wanted = (resolve(select).values["detectors"] if select else None) or instruments.names()
    found = [(name, resolve(instance, name)) for name in wanted if "detector" in able]
    for block in instance.blocks:
        if block.filter is not None or block.detector not in wanted:
            what = " ".join(part for part in (block.detector, block.filter) if part)
            found.append((what, resolve(instance, block.detector, block.filter)))
    return found


def _cells(found: Resolved) -> dict[str, tuple[str, str, str]]:
    """Value, unit and origin by path, the parameters inside others one by one."""
    return {
        path: (*_written(value), found.origin(path)) for path, value in _leaves(found.params, "")
    }


def _leaves(params: Params, path: str) -> Iterator[tuple[str, Any]]:
    for name, field in type(params).model_fields.items():
        inner = f"{path}.{field.alias or name}".lstrip(".")
        value = getattr(params, name)
        if isinstance(value, Params):
            yield from _leaves(value, inner)
        elif isinstance(value, list) and value and all(isinstance(v, Params) for v in value):
            for index, item in enumerate(value):
                yield from _leaves(item, f"{inner}[{index}]")
        else:
            yield inner, value


def _written(value: Any) -> tuple[str, str]:
    """A value as a recipe has it, and its unit apart."""
    if isinstance(value, Amount):
        return f"{value.value:.15g}", value.unit
    if isinstance(value, list) and value and all(isinstance(item, Amount) for item in value):
        unit = value[0].unit
        return json.dumps([item.to(unit) for item in value]), unit
    return (value if isinstance(value, str) else json.dumps(value)), ""


def _row(instance: Instance, what: str, path: str, cell: tuple[str, str, str]) -> dict[str, str]:
    value, unit, origin = cell
    return {
        "stage": instance.name,
        "for": what,
        "parameter": path,
        "value": value,
        "unit": unit,
        "origin": origin,
    }
