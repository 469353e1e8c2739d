"""Which runs are kept, and which files none of them has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from hst123r.provenance import tags
from hst123r.provenance.sqlite import Database

PARTIAL: Final = ("until", "only", "repair")
"""Options of runs that do a part of their recipe only."""
_HAD = """
    (select run_id, id as job_id from job where state = 'done'
     union select run_id, job_id from run_reused)
"""


def runs(db: Database, last: int) -> list[dict[str, Any]]:
    """Return all runs, with why each is kept.

    Kept are runs with a tag, the last complete ones of each recipe, and all that came after the
    first of those. A run that was told to stop early, that is part of a repair, did not end well
    or had blocked jobs is not complete. What was no run of a recipe, e.g. an adoption, is kept. A
    recipe that never ran to its end keeps all its runs.

    Parameters
    ----------
    db : Database
        The store.
    last : int
        How many complete runs of each recipe are kept.

    Returns
    -------
    list of dict
        ``run``, ``recipe``, ``state``, ``started``, ``tags`` and ``kept``, a phrase that is empty
        for those that are not.
    """
    names: dict[int, list[str]] = {}
    for name, run in tags.runs(db).items():
        names.setdefault(run, []).append(name)
    found = list(
        db.query(
            "select r.id as run, c.name as recipe, r.state, r.started, r.options, r.reused, "
            "r.blocked "
            "from run r join recipe c on c.id = r.recipe_id order by r.id"
        )
    )
    complete: dict[str, list[int]] = {}
    no_recipe: set[int] = set()
    for row in found:
        chosen = json.loads(row.pop("options") or "{}")
        nothing_blocked = row.pop("blocked") in (None, "[]")
        whole = row.pop("reused") is not None and row["state"] == "done" and nothing_blocked
        if chosen.get("what"):
            no_recipe.add(row["run"])
        elif whole and not any(chosen.get(option) for option in PARTIAL):
            complete.setdefault(row["recipe"], []).append(row["run"])
    for row in found:
        ends = complete.get(row["recipe"], [])
        row["tags"] = names.get(row["run"], [])
        row["kept"] = ""
        if row["tags"]:
            row["kept"] = "it has a tag"
        elif row["run"] in no_recipe:
            row["kept"] = "it was no run of a recipe"
        elif not ends:
            row["kept"] = "this recipe never ran to its end"
        elif row["run"] >= ends[-last:][0]:
            row["kept"] = "it is the last complete one" if row["run"] in ends else "it came later"
    return found


def files(db: Database) -> list[dict[str, Any]]:
    """Return each file that each run had: ``run``, ``path``, ``content_id``, ``size``."""
    return list(
        db.query(
            f"""
            select distinct h.run_id as run, f.path, f.content_id, c.size
            from {_HAD} h join product p on p.job_id = h.job_id
            join product_file f on f.product_id = p.id join content c on c.id = f.content_id
            where f.owned = 1
            """  # noqa: S608  (a constant)
        )
    )


def named(db: Database, kept: Iterable[int]) -> set[str]:
    """Return the paths that the jobs of some runs made, handed on or read."""
    wanted = json.dumps(list(kept))
    rows = db.execute(
        f"""
        with mine(job) as (select job_id from {_HAD}
                           where run_id in (select value from json_each(?)))
        select f.path from product p join product_file f on f.product_id = p.id
        where p.job_id in (select job from mine)
        union select path from job_input where path is not null and job_id in (select job from mine)
        """,  # noqa: S608  (a constant)
        [wanted],
    )
    return {row[0] for row in rows}


def makers(db: Database, paths: Iterable[str]) -> list[int]:
    """Return the jobs that made some files and are not forgotten."""
    rows = db.execute(
        """
        select distinct p.job_id from product_file f join product p on p.id = f.product_id
        join job j on j.id = p.job_id
        where f.owned = 1 and j.forgotten = 0 and f.path in (select value from json_each(?))
        """,
        [json.dumps(list(paths))],
    )
    return [row[0] for row in rows]


def forget(db: Database, jobs: Iterable[int]) -> None:
    """Let results count no more; their rows stay."""
    with db.atomic():
        db.execute(
            "update job set forgotten = 1 where id in (select value from json_each(?))",
            [json.dumps(list(jobs))],
        )
