"""Tables for people: rich on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.table import Table

GAP: Final = "  "
INDENT: Final = 4

COLOURS: Final = {
    "run": "yellow", "maybe": "yellow", "later": "dim", "reuse": "green", "blocked": "red",
    "failed": "red", "done": "green", "reused": "green", "good": "green", "caveat": "yellow",
    "bad": "red", "error": "red", "interrupted": "yellow", "missing": "red", "altered": "red",
    "ok": "green", "unreadable": "red",
}  # fmt: skip


def on_terminal() -> bool:
    """Whether standard output is a terminal that may be coloured."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, below: int = 0) -> None:
    """Print a table to standard output.

    Parameters
    ----------
    headings : sequence of str
        Headings of the columns.
    rows : sequence of sequence of str
        Cells as text.
    below : int, optional
        So many cells at the end of each row stand on a line of their own, on a terminal that is
        too narrow for all.
    """
    if on_terminal():
        _rich_table(headings, rows, below)
        return
    widths = _widths(headings, rows)
    for row in (headings, *rows):
        line = GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def rejects(rows: Sequence[Mapping[str, object]]) -> None:
    """Print what was left out, with the reason of each.

    Parameters
    ----------
    rows : sequence of mapping
        ``subject``, ``detector`` and ``filter`` where they are known, ``code``, ``reason``.
    """
    keys = ("subject", "detector", "filter", "code", "reason")
    table(keys, [tuple(str(row.get(key, "")) for key in keys) for row in rows])


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(headings, *rows, strict=True)]


def _rich_table(headings: Sequence[str], rows: Sequence[Sequence[str]], below: int) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    widths = _widths(headings, rows)
    kept = len(widths) - below
    if not below or sum(widths) + len(GAP) * (len(widths) - 1) <= console.width:
        console.print(_grid(headings, rows))
        return
    heads = Text(GAP.join(map(str.ljust, headings[:kept], widths)).rstrip(), style="bold")
    console.print(heads, overflow="fold")
    for row in rows:
        cells = zip(row[:kept], widths, strict=False)
        line = Text(GAP).join(
            Text(cell.ljust(width), style=COLOURS.get(cell, "")) for cell, width in cells
        )
        line.rstrip()
        console.print(line, overflow="fold")
        if more := ": ".join(filter(None, row[kept:])):
            console.print(Padding(Text(more, style="dim", overflow="fold"), (0, 0, 0, INDENT)))


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    found = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        found.add_column(heading, overflow="fold")
    for row in rows:
        found.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    return found
