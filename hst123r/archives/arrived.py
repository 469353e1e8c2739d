"""What is known of a file that has arrived, beside it until the result that it is for is recorded.

A job can be killed between the two. The next one finds the file whole, and by this what the
archive said of it; without, nobody could tell later whether the archive has made it anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hst123r.files.publish import move

ENDING: Final = ".arrived.json"


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a file came.

    Parameters
    ----------
    uri : str
        What it was fetched as.
    etag, last_modified : str
        What the archive said of this version, empty where it said nothing.
    retrieved : str
        When, ISO 8601 in UTC.
    """

    uri: str
    etag: str = ""
    last_modified: str = ""
    retrieved: str = ""


def note(file: Path, part: Path, arrival: Arrival) -> None:
    """Write how a file came; what a crash leaves of it is no record, which costs no more than that.

    Parameters
    ----------
    file : Path
        Final name of the file.
    part : Path
        Where it is by now, complete; it is renamed and not written any more.
    arrival : Arrival
        How it came.
    """
    path = beside(file)
    new = path.with_name(f".{path.name}.part")
    kept = {"arrival": asdict(arrival), "file": _which(part)}
    new.write_text(json.dumps(kept, sort_keys=True), encoding="utf-8")
    new.replace(path)


def known(file: Path) -> Arrival | None:
    """Return how a file came.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    Arrival or None
        None where nothing is known of this very file, as it was when it came.
    """
    try:
        kept = json.loads(beside(file).read_bytes())
        return Arrival(**kept["arrival"]) if kept["file"] == _which(file) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def hand_over(file: Path, product: Path) -> None:
    """Move a file to where products of a job are, and what is known of it beside their folder.

    Parameters
    ----------
    file : Path
        The file.
    product : Path
        Its new place, on the same file system.
    """
    # before it, since a file without is one of which nothing is known
    _follow(file, product.parent.parent / product.name)
    move(file, product)


def put_back(product: Path, file: Path) -> None:
    """Move back what `hand_over` has moved, for a job that was ended.

    Parameters
    ----------
    product, file : Path
        Where it is, if it came so far, and where it was.
    """
    if product.is_file():
        product.replace(file)
    # of a job that was done there is no file, and what is known of it is recorded
    if file.is_file():
        _follow(product.parent.parent / product.name, file)


def _which(file: Path) -> list[int]:
    """Tell a file from any other, and from itself once it is written to; moving changes nothing."""
    found = file.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def _follow(file: Path, destination: Path) -> None:
    path = beside(file)
    if path.is_file():
        path.replace(beside(destination))


def beside(file: Path) -> Path:
    """Return the place of the record of a file."""
    return file.with_name(f"{file.name}{ENDING}")
