"""Products in the place of new ones that no store knows: of one that was lost, or of somebody."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hst123r import log
from hst123r.engine.aside import Aside
from hst123r.engine.workspace import Workspace
from hst123r.files.content import digest_file
from hst123r.provenance import copies
from hst123r.provenance.store import Store

_log = log.get("engine")


def put_unknown_aside(store: Store, job_id: int, finals: Iterable[str]) -> list[str]:
    """Move files out of the way that a job is about to replace and that nobody can make again.

    A file that a job of this store made, or of whose bytes the store knows another copy, can be
    replaced; any other in ``products/`` goes to ``aside/run-UID/``.

    Parameters
    ----------
    store : Store
        The store, held for writing.
    job_id : int
        The job whose products are to be published.
    finals : iterable of str
        Absolute paths of the products.

    Returns
    -------
    list of str
        What was moved, by its path from the work directory.

    Raises
    ------
    EnvironmentProblem
        If one cannot be moved; nothing is written over then.
    """
    workspace = Workspace(store.folder)
    top = f"{workspace.products}{os.sep}"
    unknown = [
        path
        for path in sorted(finals)
        if path.startswith(top) and os.path.lexists(path) and not _known(store, path)
    ]
    if not unknown:
        return []
    run_id, uid = store.db.execute(
        "select r.id, r.uid from run r join job j on j.run_id = r.id where j.id = ?", [job_id]
    ).fetchone()
    aside = Aside(workspace, f"run-{uid}")
    moved = []
    for path in unknown:
        file = store.contents.relative(path)
        if aside.put(file) is None:
            continue
        moved.append(file)
        text = f"{file} was there, and no job of this store made it: it is {aside.shown(file)} now"
        _log.warning("%s", text)
        store.event(run_id, "warning", "put aside", text, job_id)
    return moved


def _known(store: Store, path: str) -> bool:
    """Whether a job of this store made a file of this name, or there is a copy that it knows."""
    made = store.db.execute(
        "select 1 from product_file where path = ? and owned = 1", [store.contents.relative(path)]
    ).fetchone()
    return made is not None or _has_copy(store, path)


def _has_copy(store: Store, path: str) -> bool:
    with suppress(OSError):
        # what cannot be read has no copy that anybody knows of
        size, digest = Path(path).stat().st_size, digest_file(Path(path))
        for name in copies.with_digest(store.db, digest):
            other = Path(store.contents.absolute(name))
            if str(other) == path:
                continue
            with suppress(OSError):
                if other.stat().st_size == size and digest_file(other) == digest:
                    return True
    return False
