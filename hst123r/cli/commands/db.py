"""``hst123r db``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r import errors
from hst123r.cli import options as shared


@click.command()
@click.argument("what", metavar="check|backup", type=click.Choice(["check", "backup"]))
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@shared.work_dir
@shared.as_json
def command(what: str, file: Path | None, work_dir: Path | None, as_json: bool) -> int:
    """Check the store, or copy it to FILE, also while a run is under way.

    `check` reads all of it and ends with 6 when something is wrong. `backup` makes one file that is
    whole; put it in the place of hst123r.sqlite to go back.

    \b
        hst123r db check
        hst123r db backup ~/backups/mytarget.sqlite
    """
    from hst123r.engine.workspace import locate
    from hst123r.provenance import backup
    from hst123r.provenance.reading import reading

    if (what == "backup") != (file is not None):
        raise click.UsageError("`backup` needs a FILE, and `check` takes none")
    with reading(locate(work_dir, Path.cwd())) as store:
        found = backup.check(store)
        if file is not None and not found["problems"]:
            place = file.expanduser().absolute()
            found |= {"backup": str(place), "backup_bytes": backup.copy(store, place)}
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        for line in found["problems"]:
            click.echo(f"hst123r: {line}", err=True)
        size = f"{found['bytes'] / 1e6:.1f} MB"
        state = "is damaged" if found["problems"] else "is well"
        click.echo(
            f"{found['path']} {state}: {found['runs']} runs, {found['jobs']} jobs, {size}, "
            f"version {found['version']}"
        )
        if "backup" in found:
            click.echo(f"copied to {found['backup']}, {found['backup_bytes'] / 1e6:.1f} MB")
    if found["problems"]:
        return errors.ENVIRONMENT
    return errors.GOOD
