"""What changed in the parameters of a recipe, for jobs that print all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hst123r.engine.keys import as_text, short
from hst123r.engine.subkeys import MOST, changes
from hst123r.provenance import queries
from hst123r.provenance.rows import Part
from hst123r.provenance.sqlite import Database

PARAMETERS: Final = "parameters"
"""The argument by which a job has the parameters of the recipe; its key holds only a digest."""
Rows = Sequence[Mapping[str, Any]]


def then(db: Database, job_id: int, parts: Iterable[Part]) -> Rows | None:
    """Return the parameters of the recipe that a job had, from what its run was asked for.

    Parameters
    ----------
    db : Database
        The store.
    job_id : int
        The job.
    parts : iterable of Part
        The parts of its key.

    Returns
    -------
    list of dict or None
        ``stage``, ``name`` and ``value``; None where it had none, or where those of its run do not
        have the digest that its key holds.
    """
    digest = next((p.value for p in parts if (p.kind, p.name) == ("argument", PARAMETERS)), None)
    if digest is None:
        return None
    (job,) = queries.jobs(db, job_id=job_id)
    rows = [
        {key: row[key] for key in ("stage", "name", "value")}
        for row in queries.parameters(db, job["run"])
    ]
    own = [i for i, row in enumerate(rows) if row["stage"] == job["stage"]]
    # some print those of all stages, others those up to their own
    for found in (rows, rows[: own[-1] + 1] if own else []):
        if short(found) == digest:
            return found
    return None


def in_words(old: Rows | None, new: Rows | None) -> str:
    """Say in which parameters two recipes differ.

    Parameters
    ----------
    old, new : list of dict or None
        ``stage``, ``name`` and ``value`` of each; None where they are not known.

    Returns
    -------
    str
        ``stacks.pixfrac: 0.8 → 0.6``, empty where nothing can be said.
    """
    if old is None or new is None:
        return ""
    was, now = _by_name(old), _by_name(new)
    lines = [
        changes(name, was.get(name, "nothing"), now.get(name, "nothing"))
        for name in [*was, *(name for name in now if name not in was)]
        if was.get(name) != now.get(name)
    ]
    more = f"; and {len(lines) - MOST} more" if len(lines) > MOST else ""
    return "; ".join(lines[:MOST]) + more


def _by_name(rows: Rows) -> dict[str, str]:
    return {f"{row['stage']}.{row['name']}": as_text(row["value"]) for row in rows}
