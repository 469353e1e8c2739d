"""Asking a store, and saying in a sentence when it is damaged.

SQLite notices damage only where it reads, so every question may meet it. A value that makes no
sense may be damage too: then the whole file is checked before it is called a bug.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hst123r.errors import EnvironmentProblem
from hst123r.provenance.store import NAME, Store
from hst123r.provenance.trouble import problem


@contextmanager
def reading(folder: Path) -> Iterator[Store]:
    """Open a store for questions.

    Parameters
    ----------
    folder : Path
        The work directory.

    Yields
    ------
    Store
        Closed afterwards.

    Raises
    ------
    InputError
        If there is none, or it is not one of ours.
    EnvironmentProblem
        If it is damaged or cannot be read.
    """
    with store_errors(folder), closing(Store(folder, read_only=True)) as store:
        yield store


@contextmanager
def store_errors(folder: Path) -> Iterator[None]:
    """Turn what SQLite and damage give into a sentence.

    Parameters
    ----------
    folder : Path
        The work directory.

    Raises
    ------
    EnvironmentProblem
        If the store cannot be used, with what to do.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise problem(folder / NAME, error) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        found = damage(folder)
        if found:
            raise problem(folder / NAME, sqlite3.DatabaseError(found)) from error
        raise


def damage(folder: Path) -> str:
    """Check the whole store of a folder.

    Parameters
    ----------
    folder : Path
        The work directory.

    Returns
    -------
    str
        What is wrong with it, empty when nothing is.
    """
    try:
        with closing(Store(folder, read_only=True)) as store:
            found = str(store.db.execute("pragma quick_check(1)").fetchone()[0])
    except (EnvironmentProblem, sqlite3.DatabaseError) as error:
        return str(error)
    return "" if found == "ok" else found.splitlines()[-1]
