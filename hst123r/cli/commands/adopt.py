"""``hst123r adopt``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import options as shared

COLUMNS = ("state", "kind", "file", "source")


@click.command()
@click.argument(
    "files", metavar="FILES|FOLDER", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@shared.work_dir
@click.option("--note", default="", metavar="TEXT", help="How and by whom they were made.")
@shared.as_json
def command(files: tuple[Path, ...], work_dir: Path | None, note: str, as_json: bool) -> int:
    """Take in results that were made elsewhere, as such.

    Exposures, images, headerlets, catalogues and light curves are copied to `adopted/`, read-only,
    and recorded with digest, stamps, who and when. A recipe can read them there; whatever is
    made from them carries the caveat `adopted`. A file that does not open is refused; of a folder
    such files are left, and listed.

    \b
        hst123r adopt gaia.ecsv --note "Gaia DR3, selected by Ann"
        hst123r adopt ../old/drizzle --work-dir mytarget
    """
    from hst123r.cli.render import table
    from hst123r.engine.adopt import adopt, candidates
    from hst123r.engine.hold import holding
    from hst123r.engine.workspace import Workspace, locate

    workspace = Workspace(locate(work_dir, Path.cwd()))
    wanted = candidates([path.expanduser() for path in files])
    with holding(workspace) as store:
        found = adopt(store, workspace, wanted, note)
    if as_json:
        click.echo(json.dumps([row.as_json() for row in found], indent=2))
        return 0
    rows = [(row.state, row.kind, row.file, row.source) for row in found]
    table(COLUMNS, rows)
    for row in found:
        if row.why:
            click.echo(f"left: {row.source}: {row.why}")
    number = sum(row.state == "adopted" for row in found)
    click.echo(f"{number} files adopted in {workspace.folder}")
    return 0
