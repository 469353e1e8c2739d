"""``hst123r exposures``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import options as shared

SHOWN = (
    "imagenumber", "root", "instrument", "filter", "exptime", "datetime", "field", "epoch_name",
    "visit", "chips", "zeropoints_ab", "pa_y", "targets",
)  # fmt: skip


@click.command()
@shared.recipe_argument
@shared.work_dir
@shared.as_json
def command(recipe: str, work_dir: Path | None, as_json: bool) -> int:
    """Show the exposures of a recipe: those in use, and those left out with the reason.

    Shows what the last run of RECIPE found; `run RECIPE --until exposures` makes or renews it.

    \b
        hst123r exposures mytarget.yaml
    """
    from hst123r.cli.render import rejects, table
    from hst123r.engine.ask import exposures

    checked = shared.open_recipe(recipe, ())
    found = exposures(shared.workspace_of(checked, work_dir))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return 0
    if found["used"]:
        table(SHOWN, [tuple(_cell(row[name]) for name in SHOWN) for row in found["used"]])
    else:
        click.echo("no exposure is in use")
    if found["rejected"]:
        click.echo(f"\nleft out: {len(found['rejected'])}")
        rejects(found["rejected"])
    return 0


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
