"""What one run had: the jobs it made or reused, and all that hangs on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from hst123r.provenance.of_jobs import of_jobs
from hst123r.provenance.rows import Part
from hst123r.provenance.sqlite import Database
from hst123r.records.science import SCIENCE, names_its_run


def last_run(db: Database) -> int | None:
    """Return the last run of a recipe that ended, else the last one, None where there is none.

    A repair is none: it had some jobs of a recipe that may be an old one.
    """
    row = db.execute(
        "select id from run where json_extract(options, '$.what') is null "
        "and json_extract(options, '$.repair') is null "
        "order by ended is not null and state != 'interrupted' desc, id desc"
    ).fetchone()
    return None if row is None else int(row[0])


def jobs(db: Database, run_id: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the results a run ended with, by stage and label.

    Parameters
    ----------
    db : Database
        The store.
    run_id : int
        Number of the run.

    Returns
    -------
    dict
        ``job``, ``stage``, ``label``, ``key``, ``state`` and ``quality``; jobs that failed, too.
    """
    rows = db.query(
        """
        select id as job, stage, label, key, state, quality from job
        where id in (select id from job where run_id = :run
                     union select job_id from run_reused where run_id = :run)
        order by id
        """,
        {"run": run_id},
    )
    return {(row["stage"], row["label"]): row for row in rows}


def parts(db: Database, jobs: Iterable[int]) -> dict[int, list[Part]]:
    """Return the named parts of the keys of jobs, inputs by facet among them.

    Where a job looks at the bytes of a FITS file, the facets that mean something stand for these:
    bytes hold dates and the name of the run. Pictures and reports that it shows are left out.
    """
    found: dict[int, list[Part]] = {job: [] for job in jobs}
    for row in of_jobs(
        db,
        "select job_id, kind, name, value, origin from job_param "
        "where job_id in asked order by job_id, kind, name",
        found,
    ):
        found[row.pop("job_id")].append(Part(**row))
    for row in of_jobs(
        db,
        "select i.job_id, i.kind, i.name, i.role, i.identity, c.facets "
        "from job_input i left join content c on c.id = i.content_id "
        "where i.job_id in asked order by i.id",
        found,
    ):
        if names_its_run(row["kind"], row["role"]):
            continue
        meaning = [json.loads(row["facets"] or "{}").get(facet) for facet in SCIENCE]
        found[row["job_id"]] += [
            Part(
                "input",
                f"{row['kind']}/{row['name']}/{row['role']}/{facet}",
                json.dumps(meaning) if facet == "bytes" and any(meaning) else digest,
            )
            for facet, digest in json.loads(row["identity"]).items()
        ]
    return found


def files(db: Database, jobs: Iterable[int]) -> dict[str, dict[str, Any]]:
    """Return the files that jobs made, by path, with digest, facets as JSON, role and kind."""
    rows = of_jobs(
        db,
        """
        select f.path, c.digest, c.facets, f.role, p.kind, p.name, p.labels, p.job_id as job
        from product p join product_file f on f.product_id = p.id
        join content c on c.id = f.content_id
        where f.owned = 1 and p.job_id in asked order by f.path
        """,
        jobs,
    )
    return {row["path"]: row for row in rows}


def measurements(db: Database, jobs: Iterable[int]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return measurements of jobs by stage, label, subject and name."""
    rows = of_jobs(
        db,
        """
        select j.stage, j.label, m.subject, m.name, m.value, m.unit, m.quality
        from measurement m join job j on j.id = m.job_id
        where m.job_id in asked order by m.id
        """,
        jobs,
    )
    return {(row["stage"], row["label"], row["subject"], row["name"]): row for row in rows}


def canonical(db: Database, run_id: int) -> dict[str, Any]:
    """Return the recipe of a run as plain values, with the places that were looked up."""
    (text,) = db.execute(
        "select c.canonical from run r join recipe c on c.id = r.recipe_id where r.id = ?", [run_id]
    ).fetchone()
    found: dict[str, Any] = json.loads(text)
    return found


POINT: Final = ("stage", "target", "level", "detector", "filter", "epoch", "visit", "exposure")
"""Columns that tell the points of a light curve apart; two stages may make one of a target."""


def photometry(db: Database, jobs: Iterable[int]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return light curves of jobs, point by point.

    Parameters
    ----------
    db : Database
        The store.
    jobs : iterable of int
        Rows of attempts.

    Returns
    -------
    dict
        Rows by the columns of `POINT` and the source. The source is empty where a point has only
        one: its number is that of a list that may have changed, and the target is the same.
    """
    points: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in of_jobs(
        db,
        "select p.*, j.stage from photometry p join job j on j.id = p.job_id "
        "where p.job_id in asked order by p.id",
        jobs,
    ):
        points.setdefault(tuple(row[name] or "" for name in POINT), []).append(row)
    found = {}
    for key, rows in points.items():
        for place, row in enumerate(rows):
            source = "" if len(rows) == 1 else row["source"] or ""
            # the sources of a target have numbers; should one not, its place stands for it
            about = (*key, source)
            found[about if about not in found else (*key, f"{source} ({place})")] = row
    return found
