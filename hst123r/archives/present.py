"""Looking into a file that is here already: whether it is whole, and the one that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hst123r.archives.partial import Digests
from hst123r.archives.wanted import Fetched, Status, Wanted
from hst123r.errors import InputError
from hst123r.files.publish import READ_ONLY, copy, make_folder, move


class OtherVersion(InputError):
    """A whole file that is not the one of a digest: damaged on the way, or made anew since.

    Parameters
    ----------
    sha256, expected : str
        Hexadecimal digests, found and wanted.
    name : str
        Name of the file.
    """

    def __init__(self, sha256: str, expected: str, name: str) -> None:
        super().__init__(f"its sha256 is {sha256[:12]}…, {expected[:12]}… was expected", where=name)
        self.sha256 = sha256


@dataclass(frozen=True, slots=True)
class Present:
    """A file that is whole.

    Parameters
    ----------
    checksums : str
        ``verified`` or ``absent``, as `Wanted.verify` says it.
    size : int
        Bytes.
    sha256 : str
        Hexadecimal digest of all of them; empty where none was demanded.
    """

    checksums: str
    size: int
    sha256: str

    def as_fetched(self, wanted: Wanted, status: Status, **about: Any) -> Fetched:
        """Return it as what became of a wanted file; ``about`` are further fields of it."""
        return Fetched(
            wanted, status, size=self.size, sha256=self.sha256, checksums=self.checksums, **about
        )


def look(path: Path, wanted: Wanted, sha256: str | None) -> Present:
    """Look into a file.

    Parameters
    ----------
    path : Path
        The file.
    wanted : Wanted
        What it should be.
    sha256 : str or None
        Hexadecimal digest that it must have, None where none is known.

    Returns
    -------
    Present
        What it is.

    Raises
    ------
    OtherVersion
        If it is whole and has another digest.
    InputError
        If it is not whole, or another exposure.
    """
    checksums, size = wanted.verify(path), path.stat().st_size
    if sha256 is None:
        return Present(checksums, size, "")
    found = Digests.of(path).sha256
    if found != sha256:
        raise OtherVersion(found, sha256, wanted.name)
    return Present(checksums, size, found)


def copied(source: Path, wanted: Wanted, sha256: str | None) -> Present:
    """Copy a file to where a fetched one would stand, and look into the copy before it is there.

    Parameters
    ----------
    source : Path
        The file; it is only read.
    wanted : Wanted
        What it should be; its destination is written, or nothing is.
    sha256 : str or None
        As for `look`.

    Returns
    -------
    Present
        What it is.

    Raises
    ------
    InputError
        As by `look`.
    OSError
        If it cannot be read, or the copy not be written.
    """
    make_folder(wanted.destination.parent)
    part = wanted.destination.with_name(f"{wanted.name}.copy")
    part.unlink(missing_ok=True)
    try:
        copy(source, part)
        found = look(part, wanted, sha256)
        part.chmod(READ_ONLY)
        move(part, wanted.destination)
    finally:
        part.unlink(missing_ok=True)
    return found
