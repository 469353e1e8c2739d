"""Records of jobs and runs beside the logs: a second copy of what the store has, file by file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hst123r import log
from hst123r.engine.workspace import Workspace
from hst123r.provenance import record
from hst123r.provenance.store import Store

_log = log.get("engine")
NAME: Final = re.compile(r"(?P<kind>job|run)-(?P<number>\d{6,})\.json")


class Kept:
    """Writes records into ``logs/records/``.

    They are written after the store says the same, and not forced to disk one by one: what a power
    cut takes is written again at the end of the next run. A record that cannot be written is told
    and stops nothing.

    Parameters
    ----------
    store : Store
        The store.
    workspace : Workspace
        Its work directory.
    tell : callable
        Gets a sentence about what could not be written, once.
    """

    def __init__(self, store: Store, workspace: Workspace, tell: Callable[[str], object]) -> None:
        self.store, self.folder, self.tell = store, workspace.records, tell
        self._refused = False

    def job(self, number: int) -> None:
        """Write the record of an attempt that ended."""
        self._write(f"job-{number:06d}.json", record.of_job(self.store.db, number))

    def run(self, number: int) -> None:
        """Write the record of a run, as it is now."""
        self._write(f"run-{number:06d}.json", record.of_run(self.store.db, number))

    def missing(self) -> None:
        """Write what an earlier version, a kill or a full disk left unwritten."""
        have = numbers(self.folder)
        db = self.store.db
        for (number,) in db.execute("select id from job where state != 'running'").fetchall():
            if number not in have["job"]:
                self.job(number)
        for (number,) in db.execute("select id from run").fetchall():
            if number not in have["run"]:
                self.run(number)

    def _write(self, name: str, data: bytes) -> None:
        part = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            part.replace(self.folder / name)
        except OSError as error:
            if not self._refused:
                self.tell(f"{self.folder / name} cannot be written: {error.strerror or error}")
            self._refused = True


@contextmanager
def keeping(store: Store, workspace: Workspace) -> Iterator[None]:
    """Bring the records up to date with what is changed in a store meanwhile.

    Parameters
    ----------
    store : Store
        The store, held for writing.
    workspace : Workspace
        Its work directory.
    """
    forgotten, tags, event = record.changing(store.db)
    yield
    kept = Kept(store, workspace, _log.warning)
    now_forgotten, now_tags, _ = record.changing(store.db)
    kept.missing()
    for job in forgotten ^ now_forgotten:
        kept.job(job)
    for run in {run for _, run, _ in tags ^ now_tags} | record.with_events(store.db, event):
        kept.run(run)


def numbers(folder: Path) -> dict[str, set[int]]:
    """Return the numbers of jobs and runs that have a record; an empty file is none."""
    found: dict[str, set[int]] = {"job": set(), "run": set()}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                match = NAME.fullmatch(entry.name)
                if match and entry.stat().st_size:
                    found[match["kind"]].add(int(match["number"]))
    except FileNotFoundError:
        pass
    return found
