"""Cleaning up after a run that was killed: complete what was complete, and say what was not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hst123r.engine.handover import OUT, Order, Result
from hst123r.engine.ingest import take_in
from hst123r.engine.workspace import Workspace, remove_tree
from hst123r.errors import EnvironmentProblem, Hst123rError, StageError
from hst123r.files.content import digest_file
from hst123r.provenance.store import Store
from hst123r.records.outcome import State
from hst123r.stage import registry


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

    Raises
    ------
    EnvironmentProblem
        If the machine refuses to publish a result; it stays in scratch for the next time.
    """
    rows = store.db.execute(
        "select id, stage, label from job where state = 'running' order by id"
    ).fetchall()
    said = [
        f"{stage}:{label} {_recover(store, workspace, job_id)}" for job_id, stage, label in rows
    ]
    for run_id in store.interrupted_runs():
        store.db.table("run").update(run_id, {"state": "interrupted"})
        said.append(f"run {run_id} was killed before it ended")
    said += [text for folder in workspace.scratch.iterdir() if (text := clear(workspace, folder))]
    return said


def clear(workspace: Workspace, folder: Path) -> str:
    """Remove the scratch directory of an attempt that was ended, but for what can be gone on with.

    Parameters
    ----------
    workspace : Workspace
        The directory.
    folder : Path
        What lies in its scratch.

    Returns
    -------
    str
        Why something of it is still there, empty when it is gone.
    """
    with suppress(Hst123rError, OSError, ValueError, KeyError, TypeError):
        # it may be anything, also of another version; then nothing is kept
        order = Order.load(folder)
        home = Path(order.home)
        if home.is_relative_to(workspace.folder):
            registry.get(order.handler).rescue(order.job, folder / OUT, home)
    return remove_tree(folder)


def _recover(store: Store, workspace: Workspace, job_id: int) -> str:
    """Take in the result of one attempt, or mark it as interrupted; return what was done."""
    folder = workspace.attempt(job_id)
    why = ""
    try:
        result = Result.load(folder)
        if result is not None:
            order = Order.load(folder)
            _check(workspace, order, result, folder)
            taken = take_in(store, order, result, folder, result.usage, again=True)
            if taken.error:
                return f"had failed when the last run was killed: {taken.error}"
            return "had finished when the last run was killed; taken in"
    except EnvironmentProblem:
        raise
    except (Hst123rError, OSError, ValueError, KeyError, TypeError) as error:
        # something is lost, or another version wrote it: the job simply runs again
        why = f"its result cannot be used: {error}"
    store.jobs.fail(job_id, State.INTERRUPTED, {"error": why} if why else {}, {})
    return f"was interrupted; {why}" if why else "was interrupted"


def _check(workspace: Workspace, order: Order, result: Result, folder: Path) -> None:
    """Compare every file of a result with what its worker wrote.

    After a crash of the machine a file may be older than the result that names it, and after a
    crash of the driver it may be published already.
    """
    if not Path(order.home).is_relative_to(workspace.folder):
        raise StageError("the work directory was moved meanwhile")
    for name, final in result.moves.items():
        source, destination = folder / OUT / name, Path(final)
        path = source if source.exists() else destination
        if not path.is_file() or digest_file(path) != result.contents[final].digest:
            raise StageError(f"{name} is not what the job wrote")
