"""Questions to the store, in the words of the field."""

from __future__ import annotations

import json
from typing import Any

from sqlite_utils import Database


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
