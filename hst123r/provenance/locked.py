"""What a lock takes from the store: reference files, and questions to services."""

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


def locked_queries(db: Database, job_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return the questions to services that some jobs recorded: downloads that are no file.

    A stage records one as a download without a path, whose ``uri`` is ``SERVICE:QUESTION`` and
    whose ``sha256`` is the digest of the answer.

    Parameters
    ----------
    db : Database
        The store.
    job_ids : iterable of int
        Rows of the attempts.

    Returns
    -------
    list of dict
        ``service``, ``what`` and ``digest``, sorted, each once.
    """
    rows = db.execute(
        "select distinct uri, sha256 from download where path is null and sha256 is not null "
        "and job_id in (select value from json_each(?)) order by uri",
        [json.dumps(list(job_ids))],
    )
    found = {}
    for uri, sha256 in rows:
        service, _, what = uri.partition(":")
        found[service, what] = {"service": service, "what": what, "digest": f"sha256:{sha256}"}
    return [found[key] for key in sorted(found)]
