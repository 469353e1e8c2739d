"""Opening the store, and the rows about runs: recipe, environment, run, lease, event."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from hst123r.errors import EnvironmentProblem, InputError
from hst123r.files.content import digest_bytes
from hst123r.files.work_dir import STORE
from hst123r.provenance.contents import Contents, insert
from hst123r.provenance.jobs import Jobs
from hst123r.provenance.migrations import migrations
from hst123r.provenance.sqlite import Database
from hst123r.provenance.trouble import problem
from hst123r.provenance.views import outdated, renew
from hst123r.records.dates import utc_now

NAME: Final = STORE
APPLICATION_ID: Final = 0x48313233
"""Marks the file as ours in SQLite's header: the letters H123."""
LEFT_BY_RUNS: Final = ("raw", "products", "logs")
"""Folders that are not empty once something has been run."""
NETWORK: Final = frozenset(
    {"nfs", "nfs4", "lustre", "gpfs", "cifs", "smb3", "smbfs", "beegfs", "afs", "9p", "ceph",
     "fuse.sshfs", "fuse.glusterfs", "panfs"}
)  # fmt: skip
"""File systems on which SQLite's write-ahead log is unsafe."""


class Store:
    """The store of one work directory.

    Parameters
    ----------
    folder : Path
        The work directory.
    read_only : bool
        Open an existing store for questions only.
    memory : bool
        Keep the store in memory instead of in the work directory.

    Raises
    ------
    InputError
        If there is no store, or it is not one of ours.
    EnvironmentProblem
        If it was made by a newer hst123r, is damaged, or cannot be opened.
    """

    def __init__(self, folder: Path, *, read_only: bool = False, memory: bool = False) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.read_only = read_only
        self.memory = memory
        empty = not memory and self.path.is_file() and self.path.stat().st_size == 0
        if empty and has_been_used(folder):
            raise problem(self.path, sqlite3.DatabaseError("the file is empty"))
        if read_only and (empty or not self.path.is_file()):
            raise InputError(
                "there is no hst123r.sqlite here, so nothing has been run in this directory",
                where=str(folder),
                hint="Give the work directory with --work-dir",
            )
        try:
            self.db = self._connect()
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise problem(self.path, error) from error
        self.contents = Contents(self.db, folder, read_only=read_only)
        self.jobs = Jobs(self.db, self.contents)

    @classmethod
    def in_memory(cls, folder: Path) -> Store:
        """Return an empty store for a work directory that has none, e.g. to plan a first run."""
        return cls(folder, memory=True)

    def _connect(self) -> Database:
        if self.memory:
            return Database(memory=True, execute_plugins=False)
        if self.read_only:
            connection = self._connect_to_read()
        else:
            connection = sqlite3.connect(self.path, timeout=30)
        return Database(connection, execute_plugins=False)

    def _connect_to_read(self) -> sqlite3.Connection:
        """Open the file for questions, also where SQLite may not make its helper files."""
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=30)
        try:
            connection.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.OperationalError:
            log_file = self.path.with_name(NAME + "-wal")
            if os.access(self.folder, os.W_OK) or not os.access(self.path, os.R_OK):
                raise
            if log_file.is_file() and log_file.stat().st_size:
                raise EnvironmentProblem(
                    "a run here did not end, and its last rows cannot be read where nothing may "
                    "be written",
                    where=str(self.path),
                    hint=f"Copy {NAME} and {log_file.name} to a folder of yours, and ask there",
                ) from None
            connection.close()
            # nobody can write here, so nobody changes the file while it is read
            connection = sqlite3.connect(f"{uri}&immutable=1", uri=True)
        return connection

    def _prepare(self) -> None:
        owner = self.db.execute("pragma application_id").fetchone()[0]
        tables = self.db.execute("select count(*) from sqlite_master").fetchone()[0]
        if tables and owner != APPLICATION_ID:
            raise InputError("this SQLite file was not made by hst123r", where=str(self.path))
        known = {
            migration.name
            for migration in migrations.pending(Database(memory=True, execute_plugins=False))
        }
        unknown = [m.name for m in migrations.applied(self.db) if m.name not in known]
        if unknown:
            raise EnvironmentProblem(
                f"the store was made by a newer hst123r (it has {', '.join(unknown)})",
                where=str(self.path),
                hint="Upgrade hst123r, or use another work directory",
            )
        if self.read_only:
            if migrations.pending(self.db) or outdated(self.db):
                self.db = _brought_up_to_date(self.db)
            return
        self.db.execute("pragma foreign_keys = on")
        remote = not self.memory and file_system(self.folder) in NETWORK
        self.db.execute(f"pragma journal_mode = {'delete' if remote else 'wal'}")
        self.db.execute(f"pragma synchronous = {'full' if remote else 'normal'}")
        if migrations.pending(self.db):
            self.db.execute(f"pragma application_id = {APPLICATION_ID}")
            migrations.apply(self.db)
        renew(self.db)

    def close(self) -> None:
        """Close the store; a write-ahead log is folded back into the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes so that all or none of them happen, in memory as on disk."""
        try:
            with self.db.atomic():
                yield
        except BaseException:
            self.contents.forget()
            raise

    def begin_run(
        self, *, recipe: dict[str, Any], environment: dict[str, Any], run: dict[str, Any]
    ) -> int:
        """Record the start of a run.

        Parameters
        ----------
        recipe : dict
            ``name``, ``path``, ``text``, ``canonical`` (JSON values).
        environment : dict
            ``python``, ``platform``, ``packages``, ``crds_context``.
        run : dict
            The other columns of the table ``run``; JSON values for ``command``, ``options``
            and ``parameters``.

        Returns
        -------
        int
            Number of the run.
        """
        with self.transaction():
            recipe_id = self._once(
                "recipe",
                {
                    "digest": digest_bytes(recipe["text"].encode()),
                    "name": recipe["name"],
                    "path": recipe["path"],
                    "text": recipe["text"],
                    "canonical": _json(recipe["canonical"]),
                    "first_seen": utc_now(),
                },
            )
            canonical = _json(environment)
            environment_id = self._once(
                "environment",
                {
                    "digest": digest_bytes(canonical.encode()),
                    "python": environment["python"],
                    "platform": environment["platform"],
                    "packages": _json(environment["packages"]),
                    "crds_context": environment.get("crds_context"),
                },
            )
            row = {
                **run,
                "command": _json(run["command"]),
                "options": _json(run["options"]),
                "parameters": _json(run["parameters"]),
                "recipe_id": recipe_id,
                "environment_id": environment_id,
                "started": utc_now(),
                "state": "running",
            }
            return insert(self.db, "run", row)

    def _once(self, table: str, row: dict[str, Any]) -> int:
        """Insert a row unless one with its digest exists; return the id."""
        found = self.db.execute(
            f"select id from {table} where digest = ?",  # noqa: S608  (our own table names)
            [row["digest"]],
        ).fetchone()
        return int(found[0]) if found else insert(self.db, table, row)

    def end_run(
        self,
        run_id: int,
        *,
        state: str,
        exit_code: int,
        ran: int,
        reused: list[int],
        blocked: list[dict[str, str]],
        lock: str | None = None,
    ) -> None:
        """Record the end of a run.

        Parameters
        ----------
        run_id : int
            Number of the run.
        state : str
            ``done``, ``failed`` or ``interrupted``.
        exit_code : int
            Exit code of the command.
        ran : int
            Number of jobs that ran; they have rows of their own.
        reused : list of int
            Rows of the attempts whose results were reused.
        blocked : list of dict
            Jobs that could not run: ``stage``, ``label``, ``why``.
        lock : str, optional
            Text of the lock that it obeyed or left, if there is one.
        """
        self.db.table("run").update(
            run_id,
            {
                "lock_id": None if lock is None else self._lock(lock),
                "state": state,
                "exit_code": exit_code,
                "ended": utc_now(),
                "jobs_run": ran,
                "jobs_reused": len(reused),
                "reused": _json(reused),
                "blocked": _json(blocked),
            },
        )

    def _lock(self, text: str) -> int:
        row = {"digest": digest_bytes(text.encode()), "text": text, "first_seen": utc_now()}
        return self._once("lock", row)

    def event(
        self, run_id: int, level: str, code: str, message: str, job_id: int | None = None
    ) -> None:
        """Record something that happened in a run."""
        self.db.table("event").insert(
            {
                "run_id": run_id,
                "job_id": job_id,
                "time": utc_now(),
                "level": level,
                "code": code,
                "message": message,
            }
        )

    def take_lease(self, holder: dict[str, Any]) -> None:
        """Write who runs here, for others to read; the operating system's lock decides."""
        row = {"resource": "runner", "started": utc_now(), **holder}
        self.db.table("lease").upsert(row, pk="resource")

    def lease(self) -> dict[str, Any] | None:
        """Return who was the last to run here."""
        return next(self.db.table("lease").rows_where("resource = 'runner'"), None)

    def interrupted_runs(self) -> list[int]:
        """Return the runs that never ended, for the holder of the lock to clean up after."""
        rows = self.db.execute("select id from run where state = 'running'").fetchall()
        return [int(row[0]) for row in rows]


def _brought_up_to_date(old: Database) -> Database:
    """Return a copy in memory with the tables of now, of a store that must not be written."""
    new = Database(memory=True, execute_plugins=False)
    old.conn.backup(new.conn)
    old.close()
    migrations.apply(new)
    renew(new)
    return new


def has_been_used(folder: Path) -> bool:
    """Whether a folder holds what a run leaves, apart from the store."""
    return any(next((folder / name).glob("*"), None) is not None for name in LEFT_BY_RUNS)


def file_system(folder: Path) -> str:
    """Return the type of the file system a folder is on, empty where it cannot be told.

    Parameters
    ----------
    folder : Path
        An existing folder.

    Returns
    -------
    str
        As in ``/proc/self/mounts``, e.g. ``ext4`` or ``nfs4``.
    """
    if not sys.platform.startswith("linux"):
        return ""
    target = os.path.realpath(folder)
    best, kind = "", ""
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, found, *_ = line.split(" ")
        mount = mount.encode().decode("unicode_escape")
        inside = target == mount or target.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, found
    return kind


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
