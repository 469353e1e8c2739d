"""``hst123r diff``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from hst123r import errors
from hst123r.cli import listing
from hst123r.cli import options as shared

RADIUS_ARCSEC: Final = 0.05
"""A pixel of the finest cameras; a catalogue is good to some thousandths of that."""
STARS: Final = 10
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "parameters": ("stage", "name", "a", "b", "origin_a", "origin_b"),
    "software": ("name", "a", "b"),
    "jobs": ("stage", "label", "a", "b", "why"),
    "files": ("path", "what", "facets"),
    "measurements": ("stage", "label", "subject", "name", "a", "b", "unit"),
    "photometry": (
        "stage", "target", "source", "level", "detector", "filter", "epoch", "exposure", "what",
        "flux_a", "flux_b", "sigma",
    ),
    "locked": ("section", "name", "text"),
}  # fmt: skip
STAR_COLUMNS: Final = (
    "source_a", "source_b", "ra", "dec", "separation_mas", "flux_a", "flux_b", "offset_mag",
    "sigma",
)  # fmt: skip
PAIRS: Final = (("a", "b"), ("flux_a", "flux_b"))
"""Columns that are compared by eye."""
SHOWN: Final = 20
"""Rows of each list in a table; JSON has all."""
DIGITS: Final = 4
MOST_DIGITS: Final = 15
"""Of two numbers that more decimals than that are needed for, all digits are shown."""


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@shared.work_dir
@click.option(
    "--radius",
    type=click.FloatRange(0, min_open=True),
    default=RADIUS_ARCSEC,
    show_default=True,
    metavar="ARCSEC",
    help="Stars of two catalogues are the same within this separation.",
)
@click.option(
    "--stars",
    type=click.IntRange(0),
    default=STARS,
    show_default=True,
    help="List so many stars of each catalogue, those that differ most.",
)
@shared.as_json
def command(
    a: str, b: str, work_dir: Path | None, radius: float, stars: int, as_json: bool
) -> int:  # fmt: skip
    """Show what differs between two runs, two recipes, or two locks.

    A and B are the number or the tag of a run, a work directory (its last run), DIR:RUN, or two
    recipe files, or two lock files (NAME.lock.yaml). Compared are targets, parameters with their
    origins, software, jobs with what they read by facet, files, measurements, light curves, and
    catalogues star by star; reports, exports and pictures name their run and are left out. Exit
    code 10 when they differ, 0 when they do not.

    \b
        hst123r diff 1 3
        hst123r diff mine theirs:paper-v1 --json
        hst123r diff old.yaml new.yaml
        hst123r diff before.lock.yaml recipe.lock.yaml
    """
    from hst123r.engine.diff import diff
    from hst123r.engine.workspace import locate

    folder = work_dir
    if work_dir is not None:
        folder = locate(work_dir, Path.cwd())
    else:
        with suppress(errors.InputError):
            folder = locate(None, Path.cwd())
    found = diff(folder, a, b, radius_arcsec=radius, stars=stars)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    else:
        _show(found)
    return errors.GOOD if found["equal"] else errors.WORK_TO_DO


def _show(found: Mapping[str, Any]) -> None:
    from hst123r.cli.render import table

    for side in ("a", "b"):
        head = found[side]
        run = "" if head["run"] is None else f", run {head['run']} of {head['started']}"
        click.echo(f"{side}: {head['recipe']} in {head['folder']}{run}")
    for name, columns in COLUMNS.items():
        rows: Sequence[Mapping[str, Any]] = found[name]
        if not rows:
            continue
        click.echo(f"\n{name}: {len(rows)} differ")
        table(columns, [_cells(row, columns) for row in rows[:SHOWN]])
        if len(rows) > SHOWN:
            click.echo(f"… and {len(rows) - SHOWN} more; --json has all")
    for item in found["catalogues"]:
        click.echo(f"\ncatalogue {item['name']}: {_sentence(item)}")
        if item.get("stars"):
            table(STAR_COLUMNS, [_cells(star, STAR_COLUMNS) for star in item["stars"]])
    if found["equal"]:
        click.echo("they are equal")


def _sentence(item: Mapping[str, Any]) -> str:
    if item["missing"]:
        return str(item["missing"])
    text = (
        f"{item['matched']} stars in both, {item['different']} of them differ; "
        f"{item['only_a']} only in a, {item['only_b']} only in b"
    )
    for side in ("a", "b"):
        if item[f"no_position_{side}"]:
            text += f"; {item[f'no_position_{side}']} of {side} have no position"
    if item["rms_sigma"] is not None:
        text += (
            f"; differences {item['rms_sigma']:.3g} sigma rms, {item['largest_sigma']:.3g} at most"
        )
    return text


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> tuple[str, ...]:
    """Return a row as text, in which two numbers that differ can be told apart."""
    shown = {name: _cell(row[name]) for name in columns}
    for pair in PAIRS:
        a, b = (row.get(name) for name in pair)
        if isinstance(a, float) and isinstance(b, float) and a != b:
            texts = ((f"{a:.{n}f}", f"{b:.{n}f}") for n in range(DIGITS, MOST_DIGITS))
            told = next((both for both in texts if both[0] != both[1]), (repr(a), repr(b)))
            shown |= zip(pair, told, strict=True)
    return tuple(shown[name] for name in columns)


def _cell(value: object) -> str:
    text = (
        listing.cell(value, DIGITS)
        if isinstance(value, float | None)
        else str(listing.plain(value))
    )
    return text if len(text) <= 100 else f"{text[:99]}…"
