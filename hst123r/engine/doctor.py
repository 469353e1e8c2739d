"""What is here and what is missing: packages, folders, space, the machine."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

from hst123r import resources
from hst123r.engine import doctor_dolphot, environment
from hst123r.errors import Hst123rError
from hst123r.external import jhat
from hst123r.provenance.store import NETWORK, file_system
from hst123r.recipe.model import Recipe

MIN_FREE_MB = 2000.0
"""Less free space than this is worth a warning: a single full-frame stack takes 400 MB."""


def examine(folder: Path, recipe: Recipe | None = None) -> list[dict[str, str]]:
    """Examine the installation, the machine and a folder.

    Parameters
    ----------
    folder : Path
        Where somebody wants to work; it need not exist.
    recipe : Recipe, optional
        A recipe; what it needs of other programs has to be there.

    Returns
    -------
    list of dict
        ``state`` (``ok``, ``caveat`` or ``missing``), ``what`` and ``found``.
    """
    rows = [_row("ok", "Python", platform.python_version())]
    rows += _packages()
    rows += _shipped()
    rows.append(_row("ok", "cores", str(environment.cores())))
    rows.append(_row("ok", "memory free", f"{environment.memory_mb():.0f} MB"))
    rows += _folder(folder)
    rows.append(_cache())
    for name in ("CRDS_PATH", "CRDS_CONTEXT", "jref", "iref", "uref"):
        rows.append(_row("ok", name, os.environ.get(name, "not set")))
    rows.append(_jhat())
    rows += [_row(*row) for row in doctor_dolphot.rows(recipe)]
    return rows


def _row(state: str, what: str, found: str) -> dict[str, str]:
    return {"state": state, "what": what, "found": found}


def _packages() -> list[dict[str, str]]:
    """Every package we require, as the installed distribution declares them."""
    try:
        required = metadata.requires("hst123r") or []
    except metadata.PackageNotFoundError:
        return [_row("missing", "hst123r", "not installed; run pip install in its folder")]
    rows = [_row("ok", "hst123r", environment.version("hst123r"))]
    for requirement in required:
        if "extra ==" in requirement:
            continue
        name = requirement.split(">")[0].split("=")[0].split("<")[0].strip()
        found = environment.version(name)
        state = "missing" if found == "missing" else "ok"
        rows.append(_row(state, name, found if state == "ok" else f"pip install '{requirement}'"))
    return rows


def _shipped() -> list[dict[str, str]]:
    try:
        names = ", ".join(resources.shipped_recipes())
        schemas = ", ".join(path.name for path in sorted(resources.folder("schemas").iterdir()))
    except Hst123rError as error:
        return [_row("missing", "recipes and schemas", str(error))]
    return [_row("ok", "recipes", names), _row("ok", "schemas", schemas)]


def _folder(folder: Path) -> list[dict[str, str]]:
    place = folder.expanduser().absolute()
    while not place.is_dir():
        place = place.parent
    kind = file_system(place)
    rows = []
    if kind in NETWORK:
        text = f"{kind}, a network file system: the store works, with a slower journal"
        rows.append(_row("caveat", "file system", text))
    elif kind:
        rows.append(_row("ok", "file system", kind))
    free = shutil.disk_usage(place).free / 1e6
    rows.append(_row("ok" if free > MIN_FREE_MB else "caveat", "disk free", f"{free:.0f} MB"))
    if not os.access(place, os.W_OK):
        rows.append(_row("missing", "permission", f"{place} cannot be written"))
    return rows


def _jhat() -> dict[str, str]:
    try:
        python = jhat.find()
        if python is None:
            text = f"not installed, and only needed for `method: jhat` ({jhat.VARIABLE})"
            return _row("ok", "JHAT", text)
        return _row("ok", "JHAT", f"{jhat.version()}, beside {python}")
    except Hst123rError as error:
        return _row("missing", "JHAT", str(error))


def _cache() -> dict[str, str]:
    folder = resources.cache_folder()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return _row("ok", "cache", f"{folder} ({size:.1f} MB; {resources.CACHE_VARIABLE} moves it)")
