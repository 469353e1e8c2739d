"""Hubble imaging from a recipe: alignment, drizzling and photometry with provenance.

Importing this package costs nothing: everything heavy is imported where it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from astropy.table import Table

__version__ = "0.1.0"


def open_catalog(path: str | Path, names: Sequence[str] | None = None) -> dict[str, Table]:
    """Read the HDF5 file of the stage `export`.

    Parameters
    ----------
    path : str or Path
        The file, ``RECIPE.h5``.
    names : sequence of str, optional
        Paths of the tables wanted, such as ``light_curves/SN``; all of them by default.

    Returns
    -------
    dict of str to astropy.table.Table
        Tables with units, descriptions and meta by their path in the file: ``exposures``,
        ``photometry/<group>/catalog``, ``light_curves/<target>`` and so on.

    Raises
    ------
    hst123r.errors.InputError
        If the file is not there, is no such file, is of another layout, or lacks a table.
    """
    from hst123r.products.catalog_file import open_file

    return open_file(path, names)


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
