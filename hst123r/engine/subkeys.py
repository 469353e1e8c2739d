"""What changed inside a structured parameter, such as the simulation of an archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from hst123r.files.content import ALGORITHM

MOST: Final = 4
"""A reason names at most so many changes."""
LONGEST: Final = 60
"""Longer values are cut where a reason shows them."""


def changes(name: str, old: str, new: str) -> str:
    """Say how a parameter changed, by its sub-keys where it has some.

    Parameters
    ----------
    name : str
        Name of the parameter.
    old, new : str
        Its values, as the store has them: plain text or JSON.

    Returns
    -------
    str
        ``pixfrac: 0.8 → 0.6`` or ``simulation.seed: 7 → 8; simulation.stars.number: 20 → 30``.
    """
    if old.startswith(f"{ALGORITHM}:"):
        # stores of the first versions have only the digest of a long value
        return f"{name} changed"
    before, after = _structure(old), _structure(new)
    if before is None or after is None:
        return f"{name}: {_shown(old)} → {_shown(new)}"
    was, now = dict(_leaves(name, before)), dict(_leaves(name, after))
    lines = [
        f"{key}: {_shown(was.get(key, 'nothing'))} → {_shown(now.get(key, 'nothing'))}"
        for key in [*was, *(key for key in now if key not in was)]
        if was.get(key) != now.get(key)
    ]
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return "; ".join(lines[:MOST]) + more


def _structure(text: str) -> Any:
    """Return a mapping or list that a text holds, None for anything else."""
    if text[:1] not in {"{", "["}:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(f"{name}[{number}]", item)
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
