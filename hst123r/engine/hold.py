"""Holding a work directory: one runner at a time, and a store that is taken care of."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from hst123r import errors
from hst123r.engine import environment
from hst123r.engine.workspace import Lock, Workspace
from hst123r.provenance.store import Store


@contextmanager
def holding(workspace: Workspace) -> Iterator[Store]:
    """Hold a work directory: its lock, and its store for writing.

    Parameters
    ----------
    workspace : Workspace
        The directory.

    Yields
    ------
    Store
        The store, recovered from whatever a killed run left behind.

    Raises
    ------
    Busy
        If another process holds it, with who, where, since when and which command.
    """
    workspace.create()
    lock = Lock(workspace)
    if not lock.acquire():
        raise _busy(workspace)
    try:
        with _store_errors(workspace):
            store = Store(workspace.folder)
            try:
                store.take_lease(
                    {
                        "host": environment.host(),
                        "pid": os.getpid(),
                        "user": environment.user(),
                        "command": " ".join(environment.command()),
                    }
                )
                yield store
            finally:
                store.close()
    finally:
        lock.release()


@contextmanager
def _store_errors(workspace: Workspace) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        hint = "Free some space and run again; nothing is lost" if "full" in str(error) else ""
        raise errors.EnvironmentProblem(
            f"the store cannot be written: {error}", where=str(workspace.store), hint=hint
        ) from error


def _busy(workspace: Workspace) -> errors.Busy:
    """Say who holds the directory, as far as the lease tells."""
    message, hint = "another run holds this directory", "Wait for it, or stop it"
    try:
        store = Store(workspace.folder, read_only=True)
    except errors.Hst123rError:
        return errors.Busy(message, where=str(workspace.folder), hint=hint)
    holder = store.lease()
    store.close()
    if holder is not None:
        message += (
            f": `{holder['command']}` by {holder['user']} on {holder['host']}, "
            f"process {holder['pid']}, since {holder['started']}"
        )
    return errors.Busy(message, where=str(workspace.folder), hint=hint)
