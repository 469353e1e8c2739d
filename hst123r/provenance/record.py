"""A job, or a run, as one record outside the store: all of its rows, so that they can be had back.

A record is plain JSON: ``format``, ``digest`` of the rest, and ``rows`` by table as the store has
them, JSON columns as their text. Contents are named by digest, because their rows are shared.
"""

from __future__ import annotations

import json
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.files.content import digest_bytes
from hst123r.provenance.sqlite import Database

JOB: Final = "hst123r-job/1"
RUN: Final = "hst123r-run/1"
OF_JOB: Final = (
    "measurement", "caveat", "reject", "photometry", "reference_file", "download",
)  # fmt: skip
"""Tables whose rows belong to a job and name nothing else."""

SHARED: Final = ("recipe", "environment", "lock")
"""Tables that a run names a row of; a run without a lock names none."""


def of_job(db: Database, job_id: int) -> bytes:
    """Return the record of an attempt that ended.

    Parameters
    ----------
    db : Database
        The store.
    job_id : int
        Its row.

    Returns
    -------
    bytes
        JSON, the same for the same rows.
    """
    (job,) = db.query("select * from job where id = ?", [job_id])
    (uid,) = db.execute("select uid from run where id = ?", [job["run_id"]]).fetchone()
    rows: dict[str, list[dict[str, Any]]] = {
        table: list(db.query(f"select * from {table} where job_id = ? order by rowid", [job_id]))  # noqa: S608
        for table in ("job_param", "job_input", "product", *OF_JOB)
    }
    rows["product_file"] = list(
        db.query(
            "select f.* from product_file f join product p on p.id = f.product_id "
            "where p.job_id = ? order by f.id",
            [job_id],
        )
    )
    numbers = {
        row["content_id"] for name in ("job_input", "product_file") for row in rows[name]
    } - {None}
    contents = {
        row.pop("id"): row
        for row in db.query(
            "select * from content where id in (select value from json_each(?))",
            [json.dumps(sorted(numbers))],
        )
    }
    for name in ("job_input", "product_file"):
        for row in rows[name]:
            number = row.pop("content_id")
            row["content"] = None if number is None else contents[number]["digest"]
    rows["content"] = sorted(contents.values(), key=lambda row: str(row["digest"]))
    return _sealed(JOB, {"run": uid, "job": job, "rows": rows})


def of_run(db: Database, run_id: int) -> bytes:
    """Return the record of a run: its row, recipe, environment, lock, events and tags."""
    (run,) = db.query("select * from run where id = ?", [run_id])
    body: dict[str, Any] = {"run": run}
    for table in SHARED:
        number = run.pop(f"{table}_id")
        found = db.query(f"select * from {table} where id = ?", [number])  # noqa: S608
        row = next(iter(found), None)
        body[table] = row and {key: value for key, value in row.items() if key != "id"}
    for table in ("event", "tag"):
        body[table] = list(
            db.query(f"select * from {table} where run_id = ? order by rowid", [run_id])  # noqa: S608
        )
    return _sealed(RUN, body)


def marks(db: Database) -> dict[str, dict[int, str]]:
    """Return what tells whether a record is up to date, for all ``job`` and ``run``, by number.

    Each begins with the uid of the run, by which histories are told apart, and the state.
    """
    jobs = db.execute(
        "select j.id, r.uid || ' ' || j.state || ' ' || j.forgotten "
        "from job j join run r on r.id = j.run_id"
    )
    found: dict[str, dict[int, str]] = {"job": dict(jobs.fetchall())}
    events = dict(db.execute("select run_id, max(id) from event group by run_id").fetchall())
    tags: dict[int, list[str]] = {}
    for name, run, note in db.execute("select name, run_id, note from tag order by name"):
        tags.setdefault(run, []).append(f"{name}: {note}")
    found["run"] = {
        run: " ".join([uid, state, ended or "", str(events.get(run, 0)), *tags.get(run, ())])
        for run, uid, state, ended in db.execute("select id, uid, state, ended from run")
    }
    return found


def _sealed(kind: str, body: dict[str, Any]) -> bytes:
    text = _plain(body)
    head = json.dumps({"format": kind, "digest": digest_bytes(text.encode())})
    return f'{head[:-1]}, "body": {text}}}\n'.encode()


def _plain(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def read(data: bytes, kind: str, where: str) -> dict[str, Any]:
    """Read a record.

    Parameters
    ----------
    data : bytes
        The file.
    kind : str
        `JOB` or `RUN`.
    where : str
        Its name, for messages.

    Returns
    -------
    dict
        What was sealed.

    Raises
    ------
    InputError
        If it is damaged, changed by hand, or of another version.
    """
    try:
        found = json.loads(data)
        said, digest, body = found["format"], found["digest"], found["body"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("this record is damaged", where=where) from error
    if said != kind:
        raise InputError(f"this record is of the kind {said!r} and not {kind!r}", where=where)
    if not isinstance(body, dict) or digest_bytes(_plain(body).encode()) != digest:
        raise InputError("this record was changed after it was written", where=where)
    return body
