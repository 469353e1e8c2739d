"""Holding a work directory: one runner at a time, and a store that is taken care of."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hst123r import errors
from hst123r.engine import environment
from hst123r.engine.job_records import keeping
from hst123r.engine.workspace import Lock, Workspace
from hst123r.provenance.reading import store_errors
from hst123r.provenance.store import Store

PATIENCE_SECONDS: Final = 1.0
"""A plan or `forget` holds the lock for some hundredths of a second at its end."""


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
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not lock.acquire():
        if time.monotonic() > deadline:
            raise busy(workspace)
        time.sleep(PATIENCE_SECONDS / 20)
    try:
        # whoever held it until now may have removed the empty scratch
        workspace.create()
        with store_errors(workspace.folder):
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
                with keeping(store, workspace):
                    yield store
            finally:
                store.close()
    finally:
        # while it is held, nobody else is about to use it
        workspace.leave()
        lock.release()


def busy(workspace: Workspace) -> errors.Busy:
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
