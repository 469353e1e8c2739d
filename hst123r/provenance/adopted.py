"""Results that were made elsewhere and taken in as such."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from hst123r.provenance.sqlite import Database
from hst123r.records.outcome import Caveat

STAGE: Final = "adopted"
"""What stands in the place of a stage; no stage of a recipe can have this name."""
CODE: Final = "adopted"
"""Code of the caveat that goes with an adopted file into all that is made from it."""


def caveats(db: Database) -> dict[str, Caveat]:
    """Return what is to be known of each adopted file, by path as the store has it."""
    rows = db.execute(
        """
        select f.path, c.text from job j join product p on p.job_id = j.id
        join product_file f on f.product_id = p.id and f.owned = 1
        join caveat c on c.job_id = j.id and c.code = ?
        where j.stage = ? and j.state = 'done' and j.forgotten = 0 order by j.id
        """,
        [CODE, STAGE],
    )
    return {path: Caveat(CODE, text) for path, text in rows}


def behind(db: Database, job_ids: Iterable[int]) -> list[dict[str, Any]]:
    """Return the adopted files that some jobs read, each once.

    Parameters
    ----------
    db : Database
        The store.
    job_ids : iterable of int
        Rows of attempts.

    Returns
    -------
    list of dict
        ``name``, ``kind``, ``path``, ``digest``, ``size`` and ``facts``, as JSON has them.
    """
    rows = db.query(
        """
        select distinct p.name, p.kind, f.path, c.digest, c.size, p.facts from job_input i
        join product_file f on f.owned = 1 and f.content_id = i.content_id and
             (f.path = i.path or substr(i.path, -length(f.path) - 1) = '/' || f.path)
        join product p on p.id = f.product_id join job j on j.id = p.job_id
        join content c on c.id = f.content_id
        where j.stage = ? and j.state = 'done'
          and i.job_id in (select value from json_each(?)) order by f.path
        """,
        [STAGE, json.dumps(list(job_ids))],
    )
    return [{**row, "facts": json.loads(row["facts"])} for row in rows]
