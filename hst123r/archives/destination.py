"""One process at a time fetches a file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hst123r.archives.patience import Stop

POLL_S: Final = 0.1


@contextmanager
def locked(destination: Path, stop: Stop) -> Iterator[None]:
    """Hold the lock of a destination; it dies with the process.

    Parameters
    ----------
    destination : Path
        Final name of a file, whose folder exists.
    stop : Stop
        Ends the wait.

    Yields
    ------
    None
        Inside, no other process or thread that asks for it fetches the same file.

    Raises
    ------
    Interrupted
        If the end was asked for while another held it.
    """
    path = destination.with_name(f".{destination.name}.lock")
    handle = _acquire(path, stop)
    try:
        yield
    finally:
        # removed while it is held: who waits for it sees that its file is gone, and takes a new one
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, stop: Stop) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
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


def _same(handle: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
