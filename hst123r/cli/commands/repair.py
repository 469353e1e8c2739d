"""``hst123r repair``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hst123r import errors
from hst123r.cli import listing
from hst123r.cli import options as shared

if TYPE_CHECKING:
    from hst123r.engine.pieces import Repaired, Wanted
    from hst123r.engine.report import Report
    from hst123r.engine.run import Runner
    from hst123r.engine.workspace import Workspace

LEFT: Final = "left as it is"


@click.command()
@shared.work_dir
@click.option("--check", is_flag=True, help="Say what would be done, and change nothing.")
@click.option(
    "--from", "folders", multiple=True, metavar="FOLDER", type=click.Path(path_type=Path),
    help="Look for equal copies here, too: another work directory, a shared archive, any folder. "
    "May be repeated.",
)  # fmt: skip
@listing.one_of(
    "extent",
    ("quick", "Find what is broken as `verify --quick` does."),
    ("full", "Read every byte of every file, as without any of these."),
)
@click.option("--offline", is_flag=True, help="Open no socket.")
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Files read and jobs run "
              "at once. Default: the number of cores.")  # fmt: skip
@shared.as_json
def command(
    work_dir: Path | None,
    check: bool,
    folders: tuple[Path, ...],
    extent: str | None,
    offline: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Mend exactly what is altered or missing.

    A file is restored from an equal copy where there is one; else its job is done again, if its
    key is as it was then. What an archive has made anew since is not taken. Nothing else runs. What
    was altered is moved to `aside/`, never deleted. Exit code 0 when all is mended, 3 when
    something is left or came out otherwise, 10 for --check when there is work.

    \b
        hst123r repair --check
        hst123r repair --from ~/backups/mytarget
    """
    from hst123r.cli.bar import reading as bar
    from hst123r.engine import repair
    from hst123r.engine.copies import check_folders
    from hst123r.engine.environment import cores
    from hst123r.engine.pieces import Wanted
    from hst123r.engine.workspace import Workspace, locate
    from hst123r.provenance.reading import reading

    workspace = Workspace(locate(work_dir, Path.cwd()))
    places = check_folders([folder.expanduser() for folder in folders])
    wanted = Wanted(extent == "quick", jobs or cores(), offline, places)
    if check:
        with bar("repair") as wanted.tell, reading(workspace.folder) as store:
            found = repair.look(store, workspace, wanted)
        if found.pieces:
            found.exit_code = errors.WORK_TO_DO
    else:
        found = _repair(workspace, wanted)
    if found.unreadable and found.exit_code in (errors.GOOD, errors.QUALITY):
        found.exit_code = errors.ENVIRONMENT
    if as_json:
        click.echo(json.dumps(found.as_json(look=check), indent=2))
    else:
        _show(found, check)
    return found.exit_code


def _repair(workspace: Workspace, wanted: Wanted) -> Repaired:
    from hst123r.cli.progress import listener_for
    from hst123r.cli.runs import ending_in_order
    from hst123r.engine.hold import holding
    from hst123r.engine.repair import repair

    def run(runner: Runner) -> Report:
        with ending_in_order(runner):
            return runner.run()

    listener = listener_for()
    with holding(workspace) as store, listener:
        return repair(store, workspace, wanted, listener, run)


def _show(found: Repaired, check: bool) -> None:
    from hst123r.cli.render import table

    columns = ("file", "state", "action", "source" if check else "outcome")
    if found.pieces:
        rows = [tuple(str(getattr(piece, name)) for name in columns) for piece in found.pieces]
        table(columns, rows)
    for piece in found.pieces:
        if piece.aside:
            click.echo(f"{piece.file} as it was found is {piece.aside}")
        if (not check and piece.action == "none") or piece.outcome == LEFT:
            click.echo(f"hst123r: {piece.file}: {piece.source}", err=True)
    for file in found.unreadable:
        click.echo(f"hst123r: {file} cannot be read, and is left alone", err=True)
    mended = sum(piece.outcome not in ("", LEFT) for piece in found.pieces)
    able = sum(piece.action != "none" for piece in found.pieces)
    if not found.pieces:
        click.echo("nothing is broken")
    elif check:
        click.echo(f"{len(found.pieces)} files are broken, {able} of them can be mended")
    else:
        click.echo(f"{mended} files mended, {len(found.pieces) - mended} left as they are")
