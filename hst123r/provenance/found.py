"""What a search of the history goes by: parameters, measurements, caveats, versions."""

from __future__ import annotations

import json
from typing import Any

from hst123r.provenance.sqlite import Database


def parameters(db: Database, name: str) -> list[tuple[int, str, str, str]]:
    """Return job, stage, path and value of every parameter of a name.

    Parameters
    ----------
    db : Database
        The store.
    name : str
        Name, or the path of one inside another such as ``absolute.max_rms``; the name of a stage
        may stand before it.

    Returns
    -------
    list of tuple
        Values as texts.
    """
    words = name.split(".")
    found = []
    for start in (0, 1):
        if len(words) <= start:
            continue
        top, inner = words[start], words[start + 1 :]
        rows = db.execute(
            "select p.job_id, j.stage, p.value from job_param p join job j on j.id = p.job_id "
            "where p.kind = 'param' and p.name = :name and (:stage = '' or j.stage = :stage) "
            "order by p.job_id",
            {"name": top, "stage": words[0] if start else ""},
        )
        for job, stage, value in rows:
            text = _inside(value, inner)
            if text is not None:
                found.append((job, stage, ".".join(words[start:]), text))
    return found


def _inside(value: str, path: list[str]) -> str | None:
    """Return the value at a path inside another, as text."""
    if not path:
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return None
    for word in path:
        if not isinstance(found, dict) or word not in found:
            return None
        found = found[word]
    return found if isinstance(found, str) else json.dumps(found)


def parameter_names(db: Database) -> list[str]:
    """Return the parameters of all jobs, as ``stage.name``."""
    rows = db.execute(
        "select distinct j.stage || '.' || p.name from job_param p join job j on j.id = p.job_id "
        "where p.kind = 'param' order by 1"
    )
    return [row[0] for row in rows]


def measurements(db: Database, name: str) -> list[dict[str, Any]]:
    """Return every measurement of a name: ``job``, ``subject``, ``value``, ``unit``."""
    return list(
        db.query(
            "select job_id as job, name, subject, value, unit from measurement "
            "where name = ? order by id",
            [name],
        )
    )


def measurement_names(db: Database) -> list[str]:
    """Return the names of all measurements."""
    return [row[0] for row in db.execute("select distinct name from measurement order by name")]


def caveats(db: Database, code: str) -> list[dict[str, Any]]:
    """Return every caveat of a code: ``job``, ``subject``, ``text``."""
    return list(
        db.query(
            "select job_id as job, code, subject, text from caveat where code = ? order by id",
            [code],
        )
    )


def caveat_codes(db: Database) -> list[str]:
    """Return the codes of all caveats."""
    return [row[0] for row in db.execute("select distinct code from caveat order by code")]


def packages(db: Database) -> dict[int, dict[str, str]]:
    """Return the versions of packages, and of Python, by run."""
    rows = db.execute(
        "select r.id, e.python, e.packages from run r join environment e on e.id = r.environment_id"
    )
    return {run: {"python": python, **json.loads(found)} for run, python, found in rows}


def filters(db: Database) -> list[str]:
    """Return the filters of all jobs."""
    rows = db.execute("select distinct json_extract(labels, '$.filter') from job")
    return sorted(row[0] for row in rows if row[0])


def photometry(
    db: Database, target: str, *, run_id: int | None, through: str | None, level: str | None
) -> list[dict[str, Any]]:
    """Return the light curve of a target in each run.

    Parameters
    ----------
    db : Database
        The store.
    target : str
        Its name.
    run_id, through, level : optional
        Only those of a run, filter, or level.

    Returns
    -------
    list of dict
        Rows of the view `photometry_by_run`, without the row's own number.
    """
    rows = db.query(
        """
        select * from photometry_by_run
        where target = :target and (:run is null or run = :run)
          and (:filter is null or filter = :filter) and (:level is null or level = :level)
        order by detector, filter, level, mjd, exposure, run
        """,
        {"target": target, "run": run_id, "filter": through, "level": level},
    )
    return [
        {"run": row["run"], "job": row["job_id"]}
        | {key: value for key, value in row.items() if key not in {"id", "job_id", "run"}}
        for row in rows
    ]
