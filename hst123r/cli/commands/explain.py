"""``hst123r explain``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@shared.recipe_argument
@click.argument("job", metavar="JOB|FILE")
@shared.work_dir
@shared.settings
@shared.as_json
def command(
    recipe: str, job: str, work_dir: Path | None, settings: tuple[str, ...], as_json: bool
) -> int:
    """Explain why a job would run or be reused, and why it ran when it last did.

    JOB is STAGE:LABEL as `plan` and `history` show it; FILE is a product.

    \b
        hst123r explain mytarget.yaml stacks:acs_wfc-f606w
        hst123r explain mytarget.yaml products/stacks/acs_wfc-f606w/stack.fits
    """
    from hst123r.engine.ask import explain

    checked = shared.open_recipe(recipe, settings)
    found = explain(checked, shared.workspace_of(checked, work_dir), job)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return 0
    now = found["now"]
    reasons = now["reasons"] or ["nothing that it reads, and no parameter, has changed"]
    click.echo(f"{found['job']}: {now['action']}")
    for reason in reasons:
        click.echo(f"  because {reason}")
    last = found["last"]
    if last is None:
        click.echo("it has never run")
        return 0
    click.echo(
        f"last run: job {last['job']} in run {last['run']}, {last['started']}, {last['state']}"
    )
    for reason in last["reasons"]:
        click.echo(f"  because {reason}")
    return 0
