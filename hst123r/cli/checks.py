"""What ``check`` shows of a good recipe."""

from __future__ import annotations

import json
from typing import Any

from hst123r import instruments
from hst123r.recipe.model import Instance, Recipe
from hst123r.recipe.resolve import Resolved, resolve


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
    return [
        {
            "name": target.name,
            "sexagesimal": target.position.sexagesimal,
            "degrees": target.position.decimal,
        }
        for target in recipe.targets
    ]


def resolved_rows(recipe: Recipe) -> list[dict[str, str]]:
    """Return every parameter with value and origin; those that differ by detector once more.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Returns
    -------
    list of dict
        ``stage``, ``for``, ``parameter``, ``value`` and ``origin``.
    """
    rows = []
    for instance in recipe.instances:
        base = resolve(instance)
        rows += [_row(instance, "", name, base) for name in base.values]
        for what, found in _variants(recipe, instance):
            rows += [
                _row(instance, what, name, found)
                for name in found.values
                if (found.values[name], found.origins[name])
                != (base.values[name], base.origins[name])
            ]
    return rows


def _variants(recipe: Recipe, instance: Instance) -> list[tuple[str, Resolved]]:
    """Resolutions for each detector the recipe selects, and for each ``for:`` block."""
    select = recipe.instance("select")
    wanted = (select.values.get("detectors") if select else None) or instruments.names()
    found = [(name, resolve(instance, name)) for name in wanted]
    for block in instance.blocks:
        if block.filter is not None:
            what = " ".join(part for part in (block.detector, block.filter) if part)
            found.append((what, resolve(instance, block.detector, block.filter)))
    return found


def _row(instance: Instance, what: str, name: str, found: Resolved) -> dict[str, str]:
    value: Any = found.values[name]
    return {
        "stage": instance.name,
        "for": what,
        "parameter": name,
        "value": value if isinstance(value, str) else json.dumps(value),
        "origin": found.origins[name],
    }
