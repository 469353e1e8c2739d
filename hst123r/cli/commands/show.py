"""``hst123r show``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from hst123r.cli import options as shared

_EMPTY: Final[tuple[Any, ...]] = (None, "", {}, [])


@click.command()
@click.argument("what", metavar="RUN|JOB|FILE")
@shared.work_dir
@shared.as_json
def command(what: str, work_dir: Path | None, as_json: bool) -> int:
    """Show all that is known of a run, a job or a file.

    RUN is its number, JOB is STAGE:LABEL or #NUMBER, FILE a path; a FITS product is also found
    by its header stamps, after it was moved or renamed.

    \b
        hst123r show 3
        hst123r show drizzle:acs_wfc-f606w
        hst123r show ~/Desktop/stack.fits
    """
    from hst123r.engine.ask import show
    from hst123r.engine.workspace import locate

    found = show(locate(work_dir, Path.cwd()), what)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _print(found)
    return 0


def _print(found: dict[str, Any], indent: str = "") -> None:
    for key, value in found.items():
        if isinstance(value, dict) and value:
            click.echo(f"{indent}{key}:")
            _print(value, indent + "  ")
        elif isinstance(value, list) and value:
            click.echo(f"{indent}{key}:")
            for item in value:
                click.echo(f"{indent}  - {_line(item)}")
        else:
            click.echo(f"{indent}{key}: {'' if value in (None, {}, []) else value}")


def _line(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    return ", ".join(f"{key} {value}" for key, value in item.items() if value not in _EMPTY)
