"""``hst123r gc``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import listing
from hst123r.cli import options as shared

COLUMNS = ("run", "recipe", "state", "tags", "made", "files", "MB", "alone_MB", "kept")


@click.command()
@shared.work_dir
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Keep the last N complete runs of each recipe.",
)
@click.option("--delete", is_flag=True, help="Remove what is shown; without it nothing changes.")
@shared.as_json
def command(work_dir: Path | None, keep: int, delete: bool, as_json: bool) -> int:
    """Show what each run holds on disk, and what no kept run needs.

    Kept are runs with a tag, and the last complete run of each recipe with all that came after
    it. Only products are ever removed, with --delete, and what interrupted jobs left in scratch;
    never raw files, files that were altered, or files that a kept run made or read. Their
    history stays.

    \b
        hst123r gc
        hst123r gc --keep 3 --delete
    """
    from hst123r.cli.render import table
    from hst123r.engine import garbage
    from hst123r.engine.hold import holding
    from hst123r.engine.workspace import Workspace, locate

    workspace = Workspace(locate(work_dir, Path.cwd()))
    if delete:
        with holding(workspace) as store:
            found = garbage.remove(workspace, store, keep)
    else:
        found = garbage.look(workspace, keep)
    if as_json:
        click.echo(json.dumps({"removed": None, **found}, indent=2))
        return 0
    rows = [
        {**run, "MB": run["bytes"] / 1e6, "alone_MB": run["alone_bytes"] / 1e6,
         "kept": f"kept: {run['kept']}" if run["kept"] else "not kept"}
        for run in found["runs"]
    ]  # fmt: skip
    table(COLUMNS, [tuple(listing.cell(row[name]) for name in COLUMNS) for row in rows])
    for row in [*found["files"], *found["scratch"]]:
        click.echo(f"{row.get('state', 'left over')}: {row['path']} ({row['bytes'] / 1e6:.1f} MB)")
    size = f"{found['bytes'] / 1e6:.1f} MB"
    if delete:
        click.echo(f"removed {found['removed']} files and what was in scratch, {size}")
    elif found["bytes"]:
        click.echo(f"{size} can be removed with --delete")
    else:
        click.echo("there is nothing to remove")
    return 0
