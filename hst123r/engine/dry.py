"""A plan: every decision a run would take, without running anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from hst123r.engine.locking import Locking
from hst123r.engine.naming import placed
from hst123r.engine.options import Options
from hst123r.engine.planned import Progress
from hst123r.engine.planner import Planner
from hst123r.engine.questions import of_plan
from hst123r.engine.workspace import Lock, Workspace
from hst123r.errors import Hst123rError
from hst123r.files.content import Content, Signature
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store
from hst123r.recipe.lock import Difference
from hst123r.recipe.model import Recipe


def plan(recipe: Recipe, workspace: Workspace, options: Options) -> list[Progress]:
    """Make a plan.

    The store is only read, so a plan keeps nobody from running. What files that had to be read
    hold is kept for the next time afterwards, if nobody runs then and the directory can be
    written. A work directory that does not exist is not made.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory.
    options : Options
        What the user asked for.

    Returns
    -------
    list of Progress
        All stages, divided as far as that can be known.
    """
    return outlook(recipe, workspace, options).progress


@dataclass(frozen=True, slots=True)
class Outlook:
    """A plan, and how it stands with the lock.

    Parameters
    ----------
    progress : list of Progress
        All stages.
    lock : Path or None
        The lock, None where there is none yet.
    unlike : list of Difference
        What is not as it was locked, as far as that can be known.
    told : list of str
        What an archive is to be said about.
    asks : list of dict
        What a run is going to ask of other archives: ``archive``, ``server`` and ``what``.
    """

    progress: list[Progress]
    lock: Path | None
    unlike: list[Difference]
    told: list[str]
    asks: list[dict[str, str]]


def outlook(recipe: Recipe, workspace: Workspace, options: Options) -> Outlook:
    """Make a plan, and compare it with the lock.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory.
    options : Options
        What the user asked for.

    Returns
    -------
    Outlook
        The plan.
    """
    recipe = placed(recipe, workspace.folder, options)
    if not workspace.store.is_file():
        return _plan(recipe, Store.in_memory(workspace.folder), options)
    with reading(workspace.folder) as store:
        found = _plan(recipe, store, options)
    if store.contents.looked:
        _keep(workspace, store.contents.looked)
    return found


def _keep(workspace: Workspace, looked: Mapping[str, tuple[Signature, Content]]) -> None:
    """Note what was found in files, unless that would be in somebody's way."""
    lock = Lock(workspace)
    with suppress(Hst123rError, sqlite3.DatabaseError):
        if not lock.acquire():
            return
        try:
            with closing(Store(workspace.folder)) as store:
                store.contents.keep(looked)
        finally:
            lock.release()


def _plan(recipe: Recipe, store: Store, options: Options) -> Outlook:
    options.check_jobs(store.jobs.records())
    planner = Planner(recipe, store, options, dry=True)
    told: list[str] = []
    planner.locking, planner.tell = Locking(recipe, store.folder, options), told.append
    planner.divide_all()
    locking = planner.locking
    path = None if locking.lock is None else locking.path
    stages = list(planner.progress.values())
    asks = [] if options.offline else of_plan(stages)
    return Outlook(stages, path, locking.against(planner, store), told, asks)
