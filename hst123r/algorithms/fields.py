"""Fields: targets that share exposures belong together, others never meet in a mosaic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def group_targets(names: Sequence[str], sharing: Iterable[Iterable[str]]) -> dict[str, str]:
    """Group targets into fields.

    Two targets are in one field when an exposure holds both, or when a chain of such pairs
    connects them.

    Parameters
    ----------
    names : sequence of str
        All targets; their order names the fields.
    sharing : iterable of iterable of str
        For every exposure the targets it holds.

    Returns
    -------
    dict of str to str
        For every target the name of its field, which is that of the field's first target.
    """
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    rank = {name: index for index, name in enumerate(names)}
    for held in sharing:
        first, *others = held
        for other in others:
            one, two = sorted((root(first), root(other)), key=rank.__getitem__)
            parent[two] = one
    return {name: root(name) for name in names}
