"""What the store has heard of: paths, stages, targets and jobs, to tell wrong words."""

from __future__ import annotations

from hst123r.provenance.sqlite import Database


def knows(db: Database, path: str) -> bool:
    """Whether any job made, read or handed on the file of a path."""
    row = db.execute(
        "select exists (select 1 from product_file where path = :path) "
        "or exists (select 1 from job_input where path = :path)",
        {"path": path},
    ).fetchone()
    return bool(row[0])


def made(db: Database, path: str) -> bool:
    """Whether a job made the file of a path, and owns it."""
    row = db.execute(
        "select exists (select 1 from product_file where path = ? and owned)", [path]
    ).fetchone()
    return bool(row[0])


def paths_named(db: Database, name: str) -> list[str]:
    """Return the known paths that end in a file name."""
    rows = db.execute(
        "select path from product_file where path like :end "
        "union select path from job_input where path like :end",
        {"end": f"%{name}"},
    )
    return [row[0] for row in rows if row[0].rpartition("/")[2] == name]


def stages(db: Database) -> list[str]:
    """Return the stages that have jobs, by their names in recipes."""
    return [row[0] for row in db.execute("select distinct stage from job order by stage")]


def targets(db: Database) -> list[str]:
    """Return the targets of all recipes that were run, and the fields of their jobs."""
    rows = db.execute(
        """
        select json_extract(t.value, '$.name') from recipe, json_each(canonical, '$.head.targets') t
        union select json_extract(labels, '$.target') from job
        union select json_extract(labels, '$.field') from job
        """
    )
    return sorted(row[0] for row in rows if row[0])


def job_names(db: Database) -> list[str]:
    """Return all jobs that were ever attempted, as ``stage:label``."""
    rows = db.execute("select distinct stage || ':' || label from job order by id")
    return [row[0] for row in rows]


def recipes(db: Database) -> list[str]:
    """Return the names of all recipes that were run."""
    return [row[0] for row in db.execute("select distinct name from recipe order by name")]
