"""Files that ship with the package: recipes and schemas, and a cache of parsed YAML.

In a source tree and an editable install the folders ``recipes/`` and ``schemas/`` stand beside
the package; in a wheel they are inside it. Callers need not know.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

from hst123r import __version__
from hst123r.errors import EnvironmentProblem

PACKAGE: Final = Path(__file__).resolve().parent.parent
CACHE_VARIABLE: Final = "HST123R_CACHE"


@cache
def folder(name: str) -> Path:
    """Return the folder ``recipes`` or ``schemas``, wherever the package is installed.

    Parameters
    ----------
    name : str
        ``recipes`` or ``schemas``.

    Returns
    -------
    Path
        An existing folder.

    Raises
    ------
    EnvironmentProblem
        If the installation is incomplete.
    """
    for place in (PACKAGE / "_shipped" / name, PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise EnvironmentProblem(
        f"the folder {name} of hst123r is missing", hint="Install the package again"
    )


def shipped_recipes() -> dict[str, Path]:
    """Return the recipes that ship with the package, by name."""
    # in a checkout the lock of a run may lie beside one
    paths = sorted(folder("recipes").glob("*.yaml"))
    return {path.stem: path for path in paths if not path.name.endswith(".lock.yaml")}


def cache_folder() -> Path:
    """Return the user's cache folder of hst123r; ``HST123R_CACHE`` overrides it."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("hst123r"))


def load_yaml(path: Path) -> Any:
    """Read one of our own YAML files, through a cache of its parsed form.

    Parsing YAML takes a millisecond a line; the detector files have hundreds. The cache is
    keyed by the file's bytes and this version, so it cannot be stale, and an unusable cache
    only costs time.

    Parameters
    ----------
    path : Path
        YAML file of this package.

    Returns
    -------
    object
        Plain dicts, lists, text and numbers.
    """
    from blake3 import blake3

    content = path.read_bytes()
    key = blake3(__version__.encode() + b"\0" + content).hexdigest(length=16)
    cached = cache_folder() / "yaml" / f"{path.stem}-{key}.json"
    try:
        return json.loads(cached.read_bytes())
    except (OSError, ValueError):
        pass
    from ruamel.yaml import YAML

    data = YAML(typ="safe", pure=True).load(content)
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        part = cached.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps(data), encoding="utf-8")
        part.replace(cached)
    except OSError:
        # a read-only or full home directory must not stop a reduction
        return data
    return data
