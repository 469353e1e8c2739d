"""``hst123r check``."""

from __future__ import annotations

import json

import click

from hst123r.cli import options as shared


@click.command()
@shared.recipe_argument
@shared.settings
@click.option("--resolved", is_flag=True, help="Show every parameter with its value and origin.")
@shared.as_json
def command(recipe: str, settings: tuple[str, ...], resolved: bool, as_json: bool) -> int:
    """Check a recipe; show every error with its line and column.

    \b
        hst123r check mytarget.yaml
        hst123r check mytarget.yaml --resolved
    """
    from hst123r.cli.checks import resolved_rows, target_rows
    from hst123r.cli.render import table

    checked = shared.open_recipe(recipe, settings)
    targets = target_rows(checked)
    parameters = resolved_rows(checked) if resolved else []
    if as_json:
        click.echo(
            json.dumps(
                {
                    "recipe": checked.name,
                    "targets": targets,
                    "stages": [
                        {"name": i.name, "stage": i.stage, "implied": i.implied}
                        for i in checked.instances
                    ],
                    "parameters": parameters,
                },
                indent=2,
            )
        )
        return 0
    table(("target", "sexagesimal", "degrees"), [tuple(row.values()) for row in targets])
    click.echo()
    names = [f"({i.name})" if i.implied else i.name for i in checked.instances]
    click.echo(f"stages: {' → '.join(names)}")
    if resolved:
        click.echo()
        table(
            ("stage", "for", "parameter", "value", "unit", "origin"),
            [tuple(r.values()) for r in parameters],
        )
    click.echo(f"{recipe} is a good recipe")
    return 0
