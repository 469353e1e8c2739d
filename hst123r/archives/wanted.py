"""A file that is wanted from an archive, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from hst123r.archives.partial import Digests
from hst123r.errors import Hst123rError


class Status(StrEnum):
    """What became of a file."""

    COMPLETE = "complete"
    """Fetched, verified and in its place."""
    CACHED = "cached"
    """It was there already, and is whole."""
    SHARED = "shared"
    """It was copied out of a shared archive, and is whole."""
    EXCLUSIVE = "exclusive"
    """The archive has it and does not give it to us."""
    MISSING = "missing"
    """The archive does not have it."""
    FAILED = "failed"
    """It could not be fetched whole."""

    @property
    def there(self) -> bool:
        """Whether the file is in its place."""
        return self in (Status.COMPLETE, Status.CACHED, Status.SHARED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is wanted.

    Parameters
    ----------
    uri : str
        What the archive calls it, ``mast:HST/product/…``.
    url : str
        Where it is fetched.
    destination : Path
        Its final name; only a whole, verified file ever has it.
    verify : callable
        Verifies the file at a path; returns ``verified`` or ``absent`` for its checksums, and
        raises `InputError` with the reason when it is not the file that is wanted.
    size : int or None
        Size in bytes that the archive lists. MAST's lists are sometimes wrong, so that a
        difference is a note and no failure.
    sha256 : str or None
        Hexadecimal digest that it must have; None where none is known.
    with_token : bool
        Whether the user's token is sent, which public files do not need.
    """

    uri: str
    url: str
    destination: Path
    verify: Callable[[Path], str]
    size: int | None = None
    sha256: str | None = None
    with_token: bool = False

    @property
    def name(self) -> str:
        """Its file name."""
        return self.destination.name


@dataclass(slots=True)
class Fetched:
    """What became of a wanted file.

    Parameters
    ----------
    wanted : Wanted
        The file.
    status : Status
        What became of it.
    error : Hst123rError or None
        Why it is not there: `ArchiveError`, or `EnvironmentProblem` when the disk is full.
    size : int
        Size in bytes, 0 where it is not there.
    sha256 : str
        Hexadecimal sha256 of all bytes, where it was wanted; `Fetched.digests` gives it of any.
    checksums : str
        ``verified`` where the file carries FITS checksums and they agree, ``absent`` where it has
        none.
    etag, last_modified : str
        What the archive said of this version of the file, empty where it said nothing.
    retrieved : str
        When, ISO 8601 in UTC; empty for a file that was there, unless that is known.
    requests : int
        How many requests it took.
    resumed : int
        Bytes that were kept from interrupted transfers.
    notes : list of str
        What a user should know about it.
    source : str
        Where it came from: ``mast``, ``s3``, or ``shared archive``.
    uri : str
        What it was fetched as, empty where that is not known.
    """

    wanted: Wanted
    status: Status
    error: Hst123rError | None = None
    size: int = 0
    sha256: str = ""
    checksums: str = ""
    etag: str = ""
    last_modified: str = ""
    retrieved: str = ""
    requests: int = 0
    resumed: int = 0
    notes: list[str] = field(default_factory=list)
    source: str = "mast"
    uri: str = ""

    def digests(self) -> Digests:
        """Read the file where it was fetched to.

        Returns
        -------
        Digests
            Of all its bytes.

        Raises
        ------
        OSError
            If it is not there, or cannot be read.
        """
        return Digests.of(self.wanted.destination)
