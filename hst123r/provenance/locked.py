"""What a lock takes from the store: reference files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hst123r.provenance.of_jobs import of_jobs
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
        of_jobs(
            db,
            "select keyword, name, max(coalesce(digest, '')) as digest from reference_file "
            "where job_id in asked "
            "group by keyword, name order by keyword, name",
            job_ids,
        )
    )
