"""What a lock takes from the store: reference files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hst123r.provenance.sqlite import Database


def locked_references(db: Database, job_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return the reference files that some jobs recorded, each once.

    Parameters
    ----------
    db : Database
        The store.
    job_ids : iterable of int
        Rows of the attempts.

    Returns
    -------
    list of dict
        ``keyword``, ``name`` and ``digest`` (empty where the file was not read), sorted.
    """
    return list(
        db.query(
            "select keyword, name, max(coalesce(digest, '')) as digest from reference_file "
            "where job_id in (select value from json_each(?)) "
            "group by keyword, name order by keyword, name",
            [json.dumps(list(job_ids))],
        )
    )
