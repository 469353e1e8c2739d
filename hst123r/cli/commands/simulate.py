"""``hst123r simulate``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hst123r.cli import options as shared


@click.command()
@shared.recipe_argument
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the exposures.",
)  # fmt: skip
@shared.settings
@shared.as_json
def command(recipe: str, output: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Make the exposures of a recipe's simulated archive, with the truth beside them.

    RECIPE needs a stage `fetch: {from: simulated, simulation: ...}`. For each exposure
    ROOT_truth.ecsv holds the true position, magnitude and counts of every star in it.

    \b
        hst123r simulate quickstart -o exposures
        hst123r simulate quickstart -o more --set fetch.simulation.seed=8
    """
    from hst123r.cli.render import table
    from hst123r.engine.simulate import simulate

    rows = []
    for row in simulate(shared.open_recipe(recipe, settings), output):
        click.echo(f"{row['root']} made", err=True)
        rows.append(row)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        columns = ("root", "detector", "filter", "start", "files")
        table(columns, [tuple(row[name] for name in columns) for row in rows])
