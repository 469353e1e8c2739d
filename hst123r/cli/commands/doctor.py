"""``hst123r doctor``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r import errors
from hst123r.cli import options as shared


@click.command()
@click.argument("recipe", metavar="[RECIPE]", required=False)
@shared.work_dir
@shared.settings
@shared.as_json
def command(
    recipe: str | None, work_dir: Path | None, settings: tuple[str, ...], as_json: bool
) -> int:
    """Check the installation, the machine and a work directory.

    With a RECIPE, also what it needs of DOLPHOT. Exit code 6 when something that is needed is
    missing.

    \b
        hst123r doctor
        hst123r doctor mytarget.yaml
    """
    from hst123r.cli.render import table
    from hst123r.engine.doctor import examine

    checked = shared.open_recipe(recipe, settings) if recipe is not None else None
    found = examine(work_dir or Path.cwd(), checked)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        table(("state", "what", "found"), [(r["state"], r["what"], r["found"]) for r in found])
    missing = any(row["state"] == "missing" for row in found)
    return errors.ENVIRONMENT if missing else errors.GOOD
