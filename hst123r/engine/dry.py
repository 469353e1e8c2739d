"""A plan: every decision a run would take, without running anything."""

from __future__ import annotations

from hst123r.engine.hold import holding
from hst123r.engine.offline import forbidden
from hst123r.engine.options import Options
from hst123r.engine.planned import Progress
from hst123r.engine.planner import Planner
from hst123r.engine.workspace import Lock, Workspace
from hst123r.provenance.store import Store
from hst123r.recipe.model import Recipe


def plan(recipe: Recipe, workspace: Workspace, options: Options) -> list[Progress]:
    """Make a plan.

    Signatures of files that had to be read are kept for the next time, if no other run holds
    the directory. A work directory that does not exist is not made.

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
    if not workspace.store.is_file():
        return _plan(recipe, Store.in_memory(workspace.folder), options)
    if _free(workspace):
        with holding(workspace) as store:
            progress = _plan(recipe, store, options)
            store.contents.flush(wait=True)
            return progress
    return _plan(recipe, Store(workspace.folder, read_only=True), options)


def _free(workspace: Workspace) -> bool:
    lock = Lock(workspace)
    free = lock.acquire()
    lock.release()
    return free


def _plan(recipe: Recipe, store: Store, options: Options) -> list[Progress]:
    planner = Planner(recipe, store, options, dry=True)
    with forbidden(when=options.offline):
        while any(True for _ in planner.divide_ready()):
            pass
    return list(planner.progress.values())
