"""Where values came from, down to the values inside mappings.

Origins are kept by path, ``simulation.observations[0].filter``. A list of plain values is one
value; a mapping, and a list of mappings, are as many as they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from hst123r.recipe.text import Located

SET: Final = "--set"
DEFAULT: Final = "stage default"


def places_of(tree: Located, file: str) -> dict[str, str]:
    """Return the place of every value of a mapping, by path.

    Parameters
    ----------
    tree : Located
        A mapping.
    file : str
        Name of the recipe file.

    Returns
    -------
    dict of str to str
        ``recipe.yaml:12:9`` of each key; of each item where a list holds mappings.
    """
    return {path: f"{file}:{line}:{column}" for path, (line, column) in _places(tree, "")}


def paths_of(value: Any, path: str) -> Iterator[str]:
    """Return the path of a plain value and those of the values inside it."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_of(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict):
                yield from paths_of(inner, f"{path}[{index}]")


def give(origins: dict[str, str], more: dict[str, str]) -> None:
    """Note the origins of values that replace others, and forget those of what was replaced.

    Parameters
    ----------
    origins : dict of str to str
        Origins by path, changed in place.
    more : dict of str to str
        Those of the new values.
    """
    for path in more:
        for old in [old for old in origins if old.startswith((f"{path}.", f"{path}["))]:
            del origins[old]
    origins.update(more)


def _places(tree: Located, path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    if isinstance(tree.value, dict):
        for key, node in tree.value.items():
            inner = f"{path}.{key}" if path else key
            yield inner, tree.keys[key]
            yield from _places(node, inner)
    elif isinstance(tree.value, list):
        for index, node in enumerate(tree.value):
            if isinstance(node.value, dict):
                inner = f"{path}[{index}]"
                yield inner, (node.line, node.column)
                yield from _places(node, inner)
