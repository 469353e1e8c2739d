"""Cleaning up after a run that was killed: complete what was complete, and say what was not."""

from __future__ import annotations

from pathlib import Path

from hst123r.engine.handover import OUT, Order, Result
from hst123r.engine.ingest import take_in
from hst123r.engine.workspace import Workspace, remove_tree
from hst123r.files.content import digest_file
from hst123r.provenance.store import Store
from hst123r.records.outcome import State


def recover(store: Store, workspace: Workspace) -> list[str]:
    """Take in results that wait in scratch, and mark everything else as interrupted.

    Only the holder of the work directory's lock may call this, so every row that says
    ``running`` is of a run that is gone.

    Parameters
    ----------
    store : Store
        The store.
    workspace : Workspace
        The directory.

    Returns
    -------
    list of str
        What was found, as sentences.
    """
    said = []
    rows = store.db.execute(
        "select id, stage, label from job where state = 'running' order by id"
    ).fetchall()
    for job_id, stage, label in rows:
        folder = workspace.attempt(job_id)
        result = Result.load(folder)
        if result is not None and result.outcome is not None and _is_whole(result, folder):
            taken = take_in(store, Order.load(folder), result, folder, {})
            if not taken.error:
                said.append(f"{stage}:{label} had finished when the last run was killed; taken in")
                continue
        else:
            store.jobs.fail(job_id, State.INTERRUPTED, {}, {})
        said.append(f"{stage}:{label} was interrupted")
    for run_id in store.interrupted_runs():
        store.db.table("run").update(run_id, {"state": "interrupted"})
        said.append(f"run {run_id} was killed before it ended")
    for folder in workspace.scratch.iterdir():
        remove_tree(folder)
    return said


def _is_whole(result: Result, folder: Path) -> bool:
    """Whether every file of a result waits in scratch, or was published before the kill."""
    for name, final in result.moves.items():
        published = Path(final)
        if (folder / OUT / name).is_file():
            continue
        if not published.is_file() or digest_file(published) != result.contents[final].digest:
            return False
    return True
