"""``hst123r doctor``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r import errors
from hst123r.cli import options as shared


@click.command()
@shared.work_dir
@shared.as_json
def command(work_dir: Path | None, as_json: bool) -> int:
    """Check the installation, the machine and a work directory.

    Exit code 6 when something that is needed is missing.

    \b
        hst123r doctor
    """
    from hst123r.cli.render import table
    from hst123r.engine.doctor import examine

    found = examine(work_dir or Path.cwd())
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        table(("state", "what", "found"), [(r["state"], r["what"], r["found"]) for r in found])
    missing = any(row["state"] == "missing" for row in found)
    return errors.ENVIRONMENT if missing else errors.GOOD
