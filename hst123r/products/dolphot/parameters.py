"""Parameter files of DOLPHOT, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hst123r.errors import InputError
from hst123r.products.dolphot.text import read_lines

LONGEST_LINE: Final = 800
"""Characters of a line that DOLPHOT reads."""


def read_parameters(path: str | Path) -> dict[str, str]:
    """Read a parameter file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to str
        Values as text by name as written, in the order of the file; of a name that is there
        twice, in whatever case, the last counts, as for DOLPHOT.

    Raises
    ------
    InputError
        If it cannot be read, or a line is no parameter; with its line.
    """
    found: dict[str, tuple[str, str]] = {}
    for number, line in read_lines(path):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(
                f"this is no parameter: {text[:60]!r}", where=f"{path}:{number}",
                hint="Lines are `name = value`, and what follows # is a comment",
            )  # fmt: skip
        key = name.strip()
        found.pop(key.lower(), None)
        found[key.lower()] = (key, value.strip())
    return dict(found.values())


def write_parameters(path: Path, values: Mapping[str, str]) -> None:
    """Write a parameter file.

    Parameters
    ----------
    path : Path
        New file.
    values : mapping of str to str
        Values as text by name, in their order.

    Raises
    ------
    InputError
        If a line would be too long for DOLPHOT.
    """
    lines = [f"{name} = {value}" for name, value in values.items()]
    for line in lines:
        if len(line) > LONGEST_LINE:
            raise InputError(
                f"{line[:40]!r}… has {len(line)} characters, and DOLPHOT reads {LONGEST_LINE}",
                where=str(path),
            )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
