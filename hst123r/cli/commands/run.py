"""``hst123r run``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@shared.recipe_argument
@shared.work_dir
@shared.choice_of_jobs
@shared.settings
@click.option(
    "-j",
    "--jobs",
    type=int,
    help="Jobs at once, or cores of a job that can use several. Default: the number of cores.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would be done, as `plan` does.")
@shared.as_json
def command(
    recipe: str,
    work_dir: Path | None,
    until: str | None,
    only: str | None,
    redo: tuple[str, ...],
    ignore: tuple[str, ...],
    offline: bool,
    locked: bool,
    settings: tuple[str, ...],
    jobs: int | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Run a recipe; what is up to date is reused.

    RECIPE is a file, or the name of a recipe that ships with hst123r.

    \b
        hst123r run quickstart
        hst123r run mytarget.yaml --until drizzle --set drizzle.pixfrac=0.6
    """
    from hst123r.cli import plans, runs
    from hst123r.engine.environment import cores
    from hst123r.engine.options import Options

    checked = shared.open_recipe(recipe, settings)
    chosen = Options(until, only, redo, ignore, cores() if jobs is None else jobs, offline, locked)
    chosen.check(checked)
    workspace = shared.workspace_of(checked, work_dir)
    if dry_run:
        return plans.show(checked, workspace, chosen, as_json=as_json)
    return runs.run(checked, workspace, chosen, as_json=as_json)
