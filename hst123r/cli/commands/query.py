"""``hst123r query``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import options as shared

SHOWN = ("exposure", "detector", "filters", "proposal", "files", "MB", "public", "targets")


@click.command()
@shared.recipe_argument
@shared.work_dir
@shared.settings
@click.option("--renew", is_flag=True, help="Ask again, also where an answer is kept.")
@click.option("--offline", is_flag=True, help="Open no socket; show the answers that are kept.")
@shared.as_json
def command(
    recipe: str,
    work_dir: Path | None,
    settings: tuple[str, ...],
    renew: bool,
    offline: bool,
    as_json: bool,
) -> int:
    """Show what MAST has for a recipe; download nothing.

    RECIPE needs a stage `fetch: {from: mast}`. Answers that a run has kept are used; with --renew
    MAST is asked again. A run goes by the lock where there is one, and otherwise by this.

    \b
        hst123r query mytarget.yaml
        hst123r query mytarget.yaml --set fetch.radius=5arcsec --json
    """
    from hst123r.cli.render import rejects, table
    from hst123r.engine.query import query

    checked = shared.open_recipe(recipe, settings)
    workspace = shared.workspace_of(checked, work_dir)
    found = query(checked, workspace, renew=renew, offline=offline)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return 0
    if found["exposures"]:
        table(SHOWN, [_cells(row) for row in found["exposures"]])
    if found["left_out"]:
        click.echo(f"\nleft out: {len(found['left_out'])}")
        rejects(found["left_out"])
    number, files = len(found["exposures"]), found["files"]
    click.echo(f"{number} exposures in {files} files, {found['bytes'] / 1e6:.1f} MB")
    for row in found["exposures"]:
        if not row["public"]:
            until = (
                f"until {row['released']}" if row["released"] else "MAST does not say until when"
            )
            click.echo(f"{row['exposure']} is exclusive, {until}")
    for line in found["unlike"]:
        click.echo(line)
    if found["unlike"]:
        click.echo("A run goes by the lock; `hst123r update RECIPE` takes what MAST has now")
    for entry in found["also"]:
        click.echo(f"{entry['archive']} will be asked for {entry['what']} once they are here")
    return 0


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    files, targets, size = row["files"], row["targets"], row["bytes"]
    assert isinstance(files, dict)
    assert isinstance(targets, list)
    assert isinstance(size, int)
    return (
        str(row["exposure"]), str(row["detector"]), str(row["filters"]), str(row["proposal"]),
        " ".join(files.values()), f"{size / 1e6:.1f}", "yes" if row["public"] else "no",
        " ".join(targets),
    )  # fmt: skip
