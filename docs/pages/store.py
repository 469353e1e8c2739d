"""The page of the store's tables and columns, as the migrations make them."""

from __future__ import annotations

from pathlib import Path

from sqlite_utils.db import Table

from hst123r.provenance.store import Store
from pages.markdown import code, page, table

TABLES = {
    "recipe": "Each recipe text that was ever run, once.",
    "environment": "Each set of Python and package versions a run had, once.",
    "run": "Each `hst123r run`: who, where, when, with which command, and how it ended.",
    "content": "What the bytes of a file are: digest, size, and for FITS a digest of each facet.",
    "path_state": "What the file system said of a path when its content was last looked at; an "
    "unchanged path is not read again.",
    "header": "The cards of each HDU of each FITS content, as JSON.",
    "job": "One row for each attempt at a job; the latest `done` one that is not forgotten counts.",
    "job_param": "The named parts of a job's key: parameters with their origin, tools, labels.",
    "job_input": "What a job read, and the digest of what counted of it.",
    "product": "What a job made, with its labels and facts.",
    "product_file": "The files of a product; `owned` is 0 where it only refers to a file of "
    "another job.",
    "measurement": "Numbers about results with the limits within which they are good.",
    "caveat": "Sentences a user of a result should know.",
    "reject": "Exposures and files that were left out, and why.",
    "download": "What was asked of an archive, and what came.",
    "reference_file": "Calibration reference files that the headers of an exposure name, by the "
    "job that fetched it; the keyword CRDS_CTX has the CRDS context.",
    "photometry": "The light curves: a row for each exposure, epoch and filter of each target.",
    "event": "What happened during runs beside their jobs.",
    "lock": "Each text of a lock that a run obeyed or left, once.",
    "tag": "Names of runs; `hst123r gc` keeps what a named run has.",
    "lease": "Who holds the work directory now.",
}
VIEWS = {
    "header_card": "The cards of `header`, one row each: keyword, value, comment.",
    "run_reused": "Which attempts at jobs a run reused: the list in `run.reused`, one row each.",
    "run_blocked": "Which jobs a run could not run, and why: `run.blocked`, one row each.",
    "last_good": "The attempt that counts of every job, with its labels: the last one that is done "
    "and not forgotten.",
    "lineage": "One row for each thing a job read, and the product it is of; empty where no job "
    "made it. `path` is empty for what is read without a file.",
    "measurements": "All measurements with stage, run and labels; `current` is 1 where the attempt "
    "counts.",
    "photometry_by_run": "The light curves that each run had, made by it or reused.",
    "rejects": "All that was left out, with stage and run; `current` is 1 where the attempt "
    "counts.",
}
OWN = {"_sqlite_migrations"}
"""Tables of sqlite-utils."""


def pages() -> dict[str, str]:
    """Return the page by its path in the documentation."""
    db = Store.in_memory(Path("nowhere")).db
    described = {*TABLES, *VIEWS}
    existing = {*db.table_names(), *db.view_names()} - OWN
    if described != existing:
        odd = ", ".join(sorted(described ^ existing))
        raise ValueError(f"docs/pages/store.py and the migrations differ in {odd}")
    parts: list[str] = []
    for name, about in TABLES.items():
        parts += [f"## {name}", about, _columns(db.table(name))]
    for name, about in VIEWS.items():
        rows = [(code(column.name),) for column in db.view(name).columns]
        parts += [f"## {name} (view)", about, table(("column",), rows)]
    lead = (
        "`hst123r.sqlite` in the work directory. Times are ISO 8601 in UTC, digests carry the name "
        "of their algorithm, and texts that end in a brace or bracket are JSON. How to ask is "
        "told in [the store](../store.md)."
    )
    return {"reference/tables.md": page("Tables of the store", lead, *parts)}


def _columns(found: Table) -> str:
    keys = {key.column: f"{key.other_table}.{key.other_column}" for key in found.foreign_keys}
    rows = [
        (
            code(column.name),
            column.type.lower(),
            "primary key" if column.is_pk else "",
            code(keys[column.name]) if column.name in keys else "",
        )
        for column in found.columns
    ]
    return table(("column", "type", "", "refers to"), rows)
