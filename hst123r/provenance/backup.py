"""Looking a store over, and copying it while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hst123r.errors import EnvironmentProblem, InputError
from hst123r.provenance.migrations import migrations
from hst123r.provenance.store import Store
from hst123r.provenance.trouble import problem

MOST = 20
"""Complaints of SQLite that are kept; a damaged file has thousands."""


def check(store: Store) -> dict[str, Any]:
    """Read the whole store and say what is wrong with it.

    Parameters
    ----------
    store : Store
        Opened to read.

    Returns
    -------
    dict
        ``path``, ``version`` (its last migration), ``bytes``, ``runs``, ``jobs`` and
        ``problems``, a list of sentences that is empty when it is well.
    """
    db = store.db
    said = [row[0] for row in db.execute(f"pragma integrity_check({MOST})")]
    problems = [] if said == ["ok"] else said
    for table, row, parent, _ in db.execute("pragma foreign_key_check").fetchmany(MOST):
        problems.append(f"row {row} of {table} names a row of {parent} that is not there")
    applied = [found.name for found in migrations.applied(db)]
    return {
        "path": str(store.path),
        "version": applied[-1] if applied else "",
        "bytes": store.path.stat().st_size,
        "runs": db.table("run").count,
        "jobs": db.table("job").count,
        "problems": problems,
    }


def copy(store: Store, destination: Path) -> int:
    """Copy a store to a file, also while a run writes to it.

    Parameters
    ----------
    store : Store
        Opened to read.
    destination : Path
        A file that is not there yet.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    InputError
        If the file is there already, or its folder is not.
    EnvironmentProblem
        If it cannot be written, or the copy is not whole.
    """
    if destination.exists():
        raise InputError("this file is there already", where=str(destination))
    if not destination.parent.is_dir():
        raise InputError("there is no such folder", where=str(destination.parent))
    part = destination.with_name(destination.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part)) as target:
            store.db.conn.backup(target)
            # one file, without a log beside it
            target.execute("pragma journal_mode = delete")
            said = target.execute("pragma quick_check(1)").fetchone()[0]
        if said != "ok":
            raise problem(store.path, sqlite3.DatabaseError(said))
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.rename(destination)
    except OSError as error:
        raise EnvironmentProblem(
            f"the copy cannot be written: {error.strerror or error}", where=str(destination)
        ) from error
    except sqlite3.OperationalError as error:
        raise EnvironmentProblem(
            f"the copy cannot be written: {error}", where=str(destination)
        ) from error
    finally:
        if part.is_file():
            part.unlink()
    return destination.stat().st_size
