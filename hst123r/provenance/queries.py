"""Questions to the store, in the words of the field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hst123r.provenance.of_jobs import of_jobs
from hst123r.provenance.sqlite import Database

_JOBS = """
    select j.id as job, j.run_id as run, j.stage, j.label, j.handler, j.state, j.quality,
           j.started, j.ended, j.cpu_seconds, j.peak_memory_mb, j.reasons, j.error, j.key, j.log,
           j.labels, j.version, j.forgotten,
           (julianday(j.ended) - julianday(j.started)) * 86400.0 as seconds
    from job j
"""


def runs(
    db: Database, *, since: str | None = None, run_id: int | None = None
) -> list[dict[str, Any]]:
    """Return the runs, the first one first.

    Parameters
    ----------
    db : Database
        The store.
    since : str, optional
        Only runs that began at or after this ISO date.
    run_id : int, optional
        Only this run.

    Returns
    -------
    list of dict
        ``run``, ``uid``, ``started``, ``ended``, ``state``, ``exit_code``, ``recipe``, ``ran``,
        ``reused``, ``command``, ``user``, ``host``, ``options``, ``environment_id``, …
    """
    rows = db.query(
        """
        select r.id as run, r.uid, r.started, r.ended, r.state, r.exit_code, c.name as recipe,
               c.digest as recipe_digest, c.path as recipe_path, r.jobs_run as ran,
               r.jobs_reused as reused, r.command, r.folder, r.user, r.host, r.pid, r.options,
               r.environment_id
        from run r join recipe c on c.id = r.recipe_id
        where (:since is null or r.started >= :since) and (:run is null or r.id = :run)
        order by r.id
        """,
        {"since": since, "run": run_id},
    )
    return [
        {
            **row,
            "command": " ".join(json.loads(row["command"])),
            "options": json.loads(row["options"]),
        }
        for row in rows
    ]


def environment(db: Database, environment_id: int) -> dict[str, Any]:
    """Return an environment: Python, platform, packages."""
    row = dict(next(db.query("select * from environment where id = ?", [environment_id])))
    return {**row, "packages": json.loads(row["packages"])}


def parameters(db: Database, run_id: int) -> list[dict[str, Any]]:
    """Return the resolved parameters of a run, with their origins."""
    row = db.execute("select parameters from run where id = ?", [run_id]).fetchone()
    found: list[dict[str, Any]] = json.loads(row[0])
    return found


def jobs(
    db: Database,
    *,
    run_id: int | None = None,
    stage: str | None = None,
    label: str | None = None,
    about: str | None = None,
    path: str | None = None,
    since: str | None = None,
    job_id: int | None = None,
) -> list[dict[str, Any]]:
    """Return attempts at jobs, the first one first.

    Parameters
    ----------
    db : Database
        The store.
    run_id, stage, label, job_id : optional
        Only those.
    about : str, optional
        Only jobs about this target or field; jobs about a field count for all its targets.
    path : str, optional
        Only jobs that made or read the file of this path, as the store has it.
    since : str, optional
        Only jobs that began at or after this ISO date.

    Returns
    -------
    list of dict
        One for each attempt; ``reasons`` as a list of sentences.
    """
    rows = db.query(
        _JOBS  # noqa: S608  (two constants)
        + """
        where (:run is null or j.run_id = :run) and (:stage is null or j.stage = :stage)
          and (:label is null or j.label = :label) and (:job is null or j.id = :job)
          and (:since is null or j.started >= :since)
          and (:about is null or json_extract(j.labels, '$.target') = :about
               or json_extract(j.labels, '$.target') is null
                  and json_extract(j.labels, '$.field') in
                      (select :about union select json_extract(labels, '$.field') from job
                       where json_extract(labels, '$.target') = :about))
          and (:path is null
               or exists (select 1 from job_input i where i.job_id = j.id and i.path = :path)
               or exists (select 1 from product p join product_file f on f.product_id = p.id
                          where p.job_id = j.id and f.path = :path and f.owned = 1))
        order by j.id
        """,
        {"run": run_id, "stage": stage, "label": label, "about": about, "path": path,
         "since": since, "job": job_id},
    )  # fmt: skip
    return [_job(row) for row in rows]


def _job(row: dict[str, Any]) -> dict[str, Any]:
    reasons = [text for _, text in json.loads(row["reasons"])]
    return {
        **row,
        "labels": json.loads(row["labels"]),
        "reasons": reasons,
        "why": reasons,
        "forgotten": bool(row["forgotten"]),
    }


def maker_of(db: Database, path: str) -> int | None:
    """Return the job that last made the file of a path, None when no job did."""
    row = db.execute(
        """
        select max(p.job_id) from product_file f join product p on p.id = f.product_id
        join job j on j.id = p.job_id where f.path = ? and f.owned = 1 and j.state = 'done'
        """,
        [path],
    ).fetchone()
    return None if row is None else row[0]


def makers(db: Database, path: str) -> list[str]:
    """Return the jobs that ever made the file of a path, forgotten ones too.

    Parameters
    ----------
    db : Database
        The store.
    path : str
        Path as the store has it.

    Returns
    -------
    list of str
        ``stage:label``, the first attempt first.
    """
    rows = db.execute(
        """
        select j.stage || ':' || j.label from product_file f
        join product p on p.id = f.product_id join job j on j.id = p.job_id
        where f.path = ? and f.owned = 1 and j.state = 'done' order by j.id
        """,
        [path],
    )
    return [row[0] for row in rows]


def job_details(db: Database, job_id: int | None) -> dict[str, Any]:
    """Return measurements, caveats and rejects of a job.

    Parameters
    ----------
    db : Database
        The store.
    job_id : int or None
        Row of the attempt; None gives empty lists.

    Returns
    -------
    dict
        ``measurements``, ``caveats`` and ``rejects``, each a list of dicts.
    """
    if job_id is None:
        return {"measurements": [], "caveats": [], "rejects": []}
    details: dict[str, Any] = {
        "measurements": list(
            db.query(
                "select name, value, unit, low, high, quality, subject from measurement "
                "where job_id = ? order by id",
                [job_id],
            )
        ),
        "caveats": list(
            db.query(
                "select code, text, subject from caveat where job_id = ? order by id", [job_id]
            )
        ),
    }
    rejects = db.query(
        "select subject, code, reason, labels from reject where job_id = ? order by id", [job_id]
    )
    details["rejects"] = [{**row, "labels": json.loads(row["labels"])} for row in rejects]
    return details


def rejects(db: Database, job_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return what some jobs left out, and why.

    Parameters
    ----------
    db : Database
        The store.
    job_ids : iterable of int
        Rows of the attempts.

    Returns
    -------
    list of dict
        ``job_id``, ``subject``, the labels, ``code`` and ``reason``, in the order of the jobs.
    """
    found = of_jobs(
        db,
        "select job_id, subject, labels, code, reason from reject "
        "where job_id in asked order by job_id, id",
        job_ids,
    )
    return [
        {"job_id": row["job_id"], "subject": row["subject"], **json.loads(row["labels"]),
         "code": row["code"], "reason": row["reason"]}
        for row in found
    ]  # fmt: skip


def caveats(db: Database, job_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return the caveats of some jobs, each once, where it was first raised.

    Parameters
    ----------
    db : Database
        The store.
    job_ids : iterable of int
        Rows of the attempts.

    Returns
    -------
    list of dict
        ``job`` (stage and label), ``code``, ``text`` and ``subject``, in the order of the jobs.
    """
    found = of_jobs(
        db,
        "select min(c.job_id), j.stage || ':' || j.label as job, c.code, c.text, c.subject "
        "from caveat c join job j on j.id = c.job_id "
        "where c.job_id in asked "
        "group by c.code, c.text, c.subject order by c.job_id, c.id",
        job_ids,
    )
    return [{key: row[key] for key in ("job", "code", "text", "subject")} for row in found]


def without_job(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the number of its job, which means nothing outside the store."""
    return {key: value for key, value in row.items() if key != "job_id"}


def job_files(db: Database, job_id: int) -> dict[str, Any]:
    """Return what a job read and made.

    Parameters
    ----------
    db : Database
        The store.
    job_id : int
        Row of the attempt.

    Returns
    -------
    dict
        ``parameters``, ``tools``, ``inputs``, ``products`` and ``references``.
    """
    return {
        "parameters": list(
            db.query(
                "select name, value, origin from job_param where job_id = ? and kind = 'param'",
                [job_id],
            )
        ),
        "tools": list(
            db.query(
                "select name, value as version from job_param where job_id = ? and kind = 'tool'",
                [job_id],
            )
        ),
        "inputs": list(
            db.query(
                """
                select i.kind, i.name, i.role, i.path, c.digest from job_input i
                join content c on c.id = i.content_id where i.job_id = ? order by i.id
                """,
                [job_id],
            )
        ),
        "products": list(
            db.query(
                """
                select p.kind, p.name, f.role, f.path, c.digest, c.size, p.quality
                from product p join product_file f on f.product_id = p.id
                join content c on c.id = f.content_id where p.job_id = ? order by f.id
                """,
                [job_id],
            )
        ),
        "references": list(
            db.query(
                "select keyword, name from reference_file where job_id = ? order by id", [job_id]
            )
        ),
    }


def current_files(db: Database) -> list[dict[str, Any]]:
    """Return every file that the latest done attempts made, with its content.

    A path counts for the last attempt that owns it only: where a stage was renamed or left the
    recipe, another job may have put another file there.

    Parameters
    ----------
    db : Database
        The store.

    Returns
    -------
    list of dict
        ``path``, ``content_id``, ``stage``, ``label``, ``job``.
    """
    return list(
        db.query(
            """
            select f.path, f.content_id, j.stage, j.label, j.id as job
            from product_file f join product p on p.id = f.product_id join job j on j.id = p.job_id
            join (select f.path, max(p.job_id) as job from product_file f
                  join product p on p.id = f.product_id join job j on j.id = p.job_id
                  where f.owned = 1 and j.state = 'done' group by f.path) last
                on last.path = f.path and last.job = j.id
            where f.owned = 1 and j.id in
                (select max(id) from job where state = 'done' and forgotten = 0
                 group by stage, label)
            order by f.path
            """
        )
    )


def latest_done(db: Database, handler: str) -> list[int]:
    """Return the latest done attempt of every job of a stage, by the stage's own name."""
    rows = db.execute(
        "select max(id) from job where state = 'done' and forgotten = 0 and handler = ? "
        "group by stage, label order by stage, label",
        [handler],
    )
    return [row[0] for row in rows]
