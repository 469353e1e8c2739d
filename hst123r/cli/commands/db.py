"""``hst123r db``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hst123r import errors
from hst123r.cli import options as shared

if TYPE_CHECKING:
    from hst123r.engine.rebuild import Rebuilt


@click.command()
@click.argument(
    "what", metavar="check|backup|rebuild", type=click.Choice(["check", "backup", "rebuild"])
)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--records", metavar="FOLDER", type=click.Path(path_type=Path),
    help="For `rebuild`: go back to records that were put aside, e.g. "
    "logs/records-of-another-store-TIME. The store that is there is put aside.",
)  # fmt: skip
@shared.work_dir
@shared.readers
@shared.as_json
def command(
    what: str,
    file: Path | None,
    records: Path | None,
    work_dir: Path | None,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Check the store, copy it to FILE also while a run is under way, or rebuild a lost one.

    `check` reads all of it and ends with 6 when something is wrong. `backup` makes one file that is
    whole; to go back, remove hst123r.sqlite-wal and hst123r.sqlite-shm if they are there, and put
    it in the place of hst123r.sqlite. `rebuild` makes a store that is lost or damaged from the
    records in logs/records/ and the files, and says what could not be known; a damaged one, or the
    log of a lost one, is moved aside. Where there are no records, products that have stamps of
    hst123r are copied to adopted/, and what is made from them will say so.

    \b
        hst123r db check
        hst123r db backup ~/backups/mytarget.sqlite
        hst123r db rebuild --work-dir mytarget
        hst123r db rebuild --records logs/records-of-another-store-20260102T030405Z
    """
    from hst123r.engine.workspace import locate
    from hst123r.provenance import backup
    from hst123r.provenance.reading import reading

    if (what == "backup") != (file is not None):
        raise click.UsageError("`backup` needs a FILE" if file is None else f"`{what}` takes none")
    if records is not None and what != "rebuild":
        raise click.UsageError(f"`{what}` takes no --records")
    rebuilt = _rebuild(work_dir, records, jobs) if what == "rebuild" else None
    folder = rebuilt[0] if rebuilt else locate(work_dir, Path.cwd())
    with reading(folder) as store:
        found = backup.check(store)
        if file is not None and not found["problems"]:
            place = file.expanduser().absolute()
            found |= {"backup": str(place), "backup_bytes": backup.copy(store, place)}
    if as_json:
        more = {"rebuilt": rebuilt[1].as_json()} if rebuilt else {}
        click.echo(json.dumps({**found, **more}, indent=2))
    else:
        _show(found, rebuilt[1] if rebuilt else None)
    return errors.ENVIRONMENT if found["problems"] else errors.GOOD


def _rebuild(work_dir: Path | None, records: Path | None, jobs: int | None) -> tuple[Path, Rebuilt]:
    from hst123r.engine.environment import cores
    from hst123r.engine.rebuild import folder_of, place_of, rebuild
    from hst123r.engine.workspace import Workspace

    folder = place_of(work_dir, Path.cwd(), records)
    named = None if records is None else folder_of(records, folder)
    return folder, rebuild(Workspace(folder), records=named, jobs=jobs or cores())


def _show(found: dict[str, Any], rebuilt: Rebuilt | None) -> None:
    for line in found["problems"]:
        click.echo(f"hst123r: {line}", err=True)
    if rebuilt is not None:
        if rebuilt.adopted:
            number = len(rebuilt.adopted)
            click.echo(
                f"there are no records: {number} files were adopted as what their stamps tell"
            )
        else:
            click.echo(f"had back {rebuilt.runs} runs and {rebuilt.jobs} jobs from their records")
        if rebuilt.damaged:
            click.echo(f"the old store, or what was left of it, is {rebuilt.damaged}")
        for line in rebuilt.unlike:
            click.echo(f"unlike: {line}")
        for line in rebuilt.lost:
            click.echo(f"not had back: {line}")
    size = f"{found['bytes'] / 1e6:.1f} MB"
    state = "is damaged" if found["problems"] else "is well"
    click.echo(
        f"{found['path']} {state}: {found['runs']} runs, {found['jobs']} jobs, {size}, "
        f"version {found['version']}"
    )
    if "backup" in found:
        click.echo(f"copied to {found['backup']}, {found['backup_bytes'] / 1e6:.1f} MB")
