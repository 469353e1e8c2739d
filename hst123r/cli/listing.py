"""Lists as a table, as comma-separated values or as JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def forms(function: F) -> F:
    """Add ``--json``, ``--csv`` and ``--table``; the command gets ``form``, one of these words."""
    for name, about in (
        ("table", "Print a table; this is what happens without another."),
        ("csv", "Print comma-separated values."),
        ("json", "Print JSON."),
    ):
        function = click.option(
            f"--{name}", "form", flag_value=name, default="table" if name == "table" else None,
            multiple=False, expose_value=True, help=about,
        )(function)  # fmt: skip
    return function


def write_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as comma-separated values with a heading.

    Parameters
    ----------
    rows : sequence of mapping
        Values by column; lists are joined by semicolons.
    columns : sequence of str
        What is printed, and in which order.
    """
    writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: plain(row.get(name)) for name in columns} for row in rows)


def plain(value: object) -> object:
    """Return a value as one cell holds it."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def cell(value: object, digits: int = 1) -> str:
    """Return a value as text for a table."""
    if value is None:
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else str(plain(value))
