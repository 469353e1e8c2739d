"""``for:`` blocks: parameters for one detector, one filter, or one filter of one detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hst123r import instruments
from hst123r.errors import closest, did_you_mean
from hst123r.recipe.model import Block
from hst123r.recipe.origins import places_of
from hst123r.recipe.problem import Problem
from hst123r.recipe.text import Located
from hst123r.recipe.validate import check_more
from hst123r.records.params import filter_names
from hst123r.stage.registry import AnyStage


def read_blocks(
    tree: Located,
    path: str,
    file: str,
    stage: AnyStage,
    values: dict[str, Any],
    targets: Sequence[str] | None,
) -> tuple[list[Block], list[Problem]]:
    """Read the ``for:`` blocks of a stage.

    Parameters
    ----------
    tree : Located
        What stands behind ``for``.
    path : str
        Its path.
    file : str
        Name of the recipe file, for origins.
    stage : Stage
        The stage.
    values : dict
        What the recipe gives beside the blocks.
    targets : sequence of str or None
        Names of the recipe's targets.

    Returns
    -------
    list of Block
        In the order of increasing precedence.
    list of Problem
        What is wrong with them.
    """
    wrong = _no_blocks(tree, stage)
    if wrong:
        return [], [Problem(tree.line, tree.column, path, wrong)]
    blocks: dict[tuple[str | None, str | None], Block] = {}
    problems: list[Problem] = []
    for key, body in tree.value.items():
        here = f"{path}.{key}"
        found = _what_for(key)
        wrong = found if isinstance(found, str) else _too_narrow(found, stage)
        if not wrong and found in blocks:
            wrong = "there is another block for the same"
        if wrong or isinstance(found, str):
            line, column = tree.keys[key]
            problems.append(Problem(line, column, here, wrong))
            continue
        if not isinstance(body.value, dict):
            problems.append(Problem(body.line, body.column, here, "parameters are a mapping"))
            continue
        names = stage.params.names()
        problems += _unknown(body, names, here)
        given = {name: node.plain() for name, node in body.value.items() if name in names}
        problems += check_more(stage.params, body, values, given, here, targets, for_some=True)
        blocks[found] = Block(*found, given, places_of(body, file))
    # a block for one detector and one filter wins over a block for either
    ordered = sorted(
        blocks.values(),
        key=lambda block: sum(part is not None for part in (block.detector, block.filter)),
    )
    return ordered, problems


def _no_blocks(tree: Located, stage: AnyStage) -> str:
    """Say why there can be no blocks here; empty when there can."""
    if not stage.varies_by:
        return f"{stage.name} has no jobs of one detector or filter, so nothing can differ by them"
    if not isinstance(tree.value, dict) or not tree.value:
        example = f"{{{instruments.EXAMPLE[0]}: {{scale: …}}}}"
        return f"`for` maps a detector, a filter or both to parameters: {example}"
    return ""


def _unknown(body: Located, names: Sequence[str], path: str) -> list[Problem]:
    return [
        Problem(
            *body.keys[name], f"{path}.{name}", f"unknown parameter, {did_you_mean(name, names)}"
        )
        for name in body.value
        if name not in names
    ]


def _what_for(key: str) -> tuple[str | None, str | None] | str:
    """Return detector and filter of a block's key, or a sentence about what is wrong with it."""
    words = key.split()
    detectors = [word for word in words if word in instruments.names()]
    filters = [word for word in words if word in filter_names()]
    if len(words) not in (1, 2) or len(detectors) > 1 or len(filters) > 1:
        return f"names a detector, a filter, or one of each: {' '.join(instruments.EXAMPLE)}"
    if len(detectors) + len(filters) < len(words):
        known = [*instruments.names(), *filter_names()]
        meant = [closest(word, known) for word in words]
        what = f"{key!r} is neither a detector nor a filter"
        if all(meant):
            return f"{what}, did you mean {' '.join(word for word in meant if word)!r}?"
        detectors_are = ", ".join(instruments.names())
        return f"{what}; detectors are {detectors_are}, a filter is {instruments.EXAMPLE[1]}"
    if detectors and filters and filters[0] not in instruments.get(detectors[0]).filters:
        return f"{detectors[0]} has no filter {filters[0]}"
    return (detectors[0] if detectors else None), (filters[0] if filters else None)


def _too_narrow(found: tuple[str | None, str | None], stage: AnyStage) -> str:
    """Say why the jobs of a stage cannot tell what a block is for; empty when they can."""
    for label, value in zip(("detector", "filter"), found, strict=True):
        if value is not None and label not in stage.varies_by:
            able = " and ".join(stage.varies_by)
            return f"a job of {stage.name} is not about one {label}; it can differ by {able} only"
    return ""
