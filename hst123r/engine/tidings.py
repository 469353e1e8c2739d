"""How far a job has come, for who watches: one small file in its scratch directory."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "tidings.json"
PAUSE_S: Final = 0.2
"""Eyes need no more than five a second."""


@dataclass(frozen=True, slots=True)
class Tiding:
    """How far something that takes long has come.

    Parameters
    ----------
    name : str
        What: the name of a file.
    done : int
        Bytes that are there.
    total : int or None
        Bytes there will be, None where nobody knows.
    """

    name: str
    done: int
    total: int | None


class Teller:
    """Writes tidings; they are lost without harm, so nothing waits for the disk.

    Parameters
    ----------
    folder : Path
        The attempt's scratch directory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._next = 0.0

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Tell, if that is not too soon."""
        now = time.monotonic()
        if now < self._next and done != total:
            return
        self._next = now + PAUSE_S
        part = self._path.with_suffix(".part")
        with suppress(OSError):
            part.write_text(json.dumps([name, done, total]), encoding="utf-8")
            part.replace(self._path)


def heard(folder: Path) -> Tiding | None:
    """Return the last tiding of an attempt, None where there is none.

    Parameters
    ----------
    folder : Path
        Its scratch directory.
    """
    try:
        return Tiding(*json.loads((folder / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
