"""A lost or damaged store made again from the records of its jobs and the files themselves."""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hst123r.engine import without_recipe
from hst123r.engine.adopt import adopt
from hst123r.engine.hold import busy
from hst123r.engine.job_records import NAME, Kept, put_away
from hst123r.engine.stamped import check_room, made_by, stamped
from hst123r.engine.workspace import Lock, Workspace
from hst123r.errors import EnvironmentProblem, InputError
from hst123r.files.content import Content, Signature, look
from hst123r.files.publish import machine_errors, sync
from hst123r.provenance import backup, record
from hst123r.provenance.rebuilding import Rebuilding, files, forgotten_files, say_rebuilt
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
        Where the store was put that was there, or the log of a lost one; empty where there was
        none.
    adopted : list of str
        Files that were adopted, because there are no records that tell more of them.
    """

    runs: int = 0
    jobs: int = 0
    run: int = 0
    lost: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    damaged: str = ""
    adopted: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def place_of(given: Path | None, start: Path, records: Path | None = None) -> Path:
    """Find the work directory whose store is lost.

    Parameters
    ----------
    given : Path or None
        What the user said.
    start : Path
        The current directory.
    records : Path or None
        A folder of records, if the user named one.

    Returns
    -------
    Path
        A folder with records, or with files that can be adopted in their stead.

    Raises
    ------
    InputError
        If there is neither.
    """
    folder = (start if given is None else given.expanduser()).resolve()
    workspace = Workspace(folder)
    if records is None and not _any(workspace.records) and not stamped(workspace):
        raise InputError(
            "there are neither records of jobs here nor products with stamps, so that nothing can "
            "be rebuilt",
            where=str(workspace.records),
            hint="Give the work directory with --work-dir; `hst123r run` begins a new store",
        )
    return folder


def folder_of(records: Path, folder: Path) -> Path:
    """Return a folder of records that a user named, from here or from the work directory.

    Raises
    ------
    InputError
        If there are none in it.
    """
    named = records.expanduser()
    for place in (named.absolute(), folder / named):
        if _any(place):
            return place
    raise InputError("there are no records of jobs in this folder", where=str(records))


def _any(folder: Path) -> bool:
    return any(NAME.fullmatch(path.name) for path in folder.glob("*.json"))


def rebuild(
    workspace: Workspace,
    *,
    records: Path | None = None,
    jobs: int = 1,
    tell: Heard | None = None,
) -> Rebuilt:
    """Make a store from records; it is put in its place when it is whole.

    Where there are no records, products and what was adopted before are adopted: what is made from
    them will say that nobody knows how they were made.

    Parameters
    ----------
    workspace : Workspace
        The work directory.
    records : Path, optional
        Records that were put aside, to go back to; then a store that is well is put aside, too.
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
        if not _is_well(workspace):
            why = "damaged"
        elif records is None:
            raise InputError(
                "there is a store, and it is well", where=str(workspace.store),
                hint="`hst123r db check` says more. To rebuild all the same, move it away first",
            )  # fmt: skip
        else:
            why = "replaced"
        if records is not None or _any(workspace.records):
            return _from_records(workspace, records, why, jobs, tell)
        return _from_stamps(workspace, why)
    finally:
        lock.release()


def _from_records(
    workspace: Workspace, records: Path | None, why: str, jobs: int, tell: Heard | None
) -> Rebuilt:
    with closing(Store.in_memory(workspace.folder)) as store:
        found, unused = _fill(store, workspace, records or workspace.records, jobs, tell)
        found.damaged = _put_in_place(store, workspace, why)
        kept = Kept(store, workspace, found.lost.append)
        if unused and records is None:
            found.lost.append(f"unused records are in {put_away(unused, 'not-had-back').name}")
        kept.put_others_away()
        kept.up_to_date()
    return found


def _from_stamps(workspace: Workspace, why: str) -> Rebuilt:
    """Begin a store with what can be adopted.

    Whatever ends this before all files are copied leaves the folder without a store, or with the
    damaged one, so that it can be begun again; files that are copied by then are taken as they are.
    """
    wanted = stamped(workspace)
    if not wanted:
        raise InputError(
            "there are neither records of jobs here nor products with stamps",
            where=str(workspace.records),
        )
    check_room(workspace, wanted)
    found = Rebuilt()
    with closing(Store.in_memory(workspace.folder)) as store:
        taken = adopt(store, workspace, wanted, "")
        (found.run,) = store.db.execute("select max(id) from run").fetchone()
        found.adopted = [row.file for row in taken if row.state == "adopted"]
        found.lost = [
            "which runs there were, and how their results were made: there are no records"
        ]
        found.damaged = _put_in_place(store, workspace, why)
        Kept(store, workspace, found.lost.append).up_to_date()
    return found


def _put_in_place(store: Store, workspace: Workspace, why: str) -> str:
    """Write a store that is whole to disk, in the place of the old one; return where that is."""
    part = workspace.store.with_name(workspace.store.name + ".rebuilt")
    with suppress(FileNotFoundError):
        part.unlink()
    backup.copy(store, part)
    old = _put_away(workspace, why)
    with machine_errors("put the store in its place", workspace.store):
        part.rename(workspace.store)
        sync(workspace.folder)
    return old


def _is_well(workspace: Workspace) -> bool:
    """Whether there is a store that is well; one that is just out of reach is an error."""
    if not workspace.store.exists():
        return False
    try:
        with closing(Store(workspace.folder, read_only=True)) as store:
            return not backup.check(store)["problems"]
    except sqlite3.DatabaseError as error:
        if not is_damage(str(error)):
            raise problem(workspace.store, error) from error
        return False
    except EnvironmentProblem as error:
        if error.hint not in DAMAGES:
            raise
        return False


def _put_away(workspace: Workspace, why: str) -> str:
    """Move a store, and what a lost one left beside it, away; never over another.

    SQLite would replay the log of a lost store into the new one.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = workspace.store.name
    ends = ("-wal", "-shm", "-journal", "")
    stamps = itertools.chain([stamp], (f"{stamp}-{n}" for n in itertools.count(2)))
    base = next(
        base
        for base in (f"{name}.{why}-{text}" for text in stamps)
        if not any(workspace.store.with_name(base + end).exists() for end in ends)
    )
    told = ""
    with machine_errors("move the old store away", workspace.store):
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
    store: Store, workspace: Workspace, folder: Path, jobs: int, tell: Heard | None
) -> tuple[Rebuilt, list[Path]]:
    """Fill a store from a folder; return what came of it, and records that are of no use."""
    found = Rebuilt()
    unused = []
    taking = Rebuilding(store)
    for kind, take in ((record.RUN, taking.run), (record.JOB, taking.job)):
        for path in _records(folder, "run" if kind == record.RUN else "job"):
            where = os.path.relpath(path, store.folder)
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
            where=str(folder),
        )
    found.unlike = _look(store, jobs, tell)
    found.lost += _strays(store, workspace)
    found.lost += NEVER
    known = [int(row[0]) for row in store.db.execute("select id from run")]
    known += [int(path.stem.partition("-")[2]) for path in _records(folder, "run")]
    found.run = _as_a_run(store, found, max(known) + 1)
    return found, unused


def _records(folder: Path, kind: str) -> list[Path]:
    found = [path for path in folder.glob(f"{kind}-*.json") if NAME.fullmatch(path.name)]
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
        if told := made_by(path):
            yield f"{name}: {told}, which has no record; it is made again. `hst123r adopt` keeps it"


def _as_a_run(store: Store, found: Rebuilt, number: int) -> int:
    run_id = without_recipe.begin(store, WHAT, WHAT, "rebuilt", number)
    store.end_run(run_id, state="done", exit_code=0, ran=0, reused=[], blocked=[])
    say_rebuilt(store.db, run_id, found.lost)
    return run_id
