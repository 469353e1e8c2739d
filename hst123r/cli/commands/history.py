"""``hst123r history``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hst123r.cli import listing
from hst123r.cli import options as shared

RUN_COLUMNS = ("run", "started", "recipe", "state", "exit_code", "ran", "reused", "command")
RUN_CSV = (
    "run", "uid", "started", "ended", "recipe", "recipe_digest", "state", "exit_code", "ran",
    "reused", "command", "folder", "user", "host", "pid",
)  # fmt: skip
JOB_CSV = (
    "run", "job", "started", "ended", "stage", "handler", "label", "version", "state", "quality",
    "seconds", "cpu_seconds", "peak_memory_mb", "why", "error", "key", "log", "forgotten",
    "matched",
)  # fmt: skip
JOB_COLUMNS = ("run", "job", "started", "stage", "state", "quality", "seconds", "label", "why")
POINT_COLUMNS = (
    "run", "job", "level", "detector", "filter", "epoch", "exposure", "mjd", "flux_njy",
    "flux_err_njy", "mag_ab", "mag_err", "limit_ab",
)  # fmt: skip
DIGITS = 4
"""A millimagnitude has three, and dates want a minute."""


@click.command()
@shared.work_dir
@click.option("--run", "run", type=int, help="Jobs of one run.")
@click.option("--stage", help="Jobs of one stage.")
@click.option("--target", help="Jobs about one target or its field.")
@click.option("--filter", "through", metavar="NAME", help="Jobs about one filter.")
@click.option(
    "--file", "file", type=click.Path(path_type=Path), help="Jobs that made or read a file."
)
@click.option("--state", help="Jobs of one state: done, failed, interrupted, running.")
@click.option("--quality", help="Jobs of one quality: good, caveat, bad.")
@click.option("--caveat", metavar="CODE", help="Jobs with a caveat of this code.")
@click.option(
    "--where",
    multiple=True,
    metavar="'[STAGE.]PARAM OP VALUE'",
    help="Jobs with such a parameter, e.g. 'align.max_rms > 0.3 pix'. OP is = != < <= > >=.",
)
@click.option(
    "--measurement",
    multiple=True,
    metavar="'NAME OP VALUE'",
    help="Jobs with such a measurement, e.g. 'residual_rms_east > 5 mas'.",
)
@click.option(
    "--software",
    multiple=True,
    metavar="'PACKAGE OP VERSION'",
    help="Only what ran with such a version, e.g. 'drizzlepac<3.6'.",
)
@click.option("--photometry", metavar="TARGET", help="The light curve of a target in each run.")
@click.option("--since", metavar="DATE", help="Only what began at or after this date (UTC).")
@click.option("--before", metavar="DATE", help="Only what began before this date (UTC).")
@listing.forms
def command(work_dir: Path | None, form: str | None, **asked: Any) -> int:
    """Show the runs of a work directory, the jobs behind them, or light curves over runs.

    Without options, or with --since, --before and --software only, it shows runs. All other
    options show jobs, and several have to hold together.

    \b
        hst123r history
        hst123r history --run 3
        hst123r history --file products/stacks/acs_wfc-f606w/stack.fits --json
        hst123r history --stage align --measurement "residual_rms_east > 5 mas"
        hst123r history --photometry SN2019yvr --csv
    """
    from hst123r.cli.render import table
    from hst123r.engine.history import Filter, history
    from hst123r.engine.workspace import locate

    wanted = Filter(**asked)
    rows = history(locate(work_dir, Path.cwd()), wanted)
    shown: tuple[str, ...] = RUN_COLUMNS
    complete: tuple[str, ...] = RUN_CSV
    # a narrow terminal has the command, or what a job is about and why it ran, on a second line
    digits, below = 1, 1
    if wanted.photometry is not None:
        shown, complete, digits = POINT_COLUMNS, tuple(rows[0]) if rows else POINT_COLUMNS, DIGITS
        below = 0
    elif wanted.about_jobs:
        shown, complete, below = JOB_COLUMNS, JOB_CSV, 2
        if any(row["matched"] for row in rows):
            shown = (*JOB_COLUMNS[:-1], "matched")
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
    elif form == "csv":
        listing.write_csv(rows, complete)
    else:
        cells = [
            tuple(
                listing.moment(row[name]) if name == "started" else listing.cell(row[name], digits)
                for name in shown
            )
            for row in rows
        ]
        table(shown, cells, below=below)
    return 0
