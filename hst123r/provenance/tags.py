"""Names of runs: what has a name is kept."""

from __future__ import annotations

from typing import Any

from hst123r.errors import InputError, did_you_mean
from hst123r.provenance.of_run import last_run
from hst123r.provenance.sqlite import Database
from hst123r.records.dates import utc_now


def runs(db: Database) -> dict[str, int]:
    """Return the number of the run by tag."""
    return {row[0]: int(row[1]) for row in db.execute("select name, run_id from tag order by name")}


def number_of(db: Database, text: str, where: str) -> int:
    """Return the number of the run that a text names.

    Parameters
    ----------
    db : Database
        The store.
    text : str
        A number or a tag; empty for the last run.
    where : str
        The work directory, for messages.

    Returns
    -------
    int
        A run that is there.

    Raises
    ------
    InputError
        If there is no such run.
    """
    if not text:
        number = last_run(db)
    elif text.isdecimal():
        row = db.execute("select id from run where id = ?", [int(text)]).fetchone()
        number = None if row is None else int(row[0])
    else:
        named = runs(db)
        if text not in named:
            raise InputError(
                f"there is no run or tag {text!r}, {did_you_mean(text, named)}", where=where
            )
        number = named[text]
    if number is None:
        raise InputError(
            f"there is no run {text}".rstrip(), where=where, hint="`hst123r history` lists them"
        )
    return number


def listed(db: Database) -> list[dict[str, Any]]:
    """Return all tags: ``name``, ``run``, ``created``, ``note``, and the run's ``started``."""
    return list(
        db.query(
            "select t.name, t.run_id as run, r.started, t.created, t.note from tag t "
            "join run r on r.id = t.run_id order by t.name"
        )
    )


def put(db: Database, name: str, run_id: int, note: str) -> None:
    """Give a run a name that no run has."""
    row = {"name": name, "run_id": run_id, "created": utc_now(), "note": note}
    db.table("tag").insert(row)


def remove(db: Database, name: str) -> bool:
    """Take a name away; return whether there was one."""
    with db.atomic():
        return bool(db.execute("delete from tag where name = ?", [name]).rowcount)
