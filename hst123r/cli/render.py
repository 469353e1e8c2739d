"""Tables for people: rich on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

COLOURS: Final = {
    "run": "yellow", "maybe": "yellow", "later": "dim", "reuse": "green", "blocked": "red",
    "failed": "red", "done": "green", "reused": "green", "good": "green", "caveat": "yellow",
    "bad": "red", "error": "red", "interrupted": "yellow", "missing": "red", "altered": "red",
    "ok": "green", "unreadable": "red",
}  # fmt: skip


def on_terminal() -> bool:
    """Whether standard output is a terminal that may be coloured."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to standard output.

    Parameters
    ----------
    headings : sequence of str
        Headings of the columns.
    rows : sequence of sequence of str
        Cells as text.
    """
    if on_terminal():
        _rich_table(headings, rows)
        return
    widths = [
        max(len(heading), *(len(row[i]) for row in rows), 0) if rows else len(heading)
        for i, heading in enumerate(headings)
    ]
    for row in (headings, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
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


def _rich_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    found = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        found.add_column(heading, overflow="fold")
    for row in rows:
        found.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    Console().print(found)
