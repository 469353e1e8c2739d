"""``hst123r update``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hst123r import errors
from hst123r.cli import options as shared

if TYPE_CHECKING:
    from hst123r.engine.update import Checked, Redelivered, Updated
    from hst123r.engine.workspace import Workspace
    from hst123r.recipe.model import Recipe

SHOWN: Final = 6
"""Files that are named; of more the number is told."""


@click.command()
@shared.recipe_argument
@shared.work_dir
@click.option("--check", is_flag=True, help="Only say what MAST has made anew; change nothing.")
@click.option("--offline", is_flag=True, help="Open no socket; lock what is here.")
@click.option(
    "-j",
    "--jobs",
    type=int,
    help="Jobs at once, or cores of a job that can use several. Default: the number of cores.",
)
@shared.as_json
def command(
    recipe: str, work_dir: Path | None, check: bool, offline: bool, jobs: int | None, as_json: bool
) -> int:
    """Renew the lock of a recipe, and show what is different.

    Asks the archives again and fetches what is new, and what MAST has made anew since; says what is
    different in it: the WCS only, the header, pixels. The next run makes the rest from that.

    With --check the exit code is 10 when MAST has made a file anew, 0 when it has not.

    \b
        hst123r update mytarget.yaml --check
        hst123r update mytarget.yaml
    """
    from hst123r.engine.environment import cores
    from hst123r.engine.options import Options

    checked = shared.open_recipe(recipe, ())
    workspace = shared.workspace_of(checked, work_dir)
    options = Options(jobs=cores() if jobs is None else jobs, offline=offline, update=True)
    options.check(checked)
    if check:
        return _check(checked, workspace, options, as_json=as_json)
    from hst123r.cli.progress import listener_for
    from hst123r.cli.runs import ending_in_order, problems
    from hst123r.engine.hold import holding
    from hst123r.engine.update import renewed, update

    listener = listener_for()
    with holding(workspace) as store, listener:
        runner = update(checked, workspace, store, options, listener)
        with ending_in_order(runner):
            done = renewed(runner)
    if as_json:
        click.echo(json.dumps(_as_json(done), indent=2))
    else:
        _show(done)
    for line in problems(done.report):
        click.echo(line, err=True)
    return done.report.exit_code


def _check(recipe: Recipe, workspace: Workspace, options: Any, *, as_json: bool) -> int:
    from hst123r.engine.update import check
    from hst123r.provenance.reading import reading

    with reading(workspace.folder) as store:
        found = check(recipe, store, options)
    if as_json:
        click.echo(json.dumps(_standing(found, {}), indent=2))
    else:
        for item in found.redelivered:
            click.echo(f"{item.file}: {item.why}")
        _show_the_rest(found)
        number = len(found.redelivered)
        click.echo(
            f"MAST has made {number} file{'s' if number != 1 else ''} anew"
            if number
            else "MAST has made no file anew, as far as can be told"
        )
    return errors.WORK_TO_DO if found.redelivered else errors.GOOD


def _standing(found: Checked, changed: dict[str, str]) -> dict[str, Any]:
    return {
        "redelivered": [_row(item, changed) for item in found.redelivered],
        "gone": found.gone,
        "unknown": len(found.unknown),
    }


def _show_the_rest(found: Checked) -> None:
    for name in found.gone:
        click.echo(f"MAST does not have {name} any more; the one that is here stays")
    if found.unknown:
        number = len(found.unknown)
        more = f" and {number - SHOWN} more" if number > SHOWN else ""
        click.echo(
            f"Whether MAST has made {number} file{'s' if number != 1 else ''} anew cannot be told: "
            f"{', '.join(found.unknown[:SHOWN])}{more} came without a date, or MAST gives none"
        )


def _row(item: Redelivered, changed: dict[str, str]) -> dict[str, str | None]:
    return {
        "stage": item.stage, "exposure": item.label, "file": item.file, "why": item.why,
        "changed": changed.get(item.file),
    }  # fmt: skip


def _as_json(done: Updated) -> dict[str, Any]:
    return {
        "lock": str(done.lock),
        "exit_code": done.report.exit_code,
        "differences": [
            {"section": item.section, "name": item.name, "text": item.text}
            for item in done.differences
        ],
        **_standing(done.checked, done.changed),
        "changed": done.changed,
    }


def _show(done: Updated) -> None:
    for item in done.checked.redelivered:
        if item.file in done.failed:
            click.echo(
                f"{item.file} was made anew ({item.why}) and did not come; the old one stays"
            )
            continue
        changed = done.changed.get(item.file, "nothing, its bytes are the same")
        click.echo(f"{item.file} was made anew ({item.why}); changed: {changed}")
    _show_the_rest(done.checked)
    others = set(done.changed) - {item.file for item in done.checked.redelivered}
    for name in sorted(others):
        click.echo(f"{name} changed: {done.changed[name]}")
    for difference in done.differences:
        click.echo(str(difference))
    if done.report.state != "done":
        click.echo(f"{done.lock.name} stays as it is")
    elif done.first:
        click.echo(f"written {done.lock.name}")
    elif not done.differences:
        click.echo(f"{done.lock.name} is up to date")
    else:
        click.echo(f"{len(done.differences)} differences; renewed {done.lock.name}")
