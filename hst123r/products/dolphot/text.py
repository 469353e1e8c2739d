"""Text files of DOLPHOT, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hst123r.errors import InputError


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Read the lines of a text file that are not blank.

    Parameters
    ----------
    path : str or Path
        The file.

    Yields
    ------
    int, str
        The number of a line, from 1, and what it says without space around it.

    Raises
    ------
    InputError
        If the file cannot be read, or is no text.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}", where=str(path),
            hint="DOLPHOT writes it beside its catalogue; keep the files of a run together",
        ) from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise InputError("it is no text file", where=str(path)) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.strip()


def ends_whole(path: str | Path) -> bool:
    """Return whether the last line of a text file was written to its end.

    Parameters
    ----------
    path : str or Path
        A file that :func:`read_lines` could read.

    Returns
    -------
    bool
        Whether a newline is its last character; without one, the last number may be cut off.
    """
    return Path(path).read_bytes().endswith(b"\n")


def numbers(line: str, where: str) -> tuple[float, ...]:
    """Return the numbers of a line.

    Parameters
    ----------
    line : str
        Numbers with space between them.
    where : str
        File and line, for the message.

    Returns
    -------
    tuple of float
        At least one.

    Raises
    ------
    InputError
        If something in it is no number.
    """
    try:
        return tuple(float(word) for word in line.split())
    except ValueError as error:
        raise InputError(f"there should be numbers: {line[:60]!r}", where=where) from error
