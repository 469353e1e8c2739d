"""The views of the store: the joins that people ask for, under names that stay."""

from __future__ import annotations

from typing import Final

from hst123r.provenance.sqlite import Database

_LABELS: Final = """
           json_extract(j.labels, '$.target') as target,
           json_extract(j.labels, '$.field') as field,
           json_extract(j.labels, '$.detector') as detector,
           json_extract(j.labels, '$.filter') as filter,
           json_extract(j.labels, '$.epoch') as epoch,
           json_extract(j.labels, '$.visit') as visit,
           json_extract(j.labels, '$.exposure') as exposure
"""

_CURRENT: Final = """
           j.id in (select max(id) from job where state = 'done' and forgotten = 0
                    group by stage, label) as current
"""

LAST_GOOD: Final = f"""
    select j.id as job, j.run_id as run, j.stage, j.label, j.handler, j.version, j.quality,
           j.started, j.ended, j.key,
           {_LABELS}
    from job j
    where j.id in (select max(id) from job where state = 'done' and forgotten = 0
                   group by stage, label)
"""  # noqa: S608  (constants of this module)

_OF_PATH: Final = """
            select max(p.id) from product_file f join product p on p.id = f.product_id
            join job m on m.id = p.job_id
            where f.path = i.path and f.owned = 1 and m.state = 'done' and m.id < i.job_id
"""
_WITHOUT_FILE: Final = """
           not exists (select 1 from job_input o where o.job_id = i.job_id and o.kind = i.kind
                       and o.name = i.name and o.path is not null)
"""

LINEAGE: Final = f"""
    select i.job_id as job, i.kind, i.name, i.role, i.path, i.content_id,
           case when i.path is null then
             (select max(p.id) from product p join job m on m.id = p.job_id
              where p.name = i.name and p.kind = i.kind and m.state = 'done' and m.id < i.job_id)
           else
             coalesce(({_OF_PATH} and f.content_id = i.content_id), ({_OF_PATH}))
           end as product,
           i.identity
    from job_input i
    where i.path is not null or {_WITHOUT_FILE}
"""  # noqa: S608
"""A job reads a file, and the product that file is of: the one with the same bytes, else the last
one before the job began. What a job knows only by facts has no path, and is found by its name."""

MEASUREMENTS: Final = f"""
    select m.id, j.run_id as run, m.job_id as job, j.stage, j.label, m.subject, m.name, m.value,
           m.unit, m.low, m.high, m.quality,
           {_LABELS},
           {_CURRENT}
    from measurement m join job j on j.id = m.job_id
"""  # noqa: S608

PHOTOMETRY_BY_RUN: Final = """
    select s.run_id as run, r.started as run_started, p.*
    from (select run_id, id as job_id from job where state = 'done'
          union select run_id, job_id from run_reused) s
    join run r on r.id = s.run_id
    join photometry p on p.job_id = s.job_id
"""

REJECTS: Final = f"""
    select e.id, j.run_id as run, e.job_id as job, j.stage, j.label, e.subject, e.code, e.reason,
           json_extract(e.labels, '$.detector') as detector,
           json_extract(e.labels, '$.filter') as filter,
           {_CURRENT}
    from reject e join job j on j.id = e.job_id
"""  # noqa: S608

VIEWS: Final = {
    "last_good": LAST_GOOD,
    "lineage": LINEAGE,
    "measurements": MEASUREMENTS,
    "photometry_by_run": PHOTOMETRY_BY_RUN,
    "rejects": REJECTS,
}
"""View by name."""


def outdated(db: Database) -> list[str]:
    """Return the names of the views that a store has not, or has otherwise than this version."""
    have = dict(db.execute("select name, sql from sqlite_master where type = 'view'"))
    return [name for name, text in VIEWS.items() if not have.get(name, "").endswith(text.rstrip())]


def renew(db: Database) -> None:
    """Create the views anew that are not those of this version; others are left as they are.

    They hold no rows, so that they need no migration: a store that is written has the views of the
    version that writes it.

    Parameters
    ----------
    db : Database
        A store with the tables of now, open for writing.
    """
    names = outdated(db)
    if not names:
        return
    with db.atomic():
        for name in names:
            db.create_view(name, VIEWS[name], replace=True)
