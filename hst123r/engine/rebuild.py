"""A lost or damaged store made again from the records of its jobs and the files themselves."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hst123r.engine import without_recipe
from hst123r.engine.hold import busy
from hst123r.engine.job_records import NAME, Kept, put_away
from hst123r.engine.workspace import Lock, Workspace
from hst123r.errors import EnvironmentProblem, Hst123rError, InputError
from hst123r.files.content import Content, Signature, look
from hst123r.files.publish import machine_errors, sync
from hst123r.provenance import backup, record
from hst123r.provenance.rebuilding import Rebuilding, files, forgotten_files, say_rebuilt
from hst123r.provenance.stamps import read_stamps
from hst123r.provenance.store import Store
from hst123r.provenance.trouble import DAMAGES, is_damage, problem

Heard = Callable[[int, int], object]
WHAT: Final = "rebuild"
NEVER: Final = (
    "which run reads or writes now (the lease); header cards of files that are gone",
    "signatures of files: every file was read",
)
"""What no record holds, and what became of it."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuilding found.

    Parameters
    ----------
    runs, jobs : int
        Records that were taken in.
    run : int
        The run that stands for the rebuilding.
    lost : list of str
        What could not be had back, as sentences.
    unlike : list of str
        Files that are not as the records have them, as sentences.
    damaged : str
        Where the damaged store was put, or the log of a lost one; empty where there was none.
    """

    runs: int = 0
    jobs: int = 0
    run: int = 0
    lost: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    damaged: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def place_of(given: Path | None, start: Path) -> Path:
    """Find the work directory whose store is lost.

    Parameters
    ----------
    given : Path or None
        What the user said.
    start : Path
        The current directory.

    Returns
    -------
    Path
        A folder with records.

    Raises
    ------
    InputError
        If there are none.
    """
    folder = (start if given is None else given.expanduser()).resolve()
    if not any(NAME.fullmatch(path.name) for path in Workspace(folder).records.glob("*.json")):
        raise InputError(
            "there are no records of jobs here, so that nothing can be rebuilt",
            where=str(Workspace(folder).records),
            hint="Give the work directory with --work-dir; `hst123r run` begins a new store",
        )
    return folder


def rebuild(workspace: Workspace, *, jobs: int = 1, tell: Heard | None = None) -> Rebuilt:
    """Make a store from records; it is put in its place when it is whole.

    Parameters
    ----------
    workspace : Workspace
        The work directory.
    jobs : int
        Files that are read at once.
    tell : callable, optional
        Told how many files were read, and how many there are.

    Returns
    -------
    Rebuilt
        What came of it.

    Raises
    ------
    InputError
        If there is a store that is well.
    EnvironmentProblem
        If the store, or a record, was made by a newer version, or the machine refuses.
    Busy
        If another process holds the work directory.
    """
    workspace.create()
    lock = Lock(workspace)
    if not lock.acquire():
        raise busy(workspace)
    try:
        _refuse_what_is_well(workspace)
        with closing(Store.in_memory(workspace.folder)) as store:
            found, unused = _fill(store, workspace, jobs, tell)
            part = workspace.store.with_name(workspace.store.name + ".rebuilt")
            with suppress(FileNotFoundError):
                part.unlink()
            backup.copy(store, part)
            found.damaged = _put_away(workspace)
            with machine_errors("put the store in its place", workspace.store):
                part.rename(workspace.store)
                sync(workspace.folder)
            kept = Kept(store, workspace, found.lost.append)
            if unused:
                found.lost.append(f"unused records are in {put_away(unused, 'not-had-back').name}")
            kept.put_others_away()
            kept.up_to_date()
    finally:
        lock.release()
    return found


def _refuse_what_is_well(workspace: Workspace) -> None:
    """Go on only where there is no store, or one that is damaged and not just out of reach."""
    if not workspace.store.exists():
        return
    try:
        with closing(Store(workspace.folder, read_only=True)) as store:
            problems = backup.check(store)["problems"]
    except sqlite3.DatabaseError as error:
        if not is_damage(str(error)):
            raise problem(workspace.store, error) from error
        return
    except EnvironmentProblem as error:
        if error.hint not in DAMAGES:
            raise
        return
    if not problems:
        raise InputError(
            "there is a store, and it is well", where=str(workspace.store),
            hint="`hst123r db check` says more. To rebuild all the same, move it away first",
        )  # fmt: skip


def _put_away(workspace: Workspace) -> str:
    """Move a damaged store, and what a lost one left beside it, away; never over another.

    SQLite would replay the log of a lost store into the new one.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = workspace.store.name
    ends = ("-wal", "-shm", "-journal", "")
    stamps = itertools.chain([stamp], (f"{stamp}-{n}" for n in itertools.count(2)))
    base = next(
        base
        for base in (f"{name}.damaged-{text}" for text in stamps)
        if not any(workspace.store.with_name(base + end).exists() for end in ends)
    )
    told = ""
    with machine_errors("move the damaged store away", workspace.store):
        for end in ends:
            source = workspace.store.with_name(name + end)
            if not source.exists():
                continue
            if end == "-shm" or (end and not source.stat().st_size):
                # an index that SQLite makes anew, or a log with nothing in it
                source.unlink()
                continue
            source.rename(source.with_name(base + end))
            told = base + end
        sync(workspace.folder)
    return told


def _fill(
    store: Store, workspace: Workspace, jobs: int, tell: Heard | None
) -> tuple[Rebuilt, list[Path]]:
    """Fill a store; return what came of it, and records that are of no use."""
    found = Rebuilt()
    unused = []
    taking = Rebuilding(store)
    for kind, take in ((record.RUN, taking.run), (record.JOB, taking.job)):
        for path in _records(workspace, "run" if kind == record.RUN else "job"):
            where = str(path.relative_to(workspace.folder))
            try:
                take(record.read(path.read_bytes(), kind, where), where)
            except InputError as error:
                found.lost.append(str(error))
                unused.append(path)
                continue
            except OSError as error:
                found.lost.append(f"{where}: it cannot be read: {error.strerror}")
                continue
            found.runs += kind == record.RUN
            found.jobs += kind == record.JOB
    found.lost += [
        f"run {number} has no record: its jobs are had back, and neither its recipe nor its log"
        for number in taking.without
    ]
    if not found.runs and not found.jobs:
        raise InputError(
            "no record of a run can be used: " + "; ".join(found.lost[:3]),
            where=str(workspace.records),
        )
    found.unlike = _look(store, jobs, tell)
    found.lost += _strays(store, workspace)
    found.lost += NEVER
    known = [int(row[0]) for row in store.db.execute("select id from run")]
    known += [int(path.stem.partition("-")[2]) for path in _records(workspace, "run")]
    found.run = _as_a_run(store, found, max(known) + 1)
    return found, unused


def _records(workspace: Workspace, kind: str) -> list[Path]:
    found = [path for path in workspace.records.glob(f"{kind}-*.json") if NAME.fullmatch(path.name)]
    return sorted(found)


def _look(store: Store, jobs: int, tell: Heard | None) -> list[str]:
    """Read every file that a record names, so that the next run need not; say what is not so."""
    wanted = files(store.db)
    unlike = {}
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        paths = {name: store.contents.absolute(name) for name in wanted}
        for done, (name, seen) in enumerate(
            zip(paths, pool.map(_seen, paths.values()), strict=True), 1
        ):
            if isinstance(seen, str):
                unlike[name] = seen
            else:
                signature, content = seen
                _headers(store, content)
                known = store.contents.add(content)
                if Signature.of(paths[name]) == signature:
                    store.contents.remember(paths[name], signature, known)
                if content.digest != wanted[name]:
                    unlike[name] = "it is not as it was made or read"
            if tell is not None:
                tell(done, len(paths))
    store.contents.flush(wait=True)
    gone = forgotten_files(store.db)
    return [f"{name}: {why}" for name, why in unlike.items() if name not in gone]


def _seen(path: str) -> tuple[Signature, Content] | str:
    try:
        signature = Signature.of(path)
        if signature is None:
            return "it is not there"
        return signature, look(Path(path))
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"


def _headers(store: Store, content: Content) -> None:
    """Give a content that came from a record the header cards of its file."""
    import json

    row = store.db.execute(
        "select id from content where digest = ?", [content.digest]
    ).fetchone()  # fmt: skip
    if row is None:
        return
    have = store.db.execute("select 1 from header where content_id = ?", [row[0]]).fetchone()
    if have is None:
        store.db.table("header").insert_all(
            {"content_id": row[0], "hdu": item.hdu, "name": item.name, "version": item.version,
             "cards": json.dumps(item.cards)}
            for item in content.headers
        )  # fmt: skip


def _strays(store: Store, workspace: Workspace) -> Iterator[str]:
    """Say of products without a record what their stamps tell."""
    known = files(store.db)
    for path in sorted(workspace.products.rglob("*.fits")):
        name = store.contents.relative(str(path))
        if name in known:
            continue
        stamps: dict[str, str] = {}
        with suppress(Hst123rError, OSError):
            # what is no FITS file has no stamps
            stamps = read_stamps(path)
        if stamps:
            yield (
                f"{name}: by its stamps job {stamps.get('H123JOB', '?')} of run "
                f"{stamps.get('H123RUN', '?')} made it, which has no record; it is made again"
            )


def _as_a_run(store: Store, found: Rebuilt, number: int) -> int:
    run_id = without_recipe.begin(store, WHAT, WHAT, "rebuilt", number)
    store.end_run(run_id, state="done", exit_code=0, ran=0, reused=[], blocked=[])
    say_rebuilt(store.db, run_id, found.lost)
    return run_id
