"""Measured PSFs of the STDPSF library, each fetched once and the same ever since.

STScI says no digest of its files. So the sha256 of what came first is kept beside the file, and
what lies there is used only as long as it has it; a file that nothing is kept of is the user's own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from hst123r.archives.partial import Digests
from hst123r.archives.patience import Patience
from hst123r.archives.wanted import Wanted
from hst123r.errors import ArchiveError, InputError
from hst123r.files.fits_blocks import walk
from hst123r.files.publish import machine_errors, write
from hst123r.records.dates import utc_now

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Library:
    """The library on a server, and a folder with those of its files that are here.

    Parameters
    ----------
    server : str
        Address of the folder that has one folder for each detector.
    folder : Path
        Where files are kept.
    patience : Patience
        Limits of waiting.
    """

    server: str
    folder: Path
    patience: Patience = field(default_factory=Patience)

    def place(self, detector: str, band: str) -> Path:
        """Return where the file of a detector, as the library calls it, and a filter is kept."""
        return self.folder / f"STDPSF_{detector}_{band}.fits"

    def here(self, detector: str, band: str) -> Path | None:
        """Return a file that is here and is what it was when it came, None where there is none."""
        path = self.place(detector, band)
        if not path.is_file():
            return None
        known = digest_of(path)
        if known is not None and Digests.of(path).sha256 != known:
            return None
        return path

    def file(self, detector: str, band: str) -> Path:
        """Bring a file here that is not, or is not as it came.

        Parameters
        ----------
        detector : str
            As the library calls it: ``ACSWFC``.
        band : str
            The filter.

        Returns
        -------
        Path
            Where it lies.

        Raises
        ------
        ArchiveError
            If the library does not have it, or does not give it whole.
        EnvironmentProblem
            If the folder cannot be written.
        """
        from hst123r.archives.fetcher import Fetcher

        found = self.here(detector, band)
        if found is not None:
            return found
        path = self.place(detector, band)
        url = f"{self.server}/{quote(detector)}/{quote(path.name)}"
        known = digest_of(path)
        said: dict[str, Any] = {"name": path.name, "url": url}

        def arrive(arrived: Path) -> str:
            found = verify(arrived)
            if known is None and not record_of(path).is_file():
                # before it is called a file of the library: an end between the two leaves no
                # file of which nothing is kept
                _keep(path, {**said, "sha256": Digests.of(arrived).sha256})
            return found

        wanted = Wanted(f"stdpsf:{path.name}", url, path, arrive, sha256=known)
        host = urlsplit(self.server).netloc.lower()
        fetched = Fetcher(host, patience=self.patience).fetch_one(wanted)
        if fetched.error is not None:
            if known is None and record_of(path).is_file() and not path.is_file():
                with machine_errors("remove the digest of a file", record_of(path)):
                    record_of(path).unlink()
            hint = "Use `psf: computed` or `psf: hybrid`, or another filter's grid, if it has none"
            if isinstance(fetched.error, ArchiveError) and not fetched.error.hint:
                raise ArchiveError(
                    fetched.error.message, where=fetched.error.where, hint=hint
                ) from fetched.error
            raise fetched.error
        said |= {
            "sha256": fetched.digests().sha256, "etag": fetched.etag,
            "last_modified": fetched.last_modified, "retrieved": fetched.retrieved or utc_now(),
        }  # fmt: skip
        _keep(path, said)
        return path


def _keep(path: Path, said: dict[str, Any]) -> None:
    with machine_errors("keep the digest of a file", record_of(path)):
        write(record_of(path), json.dumps(said, indent=1).encode())


def record_of(path: Path) -> Path:
    """Return where it is kept what is known of a file of the library."""
    return path.with_suffix(".json")


def digest_of(path: Path) -> str | None:
    """Return the sha256 that a file had when it came, None where nothing is kept of it.

    Parameters
    ----------
    path : Path
        The file, which need not be there.

    Returns
    -------
    str or None
        Hexadecimal.

    Raises
    ------
    ArchiveError
        If what is kept is damaged.
    """
    kept = record_of(path)
    if not kept.is_file():
        return None
    try:
        said: Any = json.loads(kept.read_bytes())
        digest = str(said["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        digest = ""
    if not _SHA256.fullmatch(digest):
        raise ArchiveError(
            f"what was kept of {path.name} is damaged", where=str(kept),
            hint="Remove both files to fetch it again",
        )  # fmt: skip
    return digest


def verify(path: Path) -> str:
    """Verify that a file is a whole grid of PSFs.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        ``absent``: the library's files have no checksums.

    Raises
    ------
    InputError
        If it is not FITS, is truncated, or holds no grid.
    """
    where = path.name
    with path.open("rb") as stream:
        # some files of the library have other bytes behind their only block
        first = next(walk(stream, where), None)
    sizes = [first.get(key) if first else None for key in ("NAXIS3", "NXPSFS", "NYPSFS")]
    number, columns, rows = (size if isinstance(size, int) else 0 for size in sizes)
    if number < 1 or number != columns * rows:
        raise InputError("it is no grid of PSFs", where=where)
    return "absent"
