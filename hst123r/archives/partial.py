"""A file that is still arriving: its bytes, and what they are bytes of.

``NAME.part`` holds bytes from the start; ``NAME.part.json`` says of which version of which file, so
that they are taken up again only if the archive still has that version. Both outlive a process
that is killed. After a loss of power a part may have its length and a hole in it, since nothing
forces it to the disk; so one from before the machine last started is not taken up again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final

from blake3 import blake3

from hst123r.files.content import ALGORITHM
from hst123r.files.fits_blocks import CHUNK

INCOMING: Final = "incoming"
"""Folder inside ``raw/`` where files stand while they arrive; what is in it is no result yet."""
WEAK: Final = "W/"
"""Begins entity tags that do not vouch for every byte (RFC 9110, section 8.8.1)."""


BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
"""What Linux draws anew each time that it starts, by random(4)."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a file in an archive.

    Parameters
    ----------
    uri : str
        The file.
    etag, last_modified : str
        What the archive said of it; empty where it said nothing.
    total : int or None
        Size in bytes, None where the archive did not say.
    """

    uri: str
    etag: str = ""
    last_modified: str = ""
    total: int | None = None

    @property
    def validator(self) -> str:
        """What to send as If-Range; empty where the version cannot be told from another."""
        return self.etag if self.etag and not self.etag.startswith(WEAK) else self.last_modified


def boot() -> str:
    """Return what names this start of the machine, empty where the system does not tell."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class Digests:
    """Both digests of bytes that pass by in order."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._blake3 = blake3()
        self.size = 0

    def update(self, piece: bytes | memoryview) -> None:
        """Take in some bytes."""
        self._sha256.update(piece)
        self._blake3.update(piece)
        self.size += len(piece)

    @property
    def sha256(self) -> str:
        """Hexadecimal sha256."""
        return self._sha256.hexdigest()

    @property
    def digest(self) -> str:
        """BLAKE3 as ``blake3:…``."""
        return f"{ALGORITHM}:{self._blake3.hexdigest()}"

    @classmethod
    def of(cls, path: Path) -> Digests:
        """Return the digests of a file."""
        found = cls()
        with path.open("rb", buffering=0) as stream:
            while piece := stream.read(CHUNK):
                found.update(piece)
        return found


class Partial:
    """The part of a file that has arrived.

    Parameters
    ----------
    destination : Path
        Final name of the file.
    uri : str
        What the archive calls it.
    digested : bool
        Whether a sha256 is taken of the bytes while they pass, for a file that has to have one.
        Of all others whoever records them takes digests, with all else that is read of them.
    """

    def __init__(self, destination: Path, uri: str, *, digested: bool = False) -> None:
        self.path = destination.with_name(f"{destination.name}.part")
        self._record = destination.with_name(f"{destination.name}.part.json")
        self._uri = uri
        self._digested = digested
        self._hasher = hashlib.sha256()
        self.size = 0
        """Bytes that are there."""
        self.version = Version(uri)

    def load(self) -> None:
        """Read what an earlier transfer left; forget it where it cannot be taken up again."""
        try:
            data = json.loads(self._record.read_bytes())
            then = data.pop("boot", "")
            version = Version(**data)
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            self.forget()
            return
        if not then or then != boot():
            self.forget()
            return
        if version.uri != self._uri or not version.validator or not self.path.is_file():
            self.forget()
            return
        self.version = version
        self.size = self.path.stat().st_size
        if self._digested:
            with self.path.open("rb", buffering=0) as stream:
                while piece := stream.read(CHUNK):
                    self._hasher.update(piece)

    @property
    def sha256(self) -> str:
        """Hexadecimal sha256 of the bytes that are there; empty where none is taken."""
        return self._hasher.hexdigest() if self._digested else ""

    def begin(self, version: Version) -> IO[bytes]:
        """Start from nothing with a version of the file.

        Parameters
        ----------
        version : Version
            What the archive is about to send.

        Returns
        -------
        binary file
            To be handed to `add`, and closed.
        """
        self.forget()
        # bytes without a record are forgotten, so the record comes first; neither is forced to the
        # disk, since after a loss of power all starts anew
        part = self._record.with_name(f".{self._record.name}.new")
        part.write_text(
            json.dumps({**asdict(version), "boot": boot()}, sort_keys=True), encoding="utf-8"
        )
        part.replace(self._record)
        self.version = version
        return self.path.open("wb", buffering=0)

    def resume(self) -> IO[bytes]:
        """Go on where the bytes that are there end."""
        return self.path.open("ab", buffering=0)

    def add(self, stream: IO[bytes], piece: bytes) -> None:
        """Append some bytes, all of them."""
        view = memoryview(piece)
        while view:
            # a disk that fills up takes the beginning, and refuses the rest in the next call
            written = stream.write(view)
            if self._digested:
                self._hasher.update(view[:written])
            self.size += written
            view = view[written:]

    def forget(self) -> None:
        """Remove what is there."""
        self._record.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self._hasher = hashlib.sha256()
        self.size = 0
        self.version = Version(self._uri)

    def done(self) -> None:
        """Remove the record, once the bytes have got their final name."""
        self._record.unlink(missing_ok=True)
