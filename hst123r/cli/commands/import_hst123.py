"""``hst123r import-hst123``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hst123r.errors import InputError


@click.command("import-hst123")
@click.argument("call", metavar="CALL")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="RECIPE.yaml",
    help="File to write; several are numbered. Default: what is asked goes to standard output.",
)  # fmt: skip
def command(call: str, output: Path | None) -> None:
    """Make a recipe of a command line of hst123, or of a shell script with several.

    CALL is the command line in quotes, or the path of a script. Calls that differ by their target
    alone make one recipe. Comments say where hst123 did something else than it said.

    \b
        hst123r import-hst123 'hst123 12:45:08.14 -00:27:32.8 --download --drizzle-all'
        hst123r import-hst123 reduce.sh -o reduce.yaml
    """
    from hst123r.recipe.hst123.draft import text
    from hst123r.recipe.hst123.recipes import recipes

    script, name = _script(call)
    stem = output.stem if output is not None else "imported"
    drafts = recipes(script, name)
    texts = []
    for number, draft in enumerate(drafts, 1):
        own = stem if len(drafts) == 1 else f"{stem}-{number}"
        texts.append((own, text(draft, own, "a call of hst123")))
    if output is None:
        click.echo("---\n".join(written for _, written in texts), nl=False)
        return
    _write([(output.with_name(f"{own}{output.suffix or '.yaml'}"), t) for own, t in texts])


def _script(call: str) -> tuple[str, str]:
    """Return the text with the calls, and its name: that of a file if there is one."""
    # of names that are too long or hold what no name does, `isfile` says no
    if not os.path.isfile(call):  # noqa: PTH113
        return call, "hst123"
    path = Path(call)
    try:
        return path.read_text(encoding="utf-8"), path.name
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"it cannot be read as text: {error}", where=str(path)) from error


def _write(files: list[tuple[Path, str]]) -> None:
    from hst123r.files.publish import machine_errors

    for path, _ in files:
        if path.exists():
            raise InputError(
                "there is such a file already", where=str(path), hint="Nothing was changed"
            )
    for path, written in files:
        with machine_errors("write the recipe", path):
            path.write_text(written, encoding="utf-8")
        click.echo(f"{path} written; `hst123r check {path}` looks for what is wrong")
