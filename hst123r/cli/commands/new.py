"""``hst123r new``."""

from __future__ import annotations

import re
from pathlib import Path

import click

from hst123r.errors import InputError


@click.command()
@click.argument("name")
@click.option(
    "--target", "position", required=True, metavar='"RA DEC"',
    help='Position of the target, e.g. "12:45:08.14 -00:27:32.8".',
)  # fmt: skip
@click.option("--target-name", help="Name of the target. Default: the name of the recipe.")
def command(name: str, position: str, target_name: str | None) -> None:
    """Write a commented recipe NAME.yaml that passes `check`.

    \b
        hst123r new sn2019yvr --target "12:45:08.14 -00:27:32.8"
    """
    from hst123r.files.publish import machine_errors
    from hst123r.recipe.model import NAME_PATTERN
    from hst123r.recipe.template import text
    from hst123r.records.position import parse

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    for word, given in ((path.stem, name), (target_name or path.stem, "--target-name")):
        if not re.fullmatch(NAME_PATTERN, word):
            raise InputError(
                f"{word!r} cannot be a name",
                where="" if word == given else given,
                hint="Use letters, digits and + . _ -",
            )
    if path.exists():
        raise InputError(
            "there is such a file already", where=str(path), hint="Nothing was changed"
        )
    try:
        found = parse(position)
    except ValueError as error:
        raise InputError(str(error), where="--target") from error
    with machine_errors("write the recipe", path):
        path.write_text(
            text(path.stem, target_name or path.stem, position, found), encoding="utf-8"
        )
    click.echo(f"{path} written: {found.sexagesimal} = {found.decimal}")
