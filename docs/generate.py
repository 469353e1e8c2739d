"""Write what is made from the code: pages of the documentation, and three schemas.

python docs/generate.py           writes them
python docs/generate.py --check   writes nothing, lists what is stale, and exits with 1
"""

from __future__ import annotations

from pathlib import Path

import click
from pages import commands, detectors, recipes, stages, store, words
from pages.markdown import NOTICE

from hst123r.instruments.schema import instrument_schema
from hst123r.recipe.schema import as_text, lock_schema, recipe_schema

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent


def generated() -> dict[Path, str]:
    """Return the text of every generated file."""
    found = {
        ROOT / "schemas" / "recipe.schema.json": as_text(recipe_schema()),
        ROOT / "schemas" / "instrument.schema.json": as_text(instrument_schema()),
        ROOT / "schemas" / "lock.schema.json": as_text(lock_schema()),
    }
    for room in (stages, detectors, commands, recipes, store, words):
        found |= {DOCS / path: text for path, text in room.pages().items()}
    return found


def left_over(wanted: dict[Path, str]) -> list[Path]:
    """Return generated pages of what is no longer there."""
    return [
        path
        for path in sorted(DOCS.rglob("*.md"))
        if path not in wanted and path.read_text(encoding="utf-8").startswith(NOTICE)
    ]


def is_stale(path: Path, text: str) -> bool:
    """Whether a file differs from what would be written."""
    return not path.is_file() or path.read_text(encoding="utf-8") != text


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file is stale.")
def main(check: bool) -> None:
    """Write the files, or check them."""
    wanted = generated()
    stale = [path for path, text in wanted.items() if is_stale(path, text)]
    gone = left_over(wanted)
    for path in (*stale, *gone):
        click.echo(path.relative_to(ROOT))
    if check:
        if stale or gone:
            click.echo("stale; run `python docs/generate.py`", err=True)
            raise SystemExit(1)
        return
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    for path in gone:
        path.unlink()


if __name__ == "__main__":
    main()
