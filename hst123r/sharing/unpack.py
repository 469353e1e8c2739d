"""A bundle that somebody else made, read with care."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.provenance.extract import FORMAT
from hst123r.sharing.bundle import EXTRACT, LOCK
from hst123r.sharing.crate import RECIPE

MOST_MEMBERS: Final = 200_000
LARGEST_TEXT: Final = 500_000_000
"""Bytes of the extract; that of 5,000 jobs has 60 MB."""
LARGEST_RECIPE: Final = 1_000_000
_DAMAGE: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError,
)  # fmt: skip
"""What a zip that is none, was cut, flipped or made in an unknown way gives."""
_AGAIN: Final = "Ask for another copy, or make it anew with `hst123r bundle`"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a bundle says.

    Parameters
    ----------
    recipe : str
        Text of the recipe.
    lock : str or None
        Text of the lock, if it has one.
    extract : dict
        What the run rests on.
    """

    recipe: str
    lock: str | None
    extract: dict[str, Any]


def read_bundle(path: Path) -> Opened:
    """Read a bundle; nothing is written, and no member is trusted to be what it says.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Opened
        Recipe, lock and extract.

    Raises
    ------
    InputError
        If it is no bundle, damaged, of a newer kind, has members with names that lead elsewhere or
        that are links, or is larger than any honest one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_names(members, path)
            names = {member.filename for member in members}
            for name in (RECIPE, EXTRACT):
                if name not in names:
                    raise InputError(
                        f"it holds no {name}, so it is no bundle of hst123r", where=str(path)
                    )
            recipe = _text(archive, RECIPE, LARGEST_RECIPE, path)
            lock = _text(archive, LOCK, LARGEST_TEXT, path) if LOCK in names else None
            extract = _extract(_text(archive, EXTRACT, LARGEST_TEXT, path), path)
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=str(path)) from error
    except _DAMAGE as error:
        raise InputError(f"the bundle is damaged: {error}", where=str(path), hint=_AGAIN) from error
    except OSError as error:
        raise InputError(f"the bundle cannot be read: {error.strerror}", where=str(path)) from error
    return Opened(recipe, lock, extract)


def _check_names(members: list[zipfile.ZipInfo], path: Path) -> None:
    if len(members) > MOST_MEMBERS:
        raise InputError(f"{len(members)} members are more than any bundle has", where=str(path))
    seen: set[str] = set()
    for member in members:
        name = member.filename
        parts = PurePosixPath(name).parts
        if not name or name.startswith("/") or "\\" in name or ".." in parts or "\0" in name:
            raise InputError(
                f"the member {name!r} leads out of the bundle", where=str(path),
                hint="Do not use it: nobody makes such a bundle by accident",
            )  # fmt: skip
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"the member {name!r} is a link", where=str(path))
        if name in seen:
            raise InputError(f"the member {name!r} is there twice", where=str(path))
        seen.add(name)


def _text(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> str:
    """Read a member up to a size, whatever it says its size is."""
    with archive.open(name) as member:
        data = member.read(most + 1)
    if len(data) > most:
        raise InputError(
            f"{name} in it has more than {most} bytes, which no honest one has", where=str(path)
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{name} in it is no UTF-8 text", where=str(path), hint=_AGAIN) from error


def _extract(text: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{EXTRACT} in it is no JSON", where=str(path), hint=_AGAIN) from error
    kind = found.get("format") if isinstance(found, dict) else None
    if kind != FORMAT:
        raise InputError(
            f"its run is written as {kind!r}, and this version reads {FORMAT!r}",
            where=str(path), hint="Install the version of hst123r that made it",
        )  # fmt: skip
    if not all(isinstance(found.get(name), list) for name in ("jobs", "photometry")):
        raise InputError(f"{EXTRACT} in it lacks jobs or photometry", where=str(path), hint=_AGAIN)
    return dict(found)
