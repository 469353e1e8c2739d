"""Whose work directory a file lies in, told by the store there and not by names of folders."""

from __future__ import annotations

from pathlib import Path

from hst123r.errors import EnvironmentProblem, InputError
from hst123r.provenance import adopted, known
from hst123r.provenance.reading import reading
from hst123r.provenance.store import NAME


def recipes_around(path: Path) -> list[str]:
    """Return the recipes that were run in the work directory that made a file.

    Parameters
    ----------
    path : Path
        A file that exists; links are followed.

    Returns
    -------
    list of str
        Names of recipes, empty where no job of a work directory around it made the file.

    Raises
    ------
    InputError
        If a store is there that cannot be asked.
    """
    found: list[str] = []
    for folder in path.resolve().parents:
        if not (folder / NAME).is_file():
            continue
        try:
            with reading(folder) as store:
                inside = path.resolve().relative_to(folder).as_posix()
                ours = known.made(store.db, inside) and inside not in adopted.caveats(store.db)
                found += known.recipes(store.db) if ours else []
        except (EnvironmentProblem, InputError) as error:
            raise InputError(
                f"whose product {path.name} is cannot be told: {error.message}",
                where=str(folder),
                hint="Copy it to a place of its own",
            ) from error
    return found
