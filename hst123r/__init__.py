"""Hubble imaging from a recipe: alignment, drizzling and photometry with provenance.

Importing this package costs nothing: everything heavy is imported where it is used.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"


def open(folder: str | Path | None = None) -> Any:  # noqa: A001  (as astropy has it)
    """Open a work directory, for scripts and notebooks.

    Parameters
    ----------
    folder : str or Path, optional
        The work directory; by default the current one, or the only one just below it.

    Returns
    -------
    hst123r.engine.opened.WorkDirectory
        `runs`, `jobs`, `products`, `measurements` and `photometry` as Astropy tables, `history`,
        `lineage` and `sql`.

    Raises
    ------
    InputError
        If there is none.
    """
    # by its name, because every room imports this module and none may see the engine through it
    return import_module("hst123r.engine.opened").open_folder(folder)
