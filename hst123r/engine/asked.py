"""What a recipe asks for beside the parameters of its stages, as rows that can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from hst123r.recipe.load import describe
from hst123r.recipe.model import SELECT, Recipe
from hst123r.recipe.resolve import resolve

TEXTS: Final = ("name", "title", "description", "authors", "paper")
"""What the head of a recipe says about it, which no result depends on."""
UNWRITTEN: Final[tuple[Any, ...]] = (None, False, [], {}, "")
"""Values that are the same as no value; a later version may know more keys."""


def of_recipe(recipe: Recipe) -> list[dict[str, Any]]:
    """Return all that a recipe asks for: its head, its targets, and stage by stage.

    Parameters
    ----------
    recipe : Recipe
        A recipe.

    Returns
    -------
    list of dict
        ``stage`` (empty for the head), ``name``, ``value`` and ``origin``.
    """
    described = describe(recipe)
    head = described["head"]
    rows = [_row("", name, head[name]) for name in TEXTS if head.get(name) not in UNWRITTEN]
    rows += of_canonical(described)
    instances = list(recipe.instances)
    # a selection that no stage needs is asked for all the same
    if recipe.select is not None and not any(item.stage == SELECT for item in instances):
        instances.append(recipe.select)
        rows += _blocks(
            SELECT, [[b.detector, b.filter, b.values] for b in recipe.select.blocks], {}
        )
    for instance in instances:
        found = resolve(instance)
        rows += [
            _row(instance.name, name, value, found.origins[name])
            for name, value in found.values.items()
        ]
    return rows


def of_canonical(canonical: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what decides results in a recipe and is no parameter of a whole stage.

    Parameters
    ----------
    canonical : mapping
        What :func:`hst123r.recipe.load.describe` gives, as the store has it for each run.

    Returns
    -------
    list of dict
        Rows for targets, places that were looked up, ``for:`` blocks, what is done with bad
        results, and whose products a stage takes.
    """
    rows = []
    for target in canonical.get("head", {}).get("targets", []):
        given = {key: value for key, value in target.items() if value not in UNWRITTEN}
        rows.append(_row("", f"target {given.pop('name', '')}", given))
    for name, place in canonical.get("places", {}).items():
        rows.append(_row("", f"place of {name}", place))
    for stage in canonical.get("stages", []):
        name = stage["name"]
        rows += [
            _row(name, "stage", stage["stage"]),
            _row(name, "on_bad", stage.get("on_bad")),
            _row(name, "uses", stage.get("sources", {})),
            *_blocks(name, stage.get("blocks", []), stage.get("overrides", {})),
        ]
    return rows


def _blocks(
    stage: str, blocks: list[list[Any]], overrides: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    found = {}
    for detector, through, values in blocks:
        about = " ".join(part for part in (detector, through) if part)
        # what --set gave wins over every block
        found.update({(about, k): v for k, v in values.items() if k not in overrides})
    for (about, name), value in found.items():
        yield _row(stage, f"{name} for {about}", value, f"for: {about}")


def _row(stage: str, name: str, value: Any, origin: str | None = None) -> dict[str, Any]:
    return {"stage": stage, "name": name, "value": value, "origin": origin}
