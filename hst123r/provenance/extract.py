"""All that a run rests on, as plain data that can leave this machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.provenance import adopted
from hst123r.provenance.of_run import jobs
from hst123r.provenance.sqlite import Database
from hst123r.records.outcome import State

FORMAT: Final = "hst123r-extract/1"


def attempts(db: Database, run_id: int) -> list[int]:
    """Return the attempts at jobs that a run rests on: those it made, and those it reused.

    Parameters
    ----------
    db : Database
        The store.
    run_id : int
        The run.

    Returns
    -------
    list of int
        Those that are done, in the order in which they were made.
    """
    return sorted(row["job"] for row in jobs(db, run_id).values() if row["state"] == State.DONE)


def extract(db: Database, run_id: int) -> dict[str, Any]:
    """Return what a run rests on.

    Who ran it, on which machine and in which folders is left out, and so are logs and times of
    attempts: two people's extracts of equal runs differ in `run` alone.

    Parameters
    ----------
    db : Database
        The store.
    run_id : int
        The run.

    Returns
    -------
    dict
        ``format``, ``run``, ``environment``, ``jobs``, ``photometry`` and ``adopted``; of plain
        values, in an order that is always the same.

    Raises
    ------
    InputError
        If there is no such run.
    """
    row = next(
        iter(
            db.query(
                "select r.uid, r.started, r.ended, r.state, r.exit_code, r.options, r.parameters, "
                "c.name as recipe, c.digest as recipe_digest, r.environment_id "
                "from run r join recipe c on c.id = r.recipe_id where r.id = ?",
                [run_id],
            )
        ),
        None,
    )
    if row is None:
        raise InputError(f"there is no run {run_id}", hint="`hst123r history` lists them")
    numbers = attempts(db, run_id)
    run = {key: value for key, value in row.items() if key != "environment_id"}
    run |= {"options": json.loads(row["options"]), "parameters": json.loads(row["parameters"])}
    found = {
        "format": FORMAT,
        "run": run,
        "environment": _environment(db, row["environment_id"]),
        "jobs": _jobs(db, numbers),
        "photometry": _photometry(db, numbers),
        "adopted": _adopted(db, numbers),
    }
    return {name: without_paths(value) for name, value in found.items()}


def recipe_text(db: Database, run_id: int) -> str:
    """Return the text of the recipe of a run, as it was then."""
    (text,) = db.execute(
        "select c.text from run r join recipe c on c.id = r.recipe_id where r.id = ?", [run_id]
    ).fetchone()
    return str(text)


def _adopted(db: Database, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return files made elsewhere that the jobs read; who took them in stays here."""
    rows = adopted.behind(db, numbers)
    told = ("note", "stamps")
    return [
        {**row, "facts": {key: row["facts"][key] for key in told if key in row["facts"]}}
        for row in rows
    ]


def lock_text(db: Database, run_id: int) -> str | None:
    """Return the text of the lock that a run obeyed or left; None where none is kept."""
    row = db.execute(
        "select k.text from run r join lock k on k.id = r.lock_id where r.id = ?", [run_id]
    ).fetchone()
    return None if row is None else str(row[0])


def _environment(db: Database, number: int) -> dict[str, Any]:
    row = next(
        iter(
            db.query(
                "select python, platform, packages, crds_context from environment where id = ?",
                [number],
            )
        )
    )
    return {**row, "packages": json.loads(row["packages"])}


def _jobs(db: Database, numbers: Sequence[int]) -> list[dict[str, Any]]:
    wanted = json.dumps(list(numbers))
    rows = list(
        db.query(
            "select id, stage, handler, label, labels, version, key, quality, incomplete from job "
            "where id in (select value from json_each(?)) order by id",
            [wanted],
        )
    )
    about = {name: _by_job(db, query, wanted) for name, query in _DETAILS.items()}
    products = _products(db, wanted)
    return [
        {
            **{key: value for key, value in row.items() if key != "id"},
            "labels": json.loads(row["labels"]),
            **{name: found.get(row["id"], []) for name, found in about.items()},
            "products": products.get(row["id"], []),
        }
        for row in rows
    ]


_DETAILS: Final = {
    "parts": "select job_id, kind, name, value, origin from job_param "
    "where job_id in (select value from json_each(?)) order by job_id, kind, name",
    "inputs": "select i.job_id, i.kind, i.name, i.role, i.path, i.identity, c.digest "
    "from job_input i left join content c on c.id = i.content_id "
    "where i.job_id in (select value from json_each(?)) order by i.id",
    "measurements": "select job_id, name, value, unit, low, high, quality, subject "
    "from measurement where job_id in (select value from json_each(?)) order by id",
    "caveats": "select job_id, code, text, subject from caveat "
    "where job_id in (select value from json_each(?)) order by id",
    "rejects": "select job_id, subject, code, reason from reject "
    "where job_id in (select value from json_each(?)) order by id",
    "downloads": "select job_id, uri, size, sha256, status from download "
    "where job_id in (select value from json_each(?)) order by id",
    "references": "select job_id, keyword, name, digest from reference_file "
    "where job_id in (select value from json_each(?)) order by id",
}


def _by_job(db: Database, query: str, wanted: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in db.query(query, [wanted]):
        job = row.pop("job_id")
        found.setdefault(job, []).append(row)
    return found


def _products(db: Database, wanted: str) -> dict[int, list[dict[str, Any]]]:
    files: dict[int, list[dict[str, Any]]] = {}
    for row in db.query(
        "select f.product_id, f.role, f.path, f.owned, c.digest, c.sha256, c.size, c.kind, "
        "c.facets from product_file f join product p on p.id = f.product_id "
        "left join content c on c.id = f.content_id "
        "where p.job_id in (select value from json_each(?)) order by f.id",
        [wanted],
    ):
        facets = json.loads(row["facets"] or "{}")
        entry = {**row, "owned": bool(row["owned"]), "facets": facets}
        files.setdefault(entry.pop("product_id"), []).append(entry)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in db.query(
        "select id, job_id, kind, name, labels, facts, quality from product "
        "where job_id in (select value from json_each(?)) order by id",
        [wanted],
    ):
        number, job = row.pop("id"), row.pop("job_id")
        plain = {name: json.loads(row[name]) for name in ("labels", "facts")}
        entry = {**row, **plain, "files": files.get(number, [])}
        found.setdefault(job, []).append(entry)
    return found


def _photometry(db: Database, numbers: Iterable[int]) -> list[dict[str, Any]]:
    rows = db.query(
        "select * from photometry where job_id in (select value from json_each(?)) order by id",
        [json.dumps(list(numbers))],
    )
    return [{k: v for k, v in row.items() if k not in ("id", "job_id")} for row in rows]


def without_paths(value: Any) -> Any:
    """Return a value with every absolute path in it as others may see it."""
    if isinstance(value, Mapping):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    return inside(value) if isinstance(value, str) else value


def inside(path: str | None) -> str | None:
    """Return a path as others may see it: of a file outside the work directory its name alone."""
    if path is None or not PurePath(path).is_absolute():
        return path
    return f"outside/{PurePath(path).name}"
