"""A run of a work directory, taken out of its store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hst123r.engine.workspace import locate
from hst123r.errors import InputError
from hst123r.provenance import queries
from hst123r.provenance.extract import extract, recipe_text
from hst123r.provenance.reading import reading


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
    """

    number: int
    folder: Path
    extract: dict[str, Any]
    recipe: str
    recipe_path: str


def of_run(work_dir: Path | None, number: int | None) -> Run:
    """Read a run.

    Parameters
    ----------
    work_dir : Path or None
        The work directory; looked for by default.
    number : int or None
        Which run, by default the last one.

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
        rows = queries.runs(store.db, run_id=number)
        if not rows:
            which = "no run" if number is None else f"no run {number}"
            raise InputError(
                f"there is {which}", where=str(folder), hint="`hst123r history` lists them"
            )
        row = rows[-1]
        return Run(
            row["run"],
            folder,
            extract(store.db, row["run"]),
            recipe_text(store.db, row["run"]),
            row["recipe_path"],
        )
