"""One process at a time fetches a file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hst123r import log
from hst123r.archives.patience import Stop

POLL_S: Final = 0.1
TRIES: Final = 5
"""Half a second: between making the file of a lock and opening it to all lies one system call."""


_log = log.get("archives")
EVERYBODY: Final = 0o666
"""Mode of a lock: it holds nothing, and whoever may write the folder may have to wait for it."""


@contextmanager
def locked(destination: Path, stop: Stop, *, needed: bool = True) -> Iterator[None]:
    """Hold the lock of a destination; it dies with the process.

    Parameters
    ----------
    destination : Path
        Final name of a file, whose folder exists.
    stop : Stop
        Ends the wait.
    needed : bool
        Whether it is an error that the lock cannot be had, as where its file is another user's or
        the file system has no locks; otherwise nothing is held then.

    Yields
    ------
    None
        Inside, no other process or thread that asks for it fetches the same file.

    Raises
    ------
    Interrupted
        If the end was asked for while another held it.
    OSError
        If the lock cannot be had and is needed.
    """
    path = destination.with_name(f".{destination.name}.lock")
    handle = None
    try:
        handle = _acquire(path, stop)
    except OSError as error:
        if needed:
            raise
        _log.info("%s is fetched without a lock: %s", destination.name, error.strerror or error)
    try:
        yield
    finally:
        if handle is not None:
            # removed while it is held: who waits for it sees that its file is gone, and takes a new
            # one. Where only its owner may remove it, it stays, which is as good
            with suppress(OSError):
                path.unlink(missing_ok=True)
            os.close(handle)


def _acquire(path: Path, stop: Stop) -> int:
    while True:
        handle = _open(path, stop)
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    stop.sleep(POLL_S)
            if _same(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _open(path: Path, stop: Stop) -> int:
    """Open the file of a lock, made for everybody whatever the umask."""
    refused = 0
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, EVERYBODY)
        except FileExistsError:
            pass
        else:
            # some file systems know no modes, and need none
            with suppress(PermissionError):
                os.fchmod(handle, EVERYBODY)
            return handle
        try:
            # without O_CREAT, which a folder with a sticky bit refuses for files of others
            return os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        except PermissionError:
            # another user may have made it just now
            refused += 1
            if refused >= TRIES:
                raise
            stop.sleep(POLL_S)


def _same(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
