"""Somebody's run made again from their bundle, and compared with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.files.publish import machine_errors, make_folder, write
from hst123r.provenance.extract import extract
from hst123r.provenance.reading import reading
from hst123r.provenance.tags import number_of
from hst123r.sharing.compare import Line, compare
from hst123r.sharing.unpack import Opened

SAME_ARCSEC: Final = 0.05
"""Stars of two catalogues are the same within a pixel of the finest detectors' stacks."""
_STDERR: Final = 2
"""Descriptor of standard error: what the run says is no result of ours."""
FINISHED: Final = {0, 3}
"""Exit codes of runs that came to an end: good, or with results that are bad."""


def lay_out(opened: Opened, folder: Path) -> Path:
    """Write recipe and lock of a bundle into a new folder.

    Parameters
    ----------
    opened : Opened
        The bundle.
    folder : Path
        A folder that is not there, or has nothing in it but folders that the recipe names.

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
    # the recipe may take exposures from a folder beside it, which then has to be there before
    if folder.exists() and (
        not folder.is_dir()
        or any(
            item.name == name or item.name not in opened.recipe or not item.is_dir()
            for item in folder.iterdir()
        )
    ):
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
    return subprocess.run(command, cwd=recipe.parent, stdout=_STDERR, check=False).returncode


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
        All that was compared; catalogues that are not equal star by star.
    """
    with reading(work_folder) as store:
        now = extract(store.db, number_of(store.db, "", str(work_folder)))
    return [
        *compare(opened.extract, now, sigma),
        *_star_by_star(opened, now, work_folder, sigma),
    ]


def _star_by_star(
    opened: Opened, now: dict[str, Any], work_folder: Path, sigma: float
) -> Iterator[Line]:
    from hst123r.engine.star_by_star import compare as compare_catalogues

    there = _catalogues(now)
    for name, (path, digest) in _catalogues(opened.extract).items():
        if name not in there or there[name][1] == digest:
            continue
        data = opened.result(path)
        if data is None:
            yield Line(f"stars of {name}", None, "the bundle does not hold its catalogue")
            continue
        with TemporaryDirectory() as folder:
            old = Path(folder) / Path(path).name
            old.write_bytes(data)
            found = compare_catalogues(old, work_folder / there[name][0], SAME_ARCSEC, 0)
        largest = found["largest_sigma"]
        passed = not (found["only_a"] or found["only_b"]) and (largest or 0.0) <= sigma
        offset = found["median_offset_mag"]
        text = f"{found['matched']} stars in both, {found['only_a'] + found['only_b']} in one only"
        if largest is not None:
            text += f"; largest difference {largest:.2g} sigma"
        if offset is not None:
            text += f", median {offset:+.4f} mag"
        yield Line(f"stars of {name}", passed, text)


def _catalogues(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return path and digest of the catalogues of photometry, by stage and product."""
    return {
        f"{job['stage']}:{product['name']}": (file["path"], file["digest"])
        for job in found["jobs"]
        for product in job["products"]
        for file in product["files"]
        if product["kind"] == "photometry" and file["role"] == "catalog" and file["owned"]
    }
