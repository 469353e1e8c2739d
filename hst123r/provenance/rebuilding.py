"""Rows of a store from records of jobs and runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hst123r.errors import EnvironmentProblem, InputError
from hst123r.provenance.contents import insert
from hst123r.provenance.record import OF_JOB, SHARED
from hst123r.provenance.sqlite import Database
from hst123r.provenance.store import Store
from hst123r.records.dates import utc_now

CODE: Final = "rebuilt"
"""Code of the events that say that a run was had back from its record."""


LOST: Final = "lost"
NO_RECORD: Final = "# lost: the run has no record\n"


class Rebuilding:
    """Fills an empty store, record by record; each is taken whole or not at all.

    Parameters
    ----------
    store : Store
        An empty store.

    Attributes
    ----------
    without : list of int
        Runs that have no record, and stand in the store for the sake of their jobs.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.db = store, store.db
        self._runs: dict[str, int] = {}
        self.without: list[int] = []
        self._columns: dict[str, set[str]] = {}

    def run(self, body: Mapping[str, Any], where: str) -> None:
        """Take in the record of a run.

        Parameters
        ----------
        body : mapping
            As `record.read` gives it.
        where : str
            Its file, for messages.

        Raises
        ------
        InputError
            If it does not fit.
        EnvironmentProblem
            If it was written by a newer version.
        """
        with self._whole(where):
            row = dict(body["run"])
            for table in SHARED:
                shared = body[table]
                row[f"{table}_id"] = shared and self._once(table, shared, where)
            if row["state"] == "running":
                row["state"] = "interrupted"
            self._insert("run", [row], where)
            self._insert("event", body["event"], where)
            self._insert("tag", body["tag"], where)
            self._runs[row["uid"]] = row["id"]

    def job(self, body: Mapping[str, Any], where: str) -> None:
        """Take in the record of a job, after those of all runs; errors as of `run`.

        A run whose record is lost costs what was known of the run, and none of its jobs.
        """
        self._stand_in(body["run"], body["job"])
        with self._whole(where):
            job = body["job"]
            if self._runs.get(body["run"]) != job["run_id"]:
                raise InputError(
                    "this job is of another history than the run of its number", where=where
                )
            self._insert("job", [job], where)
            rows = body["rows"]
            known = {row["digest"]: self._once("content", row, where) for row in rows["content"]}
            for table in ("job_param", "product"):
                self._insert(table, rows[table], where)
            for table in ("job_input", "product_file"):
                self._insert(table, [_placed(row, known) for row in rows[table]], where)
            for table in OF_JOB:
                self._insert(table, rows[table], where)

    def _stand_in(self, uid: str, job: Mapping[str, Any]) -> None:
        """Insert a run that nothing is known of, unless there is one of this uid or number."""
        number = job["run_id"]
        if uid in self._runs or number in self._runs.values():
            return
        self.store.begin_run(
            recipe={"name": LOST, "path": "", "text": NO_RECORD, "canonical": {}},
            environment={"python": "", "platform": "", "packages": {}},
            run={
                "id": number, "uid": uid, "command": [], "folder": "", "user": "", "host": "",
                "pid": 0, "options": {"what": LOST}, "parameters": [],
            },
        )  # fmt: skip
        self.db.execute(
            "update run set started = ?, ended = ?, state = 'interrupted' where id = ?",
            [job["started"], job["ended"], number],
        )
        self._runs[uid] = number
        self.without.append(number)

    def _whole(self, where: str) -> _Whole:
        return _Whole(self.store, where)

    def _once(self, table: str, row: Mapping[str, Any], where: str) -> int:
        """Insert a row unless one with its digest exists; return the id."""
        found = self.db.execute(
            f"select id from {table} where digest = ?",  # noqa: S608  (our own table names)
            [row["digest"]],
        ).fetchone()
        if found is None:
            self._check(table, row, where)
            return insert(self.db, table, dict(row))
        if row.get("sha256"):
            self.db.execute(
                "update content set sha256 = ? where id = ? and sha256 is null",
                [row["sha256"], found[0]],
            )
        return int(found[0])

    def _insert(self, table: str, rows: Iterable[Mapping[str, Any]], where: str) -> None:
        found = [dict(row) for row in rows]
        for row in found:
            self._check(table, row, where)
        if found:
            self.db.table(table).insert_all(found)

    def _check(self, table: str, row: Mapping[str, Any], where: str) -> None:
        if table not in self._columns:
            self._columns[table] = set(self.db.table(table).columns_dict)
        unknown = set(row) - self._columns[table]
        if unknown:
            raise EnvironmentProblem(
                f"this record was written by a newer hst123r (it has {min(unknown)})",
                where=where, hint="Upgrade hst123r",
            )  # fmt: skip


class _Whole:
    """All rows of a record or none; what does not fit is an error about the record."""

    def __init__(self, store: Store, where: str) -> None:
        self.where = where
        self._transaction = store.transaction()

    def __enter__(self) -> None:
        self._transaction.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import sqlite3

        self._transaction.__exit__(kind, error, trace)
        if isinstance(error, (sqlite3.IntegrityError, KeyError, TypeError, AttributeError)):
            raise InputError(
                f"this record does not fit the others: {error}", where=self.where
            ) from error


def _placed(row: Mapping[str, Any], known: Mapping[str, int]) -> dict[str, Any]:
    """Return a row with the number of its content in the place of the digest."""
    found = {key: value for key, value in row.items() if key != "content"}
    return {**found, "content_id": None if row["content"] is None else known[row["content"]]}


def say_rebuilt(db: Database, run_id: int, lost: Iterable[str]) -> None:
    """Note with every run that it was had back, and with the rebuilding what was not."""
    text = "had back from its record; what is in it was not looked at again"
    now = utc_now()
    runs = [row[0] for row in db.execute("select id from run where id != ?", [run_id])]
    db.table("event").insert_all(
        {"run_id": run, "job_id": None, "time": now, "level": "info", "code": CODE,
         "message": message}
        for run, message in [
            *((run, text) for run in runs), *((run_id, sentence) for sentence in lost)
        ]
    )  # fmt: skip


def files(db: Database) -> dict[str, str]:
    """Return the digest that each file should have now, by path: of products, and what was read."""
    found = {
        row[0]: row[1]
        for row in db.execute(
            "select i.path, c.digest from job_input i join content c on c.id = i.content_id "
            "where i.path is not null order by i.id"
        )
    }
    found |= {
        row[0]: row[1]
        for row in db.execute(
            "select f.path, c.digest from product_file f join product p on p.id = f.product_id "
            "join job j on j.id = p.job_id join content c on c.id = f.content_id "
            "where f.owned = 1 and j.state = 'done' order by p.job_id, f.id"
        )
    }
    return found


def forgotten_files(db: Database) -> set[str]:
    """Return the files of results that count no more, e.g. because `gc` removed them."""
    rows = db.execute(
        "select f.path, j.forgotten, max(j.id) from product_file f "
        "join product p on p.id = f.product_id join job j on j.id = p.job_id "
        "where f.owned = 1 and j.state = 'done' group by f.path"
    )
    return {path for path, forgotten, _ in rows if forgotten}
