"""Questions about a list of jobs, all in one form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from hst123r.provenance.sqlite import Database


def of_jobs(db: Database, query: str, jobs: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Return the rows of a query about some jobs.

    Parameters
    ----------
    db : Database
        The store.
    query : str
        A ``select`` in which ``asked`` is the list, as in ``where job_id in asked``.
    jobs : iterable of int
        Rows of attempts, as many as there may be.

    Returns
    -------
    iterator of dict
        The rows.
    """
    return db.query(
        f"with asked(job) as (select value from json_each(?)) {query}",  # noqa: S608  (ours)
        [json.dumps(list(jobs))],
    )
