"""A recipe while it is made from a call of hst123, and its text."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_WIDTH: Final = 96
_PLAIN: Final = re.compile(r"[A-Za-z_][\w+./ -]*")
_WORDS: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(eq=False)
class Entry:
    """A stage.

    Parameters
    ----------
    stage : str
        Its name.
    values : dict
        Its parameters.
    comments : list of str
        What is to be said of it.
    """

    stage: str
    values: dict[str, Any] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Draft:
    """A recipe in the making.

    Parameters
    ----------
    targets : list of (str, str)
        Name and position.
    """

    targets: list[tuple[str, str]]
    select: Entry = field(default_factory=lambda: Entry("select"))
    stages: list[Entry] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    """Options for ``hst123r run``: what is about a run and not about results."""
    dropped: dict[str, str] = field(default_factory=dict)
    """Options that have no sense here, and why."""
    notes: list[str] = field(default_factory=list)
    """What else is to be said at the top."""

    def add(self, stage: str, **values: Any) -> Entry:
        """Add a stage; parameters that are None are left out."""
        entry = Entry(stage, {name: value for name, value in values.items() if value is not None})
        self.stages.append(entry)
        return entry

    def same_but_targets(self, other: Draft) -> bool:
        """Whether two recipes ask for the same of different targets."""
        return bool(self._asked() == other._asked())

    def _asked(self) -> Any:
        entries = [self.select, *self.stages]
        asked = [(e.stage, {**e.values, "object": None}, e.comments) for e in entries]
        return asked, self.command, self.dropped, self.notes


def text(draft: Draft, name: str, origin: str) -> str:
    """Write a recipe.

    Parameters
    ----------
    draft : Draft
        The recipe.
    name : str
        Its name.
    origin : str
        What it was made from.

    Returns
    -------
    str
        YAML, with comments.
    """
    return "\n".join(_lines(draft, name, origin)) + "\n"


def _lines(draft: Draft, name: str, origin: str) -> Iterator[str]:
    run = " ".join(["hst123r run", f"{name}.yaml", *draft.command])
    yield from _comment(f"Made from {origin}. Run it with `{run}`.")
    yield from _comment(*draft.notes)
    for option, why in draft.dropped.items():
        yield from _comment(f"--{option} has no place here: {why}")
    yield "hst123r: 1"
    yield f"name: {_flow(name)}"
    yield "targets:"
    for target, position in draft.targets:
        yield f"  - {{name: {_flow(target)}, position: {json.dumps(position)}}}"
    if draft.select.values or draft.select.comments:
        yield from _comment(*draft.select.comments)
        yield f"select: {_flow(draft.select.values)}"
    yield "stages:"
    for entry in draft.stages:
        yield from (f"  {line}" for line in _comment(*entry.comments))
        yield f"  - {entry.stage}: {_flow(entry.values)}"


def _comment(*texts: str) -> Iterator[str]:
    for said in texts:
        yield from textwrap.wrap(
            said, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    word = str(value)
    plain = _PLAIN.fullmatch(word) and word.lower() not in _WORDS and word == word.strip()
    # an amount with its unit begins with a number and stays text
    amount = re.fullmatch(r"[+-]?[\d.]+ [A-Za-z/]+", word)
    return word if plain or amount else json.dumps(word)
