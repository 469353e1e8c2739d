"""Runs of commands that change the store and have no recipe."""

from __future__ import annotations

from typing import Any

from hst123r.engine import environment
from hst123r.provenance.store import Store


def begin(store: Store, what: str, name: str, past: str, number: int | None = None) -> int:
    """Record the start of such a run.

    Parameters
    ----------
    store : Store
        The store, held for writing.
    what : str
        The command, by which such a run is told from one of a recipe.
    name : str
        What stands for the name of a recipe.
    past : str
        What was done, for the text that stands for a recipe.
    number : int, optional
        Number of the run; the next one if not given.

    Returns
    -------
    int
        Number of the run.
    """
    run: dict[str, Any] = {
        "uid": environment.new_uid(),
        **environment.asker(),
        "pid": 0,
        "options": {"what": what},
        "parameters": [],
    }
    if number is not None:
        run["id"] = number
    text = f"# {past}: there is no recipe\n"
    return store.begin_run(
        recipe={"name": name, "path": "", "text": text, "canonical": {}},
        environment=environment.describe(),
        run=run,
    )
