"""``hst123r replay``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.zip")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="New folder for recipe and work directory. Default: the name of the bundle.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(1), help="How many jobs at a time.")
@click.option("--offline", is_flag=True, help="Open no socket.")
@click.option(
    "--sigma", type=click.FloatRange(0), default=0.01, show_default=True,
    help="How far fluxes may differ, in units of their error.",
)  # fmt: skip
@shared.as_json
def command(
    bundle: Path, into: Path | None, jobs: int | None, offline: bool, sigma: float, as_json: bool
) -> int:
    """Run the recipe of a bundle again, and compare the results with it.

    What the lock names is fetched, the recipe is run, and software, products and photometry are
    compared. Ends with 0 if all is equal, with 3 if something is not.

    \b
        hst123r replay paper.zip
    """
    from hst123r.cli.render import table
    from hst123r.errors import GOOD, QUALITY
    from hst123r.sharing import replay
    from hst123r.sharing.unpack import read_bundle

    opened = read_bundle(bundle)
    recipe = replay.lay_out(opened, into or Path(bundle.stem))
    options = replay.arguments(opened)
    options += ["--jobs", str(jobs)] if jobs else []
    options += ["--offline"] if offline else []
    code = replay.run_again(recipe, options)
    if code not in replay.FINISHED:
        return code
    lines = replay.compared(opened, recipe.parent / recipe.stem, sigma)
    failed = [line for line in lines if line.passed is False]
    if as_json:
        click.echo(json.dumps([line.as_json() for line in lines], indent=2))
    else:
        words = {True: "pass", False: "FAIL", None: "note"}
        rows = [[line.what, words[line.passed], line.found] for line in lines]
        table(["what", "verdict", "found"], rows)
    return QUALITY if failed else GOOD
