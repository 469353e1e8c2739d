"""From a job back to all that it stands on, and forward to all that stands on it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hst123r.provenance.of_jobs import of_jobs
from hst123r.provenance.sqlite import Database

BACK: Final = """
    with recursive behind(job) as (
        select value from json_each(:jobs)
      union
        select p.job_id from behind b join lineage l on l.job = b.job
        join product p on p.id = l.product
    )
    select job from behind
"""
_MADE: Final = """
    made(job, kind, name, role, path, made_by) as materialized (
        select l.job, l.kind, l.name, l.role, l.path, p.job_id
        from read l join product p on p.id = l.product
      union
        select l.job, l.kind, l.name, l.role, l.path, p.job_id
        from read l join product_file f on f.path = l.path and f.owned = 1
        join product p on p.id = f.product_id and p.id > l.product
        join job m on m.id = p.job_id and m.state = 'done'
        join content c on c.id = f.content_id
        join content was on was.id = l.content_id
        where c.id = was.id or not exists (
            select 1 from json_each(l.identity) i where case
                when i.key = 'bytes' and was.facets <> '{}' then c.facets = '{}' or exists (
                    select 1 from json_each(was.facets) t where t.key <> 'volatile' and t.value
                    is not (select u.value from json_each(c.facets) u where u.key = t.key))
                else i.value is not coalesce(
                    (select t.value from json_each(c.facets) t where t.key = i.key), c.digest)
                end)
      union
        select l.job, l.kind, l.name, l.role, l.path, p.job_id
        from read l join product o on o.id = l.product
        join product p on p.name = o.name and p.kind = o.kind and p.id > o.id
             and p.facts = o.facts and p.labels = o.labels
        join job m on m.id = p.job_id and m.state = 'done'
        where l.path is null
    )
"""
"""What jobs read (`read`, rows of the view), and all attempts that made it: the one before the job
began, and later ones whose product is equal in all that the job looks at. These let the job's
result be reused, so that it stands on them as well. All bytes of a FITS file are, for a job that
looks at them, all its facets but the volatile one, as
:meth:`~hst123r.provenance.contents.Known.facet` has it."""
FORWARD: Final = f"""
    with recursive
    read as materialized (
        select l.* from lineage l join job j on j.id = l.job
        where j.state = 'done' and (:all or j.id in (select job from last_good))
    ),
    {_MADE},
    ahead(job) as (
        select value from json_each(:jobs)
      union
        select m.job from ahead a join made m on m.made_by = a.job
    )
    select job from ahead
"""  # noqa: S608  (constants of this module)
_LINKS: Final = """
    select l.job, l.kind, l.name, l.role, l.path, l.content_id, c.digest, c.sha256, l.product,
           p.job_id as made_by, p.labels
    from lineage l left join product p on p.id = l.product
    left join content c on c.id = l.content_id
    where l.job in asked
"""
_JOBS: Final = """
    select j.id as job, j.stage || ':' || j.label as name, j.stage, j.label, j.run_id as run,
           j.state, j.quality, j.started, j.key,
           j.id in (select job from last_good) as current
    from job j where j.id in asked order by j.id
"""


@dataclass(frozen=True, slots=True)
class Link:
    """One thing a job read.

    Parameters
    ----------
    job : int
        The job that read it.
    kind, name, role : str
        Kind and name of the product, and the role of the file.
    path : str or None
        As the store has it; None for what is read without a file.
    content_id : int or None
        Its content.
    digest, sha256 : str or None
        Digests of its bytes.
    made_by : int or None
        The job that made it, None where none did.
    labels : dict of str to str
        Of the product it is of.
    """

    job: int
    kind: str
    name: str
    role: str
    path: str | None
    content_id: int | None
    digest: str | None
    sha256: str | None
    made_by: int | None
    labels: dict[str, str]


def behind(db: Database, jobs: Iterable[int]) -> list[int]:
    """Return some jobs and all that they stand on, through all stages.

    Parameters
    ----------
    db : Database
        The store.
    jobs : iterable of int
        Rows of attempts.

    Returns
    -------
    list of int
        Rows of attempts, in order.
    """
    return sorted(row[0] for row in db.execute(BACK, {"jobs": json.dumps(list(jobs))}))


def ahead(db: Database, jobs: Iterable[int], *, every: bool) -> list[int]:
    """Return some jobs and all done ones that stand on them.

    Parameters
    ----------
    db : Database
        The store.
    jobs : iterable of int
        Rows of attempts.
    every : bool
        Attempts that count no more, too.

    Returns
    -------
    list of int
        Rows of attempts, in order.
    """
    given = {"jobs": json.dumps(list(jobs)), "all": int(every)}
    return sorted(row[0] for row in db.execute(FORWARD, given))


def links(db: Database, jobs: Iterable[int]) -> list[Link]:
    """Return what some jobs read, in the order they were given it."""
    return [
        Link(
            row["job"], row["kind"], row["name"], row["role"], row["path"], row["content_id"],
            row["digest"], row["sha256"], row["made_by"], json.loads(row["labels"] or "{}"),
        )
        for row in of_jobs(db, _LINKS, jobs)
    ]  # fmt: skip


def makers(db: Database, jobs: Iterable[int]) -> dict[tuple[Any, ...], list[int]]:
    """Return all attempts that made what some jobs read, equal ones that came later, too.

    Parameters
    ----------
    db : Database
        The store.
    jobs : iterable of int
        Rows of attempts.

    Returns
    -------
    dict
        Rows of attempts in order, by job, kind, name, role and path of a `Link`.
    """
    found: dict[tuple[Any, ...], list[int]] = {}
    for *link, made_by in db.execute(
        f"""
        with read as materialized (
            select * from lineage where job in (select value from json_each(?))), {_MADE}
        select job, kind, name, role, path, made_by from made order by made_by
        """,  # noqa: S608
        [json.dumps(list(jobs))],
    ):
        found.setdefault(tuple(link), []).append(made_by)
    return found


def readers(db: Database, path: str, maker: int | None, *, every: bool) -> list[int]:
    """Return the done jobs that read a file.

    Parameters
    ----------
    db : Database
        The store.
    path : str
        As the store has it.
    maker : int or None
        Only what this job made of it, and what is equal to that; None for a file no job made.
    every : bool
        Attempts that count no more, too.

    Returns
    -------
    list of int
        Rows of attempts, in order.
    """
    rows = db.execute(
        f"""
        with read as materialized (select * from lineage where path = :path), {_MADE}
        select distinct l.job from read l join job j on j.id = l.job
        where l.path = :path and j.state = 'done'
          and case when :maker is null then l.product is null
              else exists (select 1 from made m
                           where m.job = l.job and m.path = l.path and m.made_by = :maker) end
          and (:all or j.id in (select job from last_good)) order by l.job
        """,  # noqa: S608
        {"path": path, "maker": maker, "all": int(every)},
    )
    return [row[0] for row in rows]


def jobs(db: Database, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return attempts by number, with ``current`` where they count."""
    rows = of_jobs(db, _JOBS, ids)
    return {row["job"]: {**row, "current": bool(row["current"])} for row in rows}


def jobs_about(db: Database, target: str) -> list[int]:
    """Return the jobs that count about a target, or about a field of this name."""
    rows = db.execute(
        "select job from last_good where target = :name or target is null and field = :name "
        "order by job",
        {"name": target},
    )
    return [row[0] for row in rows]


def downloads(db: Database, ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """Return the address in an archive by job and name of the file."""
    rows = of_jobs(
        db,
        "select job_id, coalesce(path, uri) as path, uri from download "
        "where job_id in asked order by id",
        ids,
    )
    return {(row["job_id"], row["path"].rpartition("/")[2]): row["uri"] for row in rows}


def owned_files(db: Database, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return the files that some jobs made: ``job``, ``role``, ``path``, ``digest``, ``sha256``."""
    return list(
        of_jobs(
            db,
            """
            select p.job_id as job, p.kind, p.name, f.role, f.path, c.digest, c.sha256
            from product p join product_file f on f.product_id = p.id
            join content c on c.id = f.content_id
            where f.owned = 1 and p.job_id in asked order by f.id
            """,
            ids,
        )
    )


def jobs_of_content(db: Database, digest: str) -> list[tuple[int, str]]:
    """Return the last done job that made a file with these bytes, and the file's path there."""
    rows = db.execute(
        """
        select p.job_id, f.path from content c join product_file f on f.content_id = c.id
        join product p on p.id = f.product_id join job j on j.id = p.job_id
        where c.digest = ? and f.owned = 1 and j.state = 'done' order by p.job_id desc limit 1
        """,
        [digest],
    )
    return [(row[0], row[1]) for row in rows]


def points(db: Database, target: str, through: str, when: str) -> list[dict[str, Any]]:
    """Return the rows of a target's light curves that count.

    Parameters
    ----------
    db : Database
        The store.
    target, through : str
        Names of target and filter; an empty filter gives those of all.
    when : str
        An epoch, the root of an exposure or a visit; empty for the row of all exposures. Ignored
        without a filter.

    Returns
    -------
    list of dict
        Rows of `photometry`; several where detectors share the filter's name.
    """
    return list(
        db.query(
            """
            select p.* from photometry p join last_good g on g.job = p.job_id
            where p.target = :target and (:filter = '' or p.filter = :filter
              and (case when :when = '' then p.level = 'filter'
                   else (p.level = 'epoch' and p.epoch = :when)
                     or (p.level = 'exposure' and p.exposure = :when)
                     or (p.level = 'visit' and p.visit = :when) end))
            order by p.id
            """,
            {"target": target, "filter": through, "when": when},
        )
    )
