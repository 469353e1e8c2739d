"""What is known of a file that has arrived, beside it until the result that it is for is recorded.

A job can be killed between the two. The next one finds the file whole, and by this what the
archive said of it; without, nobody could tell later whether the archive has made it anew.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

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


def follow(file: Path, destination: Path) -> None:
    """Move what is known of a file to where the file goes.

    Parameters
    ----------
    file, destination : Path
        Where the file is or was, and where it will be or is; on one file system.
    """
    path = beside(file)
    if path.is_file():
        path.replace(beside(destination))


def beside(file: Path) -> Path:
    """Return the place of the record of a file."""
    return file.with_name(f"{file.name}{ENDING}")
