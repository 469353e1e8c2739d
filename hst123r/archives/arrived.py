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
    sha256 : str
        Hexadecimal digest of its bytes, without which the rest is not about it.
    etag, last_modified : str
        What the archive said of this version, empty where it said nothing.
    retrieved : str
        When, ISO 8601 in UTC.
    """

    uri: str
    sha256: str
    etag: str = ""
    last_modified: str = ""
    retrieved: str = ""


def note(file: Path, arrival: Arrival) -> None:
    """Write how a file came; what a crash leaves of it is no record, which costs no more than that.

    Parameters
    ----------
    file : Path
        Final name of the file.
    arrival : Arrival
        How it came.
    """
    path = beside(file)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(asdict(arrival), sort_keys=True), encoding="utf-8")
    part.replace(path)


def known(file: Path, sha256: str) -> Arrival | None:
    """Return how a file came.

    Parameters
    ----------
    file : Path
        The file.
    sha256 : str
        Its digest.

    Returns
    -------
    Arrival or None
        None where nothing is known of these bytes.
    """
    try:
        found = Arrival(**json.loads(beside(file).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.sha256 == sha256 else None


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


def _follow(file: Path, destination: Path) -> None:
    path = beside(file)
    if path.is_file():
        path.replace(beside(destination))


def beside(file: Path) -> Path:
    """Return the place of the record of a file."""
    return file.with_name(f"{file.name}{ENDING}")
