"""A run of a work directory, taken out of its store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hst123r.engine.workspace import locate
from hst123r.provenance import queries
from hst123r.provenance.extract import extract, lock_text, recipe_text
from hst123r.provenance.reading import reading
from hst123r.provenance.tags import number_of


@dataclass(frozen=True, slots=True)
class Run:
    """A run.

    Parameters
    ----------
    number : int
        Its row.
    folder : Path
        The work directory.
    extract : dict
        What it rests on.
    recipe : str
        Text of its recipe.
    recipe_path : str
        Where that was.
    lock : str or None
        Text of the lock that it obeyed or left, None where the store has none.
    """

    number: int
    folder: Path
    extract: dict[str, Any]
    recipe: str
    recipe_path: str
    lock: str | None


def of_run(work_dir: Path | None, text: str) -> Run:
    """Read a run.

    Parameters
    ----------
    work_dir : Path or None
        The work directory; looked for by default.
    text : str
        Number or tag of the run, empty for the last one.

    Returns
    -------
    Run
        All of it.

    Raises
    ------
    InputError
        If there is no such work directory or run.
    """
    folder = locate(work_dir, Path.cwd())
    with reading(folder) as store:
        number = number_of(store.db, text, str(folder))
        (row,) = queries.runs(store.db, run_id=number)
        return Run(
            number,
            folder,
            extract(store.db, number),
            recipe_text(store.db, number),
            row["recipe_path"],
            lock_text(store.db, number),
        )
