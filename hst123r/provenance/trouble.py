"""What is wrong with a store, as a sentence with something to do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from hst123r.errors import EnvironmentProblem

DAMAGED: Final = (
    "Restore it from a backup, or save what can be read with `sqlite3 hst123r.sqlite .recover`. "
    "Without it all results have to be made again"
)
_PERMISSIONS: Final = "Check the permissions of the work directory; the store itself is well"
EMPTY: Final = "Restore it from a backup; or remove it, and all results are made again"
DAMAGES: Final = (DAMAGED, EMPTY)
"""Hints that go with a store that is not whole; all others are about what is around it."""
HINTS: Final = (
    ("is empty", EMPTY),
    ("full", "Free some space and run again; nothing is lost"),
    ("readonly", _PERMISSIONS),
    ("unable to open", _PERMISSIONS),
    ("locked", "Another program writes to it; try again when that has ended"),
    ("disk i/o", "Check the disk, and the connection to it"),
)
"""What to do, by words of SQLite's messages; anything else is damage."""


def is_damage(text: str) -> bool:
    """Whether a message of SQLite says that the file is not whole, and not just out of reach."""
    return _hint(text) in DAMAGES


def _hint(text: str) -> str:
    return next((hint for words, hint in HINTS if words in text.lower()), DAMAGED)


def problem(path: Path, error: sqlite3.Error) -> EnvironmentProblem:
    """Return the error for the user that fits one of SQLite's.

    Parameters
    ----------
    path : Path
        The store's file.
    error : sqlite3.Error
        What SQLite said.

    Returns
    -------
    EnvironmentProblem
        With what to do; never to move away a store that is well.
    """
    text = str(error)
    return EnvironmentProblem(
        f"the store cannot be used: {text}", where=str(path), hint=_hint(text)
    )
