"""Records of jobs and runs beside the logs: a second copy of what the store has, file by file."""

from __future__ import annotations

import itertools
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hst123r import log
from hst123r.engine.workspace import Workspace
from hst123r.files.publish import machine_errors, make_folder, sync
from hst123r.provenance import record
from hst123r.provenance.store import Store

INDEX: Final = "index.json"
"""What each record was written from, so that it is cheap to see which ones are not up to date."""
Marks = dict[str, dict[int, str]]
_log = log.get("engine")
NAME: Final = re.compile(r"(?P<kind>job|run)-(?P<number>\d{6,})\.json")


class Kept:
    """Writes records into ``logs/records/``.

    They are written after the store says the same. Those of runs are forced to disk, because all
    jobs of a run hang on one; what a power cut takes of the others is written again by the next
    command that writes. A record that cannot be written is told and stops nothing.

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
        self._seen: tuple[int, dict[str, set[int]], Marks] | None = None

    def job(self, number: int) -> None:
        """Write the record of an attempt that ended."""
        self._write(f"job-{number:06d}.json", record.of_job(self.store.db, number))

    def run(self, number: int) -> None:
        """Write the record of a run, as it is now."""
        self._write(f"run-{number:06d}.json", record.of_run(self.store.db, number), safe=True)

    def up_to_date(self) -> None:
        """Write what an earlier version, a kill or a full disk left unwritten or as it was."""
        have, now = self._look()
        written = _index(self.folder)
        for kind, write in (("job", self.job), ("run", self.run)):
            for number, mark in now[kind].items():
                unlike = number not in have[kind] or written[kind].get(number) != mark
                if unlike and (kind == "run" or mark.split(" ")[1] != "running"):
                    write(number)
        if now != written and not self._refused:
            self._write(INDEX, json.dumps(now, ensure_ascii=False).encode())

    def put_others_away(self) -> None:
        """Move records of another store away: of one that was lost, or that a backup replaced.

        Raises
        ------
        EnvironmentProblem
            If they cannot be moved; they would be written over.
        """
        have, now = self._look()
        written = _index(self.folder)
        others = [
            self.folder / f"{kind}-{number:06d}.json"
            for kind in have
            for number in sorted(have[kind])
            if _uid(now[kind].get(number)) != _uid(written[kind].get(number, now[kind].get(number)))
            or number not in now[kind]
        ]
        if others:
            lost = "the store was lost or replaced" if now["run"] else "the store was lost"
            jobs, runs = (
                sum(path.name.startswith(kind) for path in others) for kind in ("job", "run")
            )
            place = put_away(others, "of-another-store")
            shown = f"logs/{place.name}"
            self.tell(
                f"{lost}, and this one does not know what was recorded of {_number(runs, 'run')} "
                f"and {_number(jobs, 'job')}; the records are kept in {shown}/. To go on from them "
                f"instead, `hst123r db rebuild --records {shown}` makes a store of them and "
                f"puts this one aside"
            )
            self._seen = None

    def _look(self) -> tuple[dict[str, set[int]], Marks]:
        """Return which records there are, and what the store has; again only if it changed."""
        changes = self.store.db.conn.total_changes
        if self._seen is None or self._seen[0] != changes:
            self._seen = changes, numbers(self.folder), record.marks(self.store.db)
        return self._seen[1:]

    def _write(self, name: str, data: bytes, *, safe: bool = False) -> None:
        part = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            if safe:
                sync(part)
            part.replace(self.folder / name)
            if safe:
                sync(self.folder)
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
    kept = Kept(store, workspace, _log.warning)
    kept.put_others_away()
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            # what ended the command is told, and not what came of it
            kept.up_to_date()
        raise
    kept.up_to_date()


def put_away(records: Sequence[Path], why: str) -> Path:
    """Move records to a new folder beside theirs; return it."""
    top = records[0].parent
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    names = itertools.chain([stamp], (f"{stamp}-{n}" for n in itertools.count(2)))
    places = (top.with_name(f"{top.name}-{why}-{name}") for name in names)
    place = next(place for place in places if not place.exists())
    with machine_errors("move records away", top):
        make_folder(place)
        for path in records:
            path.rename(place / path.name)
        sync(place)
    return place


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _uid(mark: str | None) -> str:
    return "" if mark is None else mark.split(" ", 1)[0]


def _index(folder: Path) -> Marks:
    """Return what the records were written from; a damaged index says nothing of any."""
    try:
        found = json.loads((folder / INDEX).read_bytes())
        return {
            kind: {int(number): str(mark) for number, mark in found[kind].items()}
            for kind in ("job", "run")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"job": {}, "run": {}}


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
