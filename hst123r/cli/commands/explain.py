"""``hst123r explain``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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

    JOB is STAGE:LABEL as `plan` and `history` show it; FILE is a product. With --set it also says
    what that would change: every job of which a run would do something else.

    \b
        hst123r explain mytarget.yaml stacks:acs_wfc-f606w
        hst123r explain mytarget.yaml products/stacks/acs_wfc-f606w/stack.fits
        hst123r explain mytarget.yaml scrape:SN2019yvr --set align.max_rms=0.3pix
    """
    from hst123r.engine.ask import explain

    checked = shared.open_recipe(recipe, settings)
    before = shared.open_recipe(recipe, ()) if settings else None
    found = explain(checked, shared.workspace_of(checked, work_dir), job, before)
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
    else:
        click.echo(
            f"last run: job {last['job']} in run {last['run']}, {last['started']}, {last['state']}"
        )
        for reason in last["reasons"]:
            click.echo(f"  because {reason}")
    if settings:
        _changes(settings, found["changes"])
    return 0


def _changes(settings: Sequence[str], changes: Sequence[Mapping[str, Any]]) -> None:
    """Show what settings would change, folded where it is the same."""
    what = ", ".join(settings)
    if not changes:
        click.echo(f"{what} changes nothing of what a run would do")
        return
    click.echo(f"{what} changes what a run would do with {len(changes)} jobs:")
    folded: dict[tuple[str, ...], list[str]] = {}
    for row in changes:
        ways = (row["before"] or "not there", row["now"] or "not there")
        folded.setdefault((*ways, "; ".join(row["reasons"])), []).append(row["job"])
    for (before, now, why), names in folded.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        click.echo(f"  {names[0]}{more}: {before} → {now}{f', {why}' if why else ''}")
