"""``hst123r plan``."""

from __future__ import annotations

from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@shared.recipe_argument
@shared.work_dir
@shared.choice_of_jobs
@shared.settings
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
    as_json: bool,
) -> int:
    """Show what a run would do, and every reason; change nothing.

    Exit code 10 when there is work to do, 0 when there is none; where all that is left is
    blocked, that of the run.

    \b
        hst123r plan mytarget.yaml --set drizzle.pixfrac=0.6
    """
    from hst123r.cli import plans
    from hst123r.engine.options import Options

    checked = shared.open_recipe(recipe, settings)
    chosen = Options(until, only, redo, ignore, offline=offline, locked=locked)
    chosen.check(checked)
    return plans.show(checked, shared.workspace_of(checked, work_dir), chosen, as_json=as_json)
