"""Make the kept store of the version whose code runs this, as SQL: one for each migration.

``python tests/provenance/kept_store.py tests/provenance/old/mNNN.sql`` when a migration is new,
before the next one is written. `test_migrations` asks for it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from hst123r.files.content import Content
from hst123r.provenance import tags
from hst123r.provenance.rows import InputRow, Part
from hst123r.provenance.store import APPLICATION_ID, Store
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Reject

PARTS = [Part("param", "pixfrac", "0.8", "stage default")]
USAGE = {"cpu_seconds": 1.0, "peak_memory_mb": 50.0}
POINT = {
    "target": "T", "level": "filter", "filter": "F606W", "flux_njy": 10.0, "flux_err_njy": 1.0,
    "mag_ab": 28.9, "flux_err_weights_njy": 0.9, "flux_err_scatter_njy": 1.0, "chi2": 1.2,
    "limit_method": "forced", "mag_st": 29.1, "mag_sys": 0.012, "flux_err_fixed_njy": 0.8,
}  # fmt: skip


def fill(store: Store) -> None:
    """Write a run with two jobs and all that hangs on them."""
    run = store.begin_run(
        recipe={"name": "old", "path": "old.yaml", "text": "hst123r: 1\n", "canonical": {}},
        environment={
            "python": "3.11.7", "platform": "Linux", "packages": {"drizzlepac": "3.9.0"},
        },
        run={
            "uid": "20251101T000000Z-000000", "command": ["hst123r", "run", "old.yaml"],
            "folder": "/work", "user": "ann", "host": "laptop", "pid": 1, "options": {},
            "parameters": [],
        },
    )  # fmt: skip

    def job(stage: str, label: str, labels: dict[str, str], key: str, reads: list[InputRow]) -> int:
        row = {
            "run_id": run, "stage": stage, "handler": stage, "label": label, "labels": labels,
            "version": 1, "key": key, "reasons": [["no-record", "no record of it"]],
            "log": "logs/x.log", "handler_digest": "blake3:0",
        }  # fmt: skip
        number = store.jobs.start(row)
        store.jobs.describe(number, PARTS, reads, key)
        return number

    raw, made = (str(store.folder / name) for name in ("raw/ja_flc.fits", "products/T_drz.fits"))
    first = Content("blake3:aaaaaaaa", 10, "fits", {"pixels": "blake3:a"})
    second = Content("blake3:bbbbbbbb", 10, "fits", {"pixels": "blake3:b"})
    with store.transaction():
        number = job("fetch", "ja", {"exposure": "ja"}, "blake3:key1", [])
        file = Product("file", "ja", {"exposure": "ja"}, {"science": raw})
        store.jobs.finish(number, Outcome([file]), {raw: first}, USAGE)
        read = InputRow("file", "ja", "science", 0, raw, 1, {"pixels": "blake3:a"})
        number = job("scrape", "T", {"target": "T", "field": "T"}, "blake3:key2", [read])
        outcome = Outcome(
            [Product("light curve", "T", {"target": "T"}, {"table": made})],
            [Measurement("rms", 3.0, "mas", high=5.0)],
            [Caveat("few", "few stars match")],
            [Reject("jb", "after", "too early")],
            [POINT],
        )
        store.jobs.finish(number, outcome, {made: second}, USAGE)
    store.end_run(run, state="done", exit_code=0, ran=2, reused=[], blocked=[], lock="format: 1\n")
    tags.put(store.db, "paper-v1", run, "as submitted")


def main(path: Path) -> None:
    """Write the SQL."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        fill(store)
        lines = [f"PRAGMA application_id = {APPLICATION_ID};", *store.db.conn.iterdump()]
        store.close()
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def destination(arguments: list[str]) -> Path:
    """Return the one file that is named; an option is none."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise SystemExit(f"name the file to write, and nothing else:\n\n{__doc__}")
    return Path(arguments[0])


if __name__ == "__main__":
    main(destination(sys.argv[1:]))
