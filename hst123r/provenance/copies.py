"""Where else the bytes of a file are, and which run asked for the job that made it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hst123r.provenance.of_jobs import of_jobs
from hst123r.provenance.sqlite import Database
from hst123r.records import science


def paths(db: Database, content_id: int) -> list[str]:
    """Return every path where a content was seen, as the store has them."""
    rows = db.execute(
        "select path from product_file where content_id = :id union "
        "select path from job_input where content_id = :id and path is not null union "
        "select path from path_state where content_id = :id order by 1",
        {"id": content_id},
    )
    return [row[0] for row in rows]


def with_digest(db: Database, digest: str) -> list[str]:
    """Return every path where bytes of a digest were seen; empty where the store knows none."""
    row = db.execute("select id from content where digest = ?", [digest]).fetchone()
    return [] if row is None else paths(db, int(row[0]))


def names_its_run(db: Database, job_id: int, path: str) -> bool:
    """Whether a file that a job made tells of its run, so that it is never made again equal."""
    rows = db.execute(
        "select p.kind, f.role from product_file f join product p on p.id = f.product_id "
        "where p.job_id = ? and f.path = ?",
        [job_id, path],
    ).fetchall()
    return bool(rows) and all(science.names_its_run(kind, role) for kind, role in rows)


def last_runs(db: Database, job_ids: Iterable[int]) -> dict[int, int]:
    """Return the last run that made or reused each of some attempts."""
    rows = of_jobs(
        db,
        """
        select job, max(run) as run from (
            select id as job, run_id as run from job where id in asked
            union all select job_id, run_id from run_reused where job_id in asked)
        group by job
        """,
        job_ids,
    )
    return {row["job"]: row["run"] for row in rows}


def asked(db: Database, run_id: int) -> dict[str, Any]:
    """Return what a run was asked: ``path`` and ``text`` of its recipe, and ``set``."""
    path, text, options = db.execute(
        "select coalesce(c.path, ''), c.text, r.options from run r "
        "join recipe c on c.id = r.recipe_id where r.id = ?",
        [run_id],
    ).fetchone()
    return {"path": path, "text": text, "set": tuple(json.loads(options or "{}").get("set") or ())}
