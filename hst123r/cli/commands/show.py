"""``hst123r show``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from hst123r.cli import options as shared

WCS: Final = "wcs"
_EMPTY: Final[tuple[Any, ...]] = (None, "", {}, [])


@click.command()
@click.argument("what", metavar="RUN|JOB|FILE|wcs")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@shared.work_dir
@shared.as_json
def command(what: str, file: Path | None, work_dir: Path | None, as_json: bool) -> int:
    """Show all that is known of a run, a job or a file.

    RUN is its number, JOB is STAGE:LABEL or #NUMBER, FILE a path; a FITS product is also found
    by its header stamps, after it was moved or renamed. `wcs FILE` lists the WCS solutions of
    any exposure, and needs no work directory.

    \b
        hst123r show 3
        hst123r show drizzle:acs_wfc-f606w
        hst123r show ~/Desktop/stack.fits
        hst123r show wcs raw/j8bt06nyq_flt.fits
    """
    from hst123r.engine.ask import show
    from hst123r.engine.workspace import locate

    if what == WCS:
        _wcs(file, as_json)
        return 0
    if file is not None:
        raise click.UsageError(
            f"`show` takes one of them at a time; only {WCS} has a FILE behind it"
        )
    found = show(locate(work_dir, Path.cwd()), what)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _print(found)
    return 0


def _wcs(file: Path | None, as_json: bool) -> None:
    """Show the WCS solutions of an exposure."""
    from hst123r.errors import InputError
    from hst123r.products.wcs_solutions import read_solutions

    if file is None:
        raise click.UsageError(f"`show {WCS}` needs the FILE of an exposure")
    if not file.is_file():
        raise InputError("there is no such file", where=str(file))
    solutions = read_solutions(file)
    if as_json:
        found = {"file": str(file), "solutions": [item.as_json() for item in solutions]}
        click.echo(json.dumps(found, indent=2))
        return
    for item in solutions:
        click.echo(f"{item.name or '(no name)'}{'  <- in use' if item.in_use else ''}")
        table = f"distortion table {item.table or 'not named'}"
        click.echo(f"  {item.words}; {item.place}; {table if item.distorted else 'not distorted'}")
        if item.matches or item.rms_ra_mas:
            count = f"{item.matches} matches" if item.matches else "number of matches not stated"
            rms = [item.rms_ra_mas, item.rms_dec_mas]
            spread = ", ".join("?" if value is None else f"{value:.1f}" for value in rms)
            click.echo(f"  {count}, rms {spread} mas")
        lacks = ", ".join(item.lacks)
        click.echo(f"  not complete: it lacks {lacks}" if lacks else "  complete")


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
