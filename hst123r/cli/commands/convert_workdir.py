"""``hst123r convert-workdir``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hst123r.cli import options as shared
from hst123r.errors import InputError

if TYPE_CHECKING:
    from hst123r.engine.hst123_folder import Survey

COLUMNS = ("action", "role", "file", "why")


@click.command("convert-workdir")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@shared.work_dir
@click.option(
    "--call", default="", metavar="CALL", help="The command line of hst123, in quotes or as a "
    "script, for the recipe. Default: one is supposed from what is there.",
)  # fmt: skip
@click.option("--note", default="", metavar="TEXT", help="What else is known of its results.")
@click.option("--check", is_flag=True, help="Show what would be done, and change nothing.")
@shared.as_json
def command(
    folder: Path, work_dir: Path | None, call: str, note: str, check: bool, as_json: bool
) -> int:
    """Read a work directory of hst123, adopt its results, and sketch a recipe to go on with.

    Aligned exposures, drizzled images, the reference, DOLPHOT's catalogues, light curves and HDF5
    files are adopted into a new work directory; raw exposures are read where they are by the
    recipe, which is written beside it. The table says what was found and what is left. Nothing in
    FOLDER is changed.

    \b
        hst123r convert-workdir ~/hst123/sn2019yvr --check
        hst123r convert-workdir ~/hst123/sn2019yvr --work-dir sn2019yvr
    """
    from hst123r.engine import convert
    from hst123r.engine.hst123_folder import survey
    from hst123r.engine.workspace import Workspace
    from hst123r.files.publish import machine_errors, write

    folder = folder.expanduser()
    found = survey(folder)
    place = (work_dir or Path(f"{_word(folder)}-converted")).expanduser().resolve()
    convert.check_places(folder, place)
    recipe = place.with_name(f"{place.name}.yaml")
    text = convert.sketch(found, place.name, place, _call(call))
    if recipe.exists() and not check:
        raise InputError(
            "there is such a recipe already", where=str(recipe),
            hint="Name another work directory with --work-dir; nothing was changed",
        )  # fmt: skip
    taken = []
    if not check:
        taken = convert.convert(found, Workspace(place), note)
        with machine_errors("write the recipe", recipe):
            write(recipe, text.encode())
    if as_json:
        click.echo(json.dumps(_as_json(found, place, recipe, text, check), indent=2))
        return 0
    _show(found)
    if check:
        click.echo(f"this recipe would be written to {recipe}:\n{text}", nl=False)
    else:
        click.echo(f"{sum(row.state == 'adopted' for row in taken)} results adopted in {place}")
        click.echo(f"{recipe} written; `hst123r check {recipe}` looks for what is wrong")
    return 0


def _word(folder: Path) -> str:
    """Return the name of a folder as one that a recipe can have."""
    return re.sub(r"[^A-Za-z0-9+._-]+", "_", folder.resolve().name).strip("_.-") or "hst123"


def _call(given: str) -> str:
    """Return a call, or the text of a script of that name."""
    path = Path(given)
    # of names that are too long or hold what no name does, nothing is there
    if given and len(given) < 256 and "\0" not in given and path.is_file():
        return path.read_text(encoding="utf-8", errors="replace")
    return given


def _show(found: Survey) -> None:
    from hst123r.cli.render import table

    rows = [(item.action, item.role, item.file, item.why) for item in found.entries]
    table(COLUMNS, rows)
    counts = found.counts()
    click.echo(
        f"{counts['adopt']} results to adopt, {counts['read']} raw files that the recipe reads, "
        f"{counts['left']} left"
    )


def _as_json(found: Survey, place: Path, recipe: Path, text: str, check: bool) -> dict[str, Any]:
    return {
        "check": check,
        "folder": str(found.folder),
        "work_dir": str(place),
        "recipe": str(recipe),
        "text": text,
        "files": [
            {
                "file": item.file,
                "role": item.role,
                "action": item.action,
                "why": item.why,
                "beside": []
                if item.found is None
                else [path.name for path in item.found.beside.values()],
            }
            for item in found.entries
        ],
    }
