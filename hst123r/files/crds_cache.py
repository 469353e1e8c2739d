"""A cache of CRDS on this machine: where files lie in it, and what CRDS said of them."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import re
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

SHA1: Final = re.compile(r"[0-9a-f]{40}")
PACKED: Final = "crds_encoded"
"""Key of an answer that CRDS has packed, which it does where one is long."""
_KEPT: Final = 4
"""Lists of whole servers that are kept in memory, each of some 10 MB."""


def place_of(cache: Path, instrument: str, name: str) -> Path:
    """Return where a reference file lies in a cache of CRDS.

    Parameters
    ----------
    cache : Path
        The cache, what CRDS_PATH names.
    instrument : str
        Folder of its instrument, in small letters.
    name : str
        Plain name.

    Returns
    -------
    Path
        Its place, whether it is there or not.
    """
    return cache / "references" / "hst" / instrument / name


def answers_of(cache: Path) -> Path:
    """Return the folder with the answers of CRDS that are kept in a cache."""
    return cache / "config" / "hst" / "hst123r"


def said_of(cache: Path, name: str) -> str | None:
    """Return the sha1 that CRDS has of a file, as far as that is known in its cache.

    Parameters
    ----------
    cache : Path
        The cache.
    name : str
        Plain name.

    Returns
    -------
    str or None
        Hexadecimal: from the answer that was kept, else from the list of all files that the client
        of CRDS keeps. None where nobody asked, or what was kept cannot be read.
    """
    path = answers_of(cache) / f"{name}.json"
    try:
        sha1 = str(json.loads(path.read_bytes())["sha1"])
    except (OSError, ValueError, KeyError, TypeError):
        sha1 = ""
    if not SHA1.fullmatch(sha1):
        sha1 = _listed(cache).get(name, "")
    return sha1 if SHA1.fullmatch(sha1) else None


def unpacked(value: Any) -> Any:
    """Return an answer of CRDS as it is meant.

    Parameters
    ----------
    value : object
        As it came.

    Returns
    -------
    object
        The same, or what was packed in it.

    Raises
    ------
    ValueError
        If it cannot be unpacked.
    """
    if not isinstance(value, dict) or PACKED not in value:
        return value
    try:
        return json.loads(gzip.decompress(base64.b64decode(value["crds_payload"], validate=True)))
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
        raise ValueError("what CRDS packed cannot be unpacked") from error


def _listed(cache: Path) -> dict[str, str]:
    """Return the sha1 of every file that the client of CRDS has listed, by name."""
    path = cache / "config" / "hst" / "server_config"
    try:
        seen = path.stat()
    except OSError:
        return {}
    return _list_of(path, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=_KEPT)
def _list_of(path: Path, size: int, mtime_ns: int) -> dict[str, str]:
    del size, mtime_ns
    try:
        # the client writes it as Python does, and reads it so
        config = ast.literal_eval(path.read_text(encoding="utf-8"))
        files = unpacked(config["download_metadata"])
        return {str(name): str(about["sha1sum"]) for name, about in files.items()}
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, AttributeError, MemoryError,
            RecursionError):  # fmt: skip
        return {}
