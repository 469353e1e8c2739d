"""A bundle that somebody else made, read with care."""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.provenance.extract import FORMAT
from hst123r.sharing.bundle import EXTRACT, LOCK
from hst123r.sharing.choice import RESULTS
from hst123r.sharing.crate import RECIPE

MOST_MEMBERS: Final = 200_000
LARGEST_DIRECTORY: Final = 60_000_000
"""Bytes of the list of members, 300 for each; all of it is read into memory, ten times as large."""
LARGEST_TEXT: Final = 200_000_000
"""Bytes of the extract; that of 5,000 jobs has 60 MB."""
LARGEST_RATIO: Final = 200
"""How much larger than in the bundle a text may be; honest ones become 20 times as large."""
SMALL: Final = 1_000_000
"""Bytes below which nobody asks how well a text was packed."""
LARGEST_RECIPE: Final = 1_000_000
_TAIL: Final = 22 + 65_535 + 76
"""Bytes in which the end of a zip is: its last record, a comment, and the records before."""
_SEE_RECORD: Final = 0xFFFFFFFF
"""A size in the last record that does not fit into it."""
_DAMAGE: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError,
    UnicodeDecodeError,
)  # fmt: skip
"""What a zip that is none, was cut, flipped, packed in an unknown way or has names in no known
alphabet gives."""
_ENCRYPTED: Final = 0x1
"""Bit of a member's flags, by section 4.4.4 of PKWARE's APPNOTE."""
_AGAIN: Final = "Ask for another copy, or make it anew with `hst123r bundle`"


@dataclass(frozen=True, slots=True)
class _Record:
    """Keys of a mapping that is there once, with their kinds."""

    keys: dict[str, type | tuple[type, ...]]


_SHAPE: Final[dict[str, _Record | dict[str, type | tuple[type, ...]]]] = {
    "run": _Record({"recipe": str, "options": dict, "parameters": list}),
    "environment": _Record({"python": str, "packages": dict}),
    "jobs": {
        "stage": str, "handler": str, "label": str, "parts": list, "products": list,
        "measurements": list,
    },
    "photometry": {"target": str, "level": str},
}  # fmt: skip

_NUMBERS: Final = ("flux_njy", "flux_err_njy", "flux_corrected_njy")
"""What is reckoned with, where it is there."""


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
    path : Path, optional
        The file, for its results.
    """

    recipe: str
    lock: str | None
    extract: dict[str, Any]
    path: Path | None = None

    def result(self, name: str) -> bytes | None:
        """Return a file of the results by its path in the work directory, None without it.

        Raises
        ------
        InputError
            If the bundle is damaged, or the file larger than any honest one.
        """
        if self.path is None:
            return None
        try:
            with zipfile.ZipFile(self.path) as archive:
                member = f"{RESULTS}{name}"
                if member not in archive.namelist():
                    return None
                return _bytes(archive, member, LARGEST_TEXT, self.path)
        except _DAMAGE as error:
            where = str(self.path)
            raise InputError(f"the bundle is damaged: {error}", where=where, hint=_AGAIN) from error


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
        _check_directory(path)
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
    return Opened(recipe, lock, extract, path)


def _check_directory(path: Path) -> None:
    """Refuse a list of members that is too large to be read, by sections 4.3.14 to 4.3.16."""
    with path.open("rb") as stream:
        whole = stream.seek(0, os.SEEK_END)
        start = stream.seek(max(0, whole - _TAIL))
        tail = stream.read()
        # the last record is looked for where Python does: at the very end, else before a comment
        end = len(tail) - 22
        if not (tail[max(0, end) :][:4] == b"PK\x05\x06" and tail.endswith(b"\0\0")):
            end = tail.rfind(b"PK\x05\x06")
        if end < 0:
            return  # no zip, as reading it will say
        if len(tail) < end + 22:
            raise zipfile.BadZipFile("its last record is cut")
        (size,) = struct.unpack_from("<L", tail, end + 12)
        if tail[end - 20 : end - 16] == b"PK\x06\x07" and end >= 20:
            # a list that is too long for the old record has a new one, which counts instead
            (place,) = struct.unpack_from("<Q", tail, end - 12)
            # it stands before its locator whatever that says, as Python reads it
            for offset in (place, start + end - 76):
                stream.seek(min(max(0, offset), whole))
                record = stream.read(56)
                if len(record) == 56 and record[:4] == b"PK\x06\x06":
                    told = struct.unpack_from("<Q", record, 40)[0]
                    size = told if size == _SEE_RECORD else max(size, told)
    if size > LARGEST_DIRECTORY:
        raise InputError(
            f"its list of members has {size} bytes, which no bundle has", where=str(path)
        )


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
        if member.flag_bits & _ENCRYPTED:
            raise InputError(
                f"the member {name!r} is encrypted, and no bundle of hst123r is",
                where=str(path), hint=_AGAIN,
            )  # fmt: skip
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"the member {name!r} is a link", where=str(path))
        if name in seen:
            raise InputError(f"the member {name!r} is there twice", where=str(path))
        seen.add(name)


def _bytes(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    """Read a member up to a size, whatever it says its size is."""
    packed = archive.getinfo(name).compress_size
    most = min(most, max(SMALL, LARGEST_RATIO * packed))
    with archive.open(name) as member:
        data = member.read(most + 1)
    if len(data) > most:
        raise InputError(
            f"{name} in it has more than {most} bytes, which no honest one has", where=str(path)
        )
    return data


def _text(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> str:
    try:
        return _bytes(archive, name, most, path).decode()
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
    lacking = next(_lacking(found), None)
    if lacking:
        raise InputError(f"{EXTRACT} in it lacks {lacking}", where=str(path), hint=_AGAIN)
    return dict(found)


def _lacking(found: dict[str, Any]) -> Iterator[str]:
    """Yield what of the shape that everything else goes by is not there."""
    for name, shape in _SHAPE.items():
        holders = [found.get(name)] if isinstance(shape, _Record) else found.get(name)
        if not isinstance(holders, list):
            yield name
            return
        keys = shape.keys if isinstance(shape, _Record) else shape
        for holder in holders:
            if not isinstance(holder, dict):
                yield name
                return
            for key, kind in keys.items():
                if key not in holder or not isinstance(holder[key], kind):
                    yield f"{key} of {name}"
    for row in found["photometry"]:
        for key in _NUMBERS:
            if not isinstance(row.get(key), (int, float, type(None))):
                yield f"a number as {key} of photometry"
