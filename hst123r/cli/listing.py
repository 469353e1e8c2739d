"""Lists as a table, as comma-separated values or as JSON."""

from __future__ import annotations

import csv
import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., Any])


def one_of(name: str, *flags: tuple[str, str]) -> Callable[[F], F]:
    """Add flags of which one may be given; the command gets its word, or None, as one argument.

    Parameters
    ----------
    name : str
        Name of the argument.
    *flags : tuple of str
        Word, which is the flag without its dashes, and help.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> Any:
            words = [word for word, _ in flags if given.pop(f"{name}_{word}")]
            if len(words) > 1:
                named = " and ".join(f"--{word}" for word in words)
                raise click.UsageError(f"{named} exclude one another")
            return function(*args, **given, **{name: words[0] if words else None})

        for word, about in reversed(flags):
            option = click.option(f"--{word}", f"{name}_{word}", is_flag=True, help=about)
            call = option(call)
        return cast(F, call)

    return decorate


def forms(function: F) -> F:
    """Add ``--json``, ``--csv`` and ``--table``; the command gets ``form``, None for a table."""
    return one_of(
        "form",
        ("json", "Print JSON."),
        ("csv", "Print comma-separated values."),
        ("table", "Print a table, as without any of these."),
    )(function)


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


def moment(value: object) -> str:
    """Return a time of the store for a table: to the second, in UTC as all times are."""
    return str(value or "")[: len("2026-11-27T07:16:06")].replace("T", " ")
