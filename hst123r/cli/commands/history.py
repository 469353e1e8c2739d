"""``hst123r history``."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hst123r.cli import options as shared

RUN_COLUMNS = ("run", "started", "recipe", "state", "exit_code", "ran", "reused", "command")
RUN_CSV = (
    "run", "uid", "started", "ended", "recipe", "recipe_digest", "state", "exit_code", "ran",
    "reused", "command", "folder", "user", "host", "pid",
)  # fmt: skip
JOB_CSV = (
    "run", "job", "started", "ended", "stage", "handler", "label", "version", "state", "quality",
    "seconds", "cpu_seconds", "peak_memory_mb", "why", "error", "key", "log", "forgotten",
)  # fmt: skip
JOB_COLUMNS = ("run", "job", "started", "stage", "label", "state", "quality", "seconds", "why")


@click.command()
@shared.work_dir
@click.option("--run", "run_id", type=int, help="Jobs of one run.")
@click.option("--stage", help="Jobs of one stage.")
@click.option("--target", help="Jobs about one target or its field.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="Jobs that made or read a file."
)
@click.option("--since", metavar="DATE", help="Only what began at or after this date (UTC).")
@shared.as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def command(
    work_dir: Path | None,
    run_id: int | None,
    stage: str | None,
    target: str | None,
    file: Path | None,
    since: str | None,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Show the runs of a work directory, or the jobs behind a stage, target or file.

    \b
        hst123r history
        hst123r history --run 3
        hst123r history --file products/stacks/acs_wfc-f606w/stack.fits --json
    """
    from hst123r.cli.render import table
    from hst123r.engine.ask import Filter, history
    from hst123r.engine.workspace import locate

    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    wanted = Filter(run_id, stage, target, file, since)
    rows = history(locate(work_dir, Path.cwd()), wanted)
    columns = JOB_COLUMNS if wanted.about_jobs else RUN_COLUMNS
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif as_csv:
        _write_csv(rows, JOB_CSV if wanted.about_jobs else RUN_CSV)
    else:
        table(columns, [tuple(_cell(row[name]) for name in columns) for row in rows])
    return 0


def _write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(row[name]) for name in columns} for row in rows)


def _plain(value: object) -> object:
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) else str(_plain(value))
