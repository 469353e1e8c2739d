"""Somebody's run made again from their bundle, and compared with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.files.publish import machine_errors, make_folder, write
from hst123r.provenance import queries
from hst123r.provenance.extract import extract
from hst123r.provenance.reading import reading
from hst123r.sharing.compare import Line, compare
from hst123r.sharing.unpack import Opened

FINISHED: Final = {0, 3}
"""Exit codes of runs that came to an end: good, or with results that are bad."""


def lay_out(opened: Opened, folder: Path) -> Path:
    """Write recipe and lock of a bundle into a new folder.

    Parameters
    ----------
    opened : Opened
        The bundle.
    folder : Path
        A folder that is not there, or is empty.

    Returns
    -------
    Path
        The recipe.

    Raises
    ------
    InputError
        If something is there already, or the recipe's name cannot be one.
    """
    import re

    from hst123r.recipe.model import NAME_PATTERN

    name = str(opened.extract["run"]["recipe"])
    if not re.fullmatch(NAME_PATTERN, name):
        raise InputError(f"{name!r} cannot be the name of a recipe", where="the bundle")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            "there is something in this folder already", where=str(folder),
            hint="Name a new one with --into",
        )  # fmt: skip
    recipe = folder / f"{name}.yaml"
    with machine_errors("write the recipe", folder):
        make_folder(folder)
        write(recipe, opened.recipe.encode())
        if opened.lock is not None:
            write(folder / f"{name}.lock.yaml", opened.lock.encode())
    return recipe


def arguments(opened: Opened) -> list[str]:
    """Return the options of the run that decide about its results."""
    options: dict[str, Any] = opened.extract["run"]["options"]
    found: list[str] = []
    for setting in options.get("set") or []:
        found += ["--set", str(setting)]
    for name in ("until", "only"):
        if options.get(name):
            found += [f"--{name}", str(options[name])]
    return found


def run_again(recipe: Path, options: Sequence[str]) -> int:
    """Run a recipe in its folder, with what it says on our own streams.

    Parameters
    ----------
    recipe : Path
        The recipe.
    options : sequence of str
        For ``hst123r run``.

    Returns
    -------
    int
        Its exit code.
    """
    command = [sys.executable, "-m", "hst123r", "run", recipe.name, *options]
    return subprocess.run(command, cwd=recipe.parent, stdout=sys.stderr, check=False).returncode


def compared(opened: Opened, work_folder: Path, sigma: float) -> list[Line]:
    """Compare the last run of a work directory with a bundle.

    Parameters
    ----------
    opened : Opened
        The bundle.
    work_folder : Path
        The work directory.
    sigma : float
        See :func:`hst123r.sharing.compare.compare`.

    Returns
    -------
    list of Line
        All that was compared.
    """
    with reading(work_folder) as store:
        last = queries.runs(store.db)[-1]["run"]
        return compare(opened.extract, extract(store.db, last), sigma)
