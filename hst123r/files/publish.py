"""Files that appear whole or not at all, and copies that never touch their source."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hst123r.errors import EnvironmentProblem
from hst123r.files.content import Content, look

READ_ONLY: Final = 0o444
_FICLONE: Final = 0x40049409
"""ioctl number of a reflink copy on Linux, from ``linux/fs.h``."""
_NO_REFLINK: Final = {
    errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM,
    errno.EISDIR, errno.ETXTBSY,
}  # fmt: skip
_FULL: Final = "the disk is full"
_NO_ROOM: Final = {errno.ENOSPC: _FULL, errno.EDQUOT: "the disk quota is used up"}
_ASTROPY_FULL: Final = "Not enough space on disk"
"""How an error of astropy begins once it has looked at the room that is left."""


def no_room(error: BaseException) -> str:
    """Say whether something failed because nothing more could be written.

    Parameters
    ----------
    error : BaseException
        What was raised. Astropy puts an error of its own, without a number, before that of the
        system, so those that it came from are looked at too; where NumPy wrote, none has a number.

    Returns
    -------
    str
        Part of a sentence; empty for other errors.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _NO_ROOM:
            return _NO_ROOM[seen.errno]
        if isinstance(seen, OSError) and str(seen).startswith(_ASTROPY_FULL):
            return _FULL
        seen = seen.__cause__ or seen.__context__
    return ""


@contextmanager
def machine_errors(doing: str, where: Path | str) -> Iterator[None]:
    """Turn a refusal of the operating system into a sentence for the user.

    Parameters
    ----------
    doing : str
        What was being done, as in "cannot <doing>".
    where : Path or str
        The file or folder.

    Raises
    ------
    EnvironmentProblem
        For disk full, quota, permission, read-only file system and the like.
    """
    try:
        yield
    except OSError as error:
        hints = {
            errno.ENOSPC: "The disk is full; free some space and run again, nothing is lost",
            errno.EDQUOT: "Your quota is used up; free some space and run again",
            errno.EACCES: "Check the permissions of the folder",
            errno.EPERM: "Check the permissions of the folder",
            errno.EROFS: "The file system is read-only; choose another work directory",
        }
        hint = hints.get(error.errno or 0, "")
        raise EnvironmentProblem(
            f"cannot {doing}: {error.strerror or error}", where=str(where), hint=hint
        ) from error


def sync(path: Path) -> None:
    """Force a file or folder to disk.

    Parameters
    ----------
    path : Path
        The file or folder.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, so that they are there after a power cut, too.

    Parameters
    ----------
    path : Path
        The folder; it may exist.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def move(source: Path, destination: Path) -> None:
    """Publish a file: synced to disk, then renamed into place.

    Parameters
    ----------
    source : Path
        A complete file on the same file system.
    destination : Path
        Its final name; an older file there is replaced in the same instant.
    """
    sync(source)
    make_folder(destination.parent)
    source.replace(destination)
    sync(destination.parent)


def write(destination: Path, data: bytes) -> None:
    """Write a small file so that it appears whole or not at all.

    Parameters
    ----------
    destination : Path
        Its final name.
    data : bytes
        Its content.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(f".{destination.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        move(part, destination)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def copy(source: Path, destination: Path, *, sha256: bool = False) -> Content:
    """Copy a file, by reflink where the file system can, and look at its content on the way.

    Parameters
    ----------
    source : Path
        File to copy; it is only read.
    destination : Path
        New file; it must not exist.
    sha256 : bool
        Compute a sha256 in the same read.

    Returns
    -------
    Content
        Content of the copy.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    if _reflink(source, destination):
        return look(destination, sha256=sha256)
    with destination.open("xb") as out:
        return look(source, sha256=sha256, tee=out.write)


def _reflink(source: Path, destination: Path) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    with source.open("rb") as old, destination.open("xb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError as error:
            if error.errno not in _NO_REFLINK:
                raise
        else:
            return True
    destination.unlink()
    return False
