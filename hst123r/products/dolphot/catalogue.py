"""A DOLPHOT catalogue as arrays: a million rows without a Python object for any of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError
from hst123r.products.dolphot.columns import Block, Layout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_MAGNITUDE: Final = 99.0
"""DOLPHOT writes 99.999 where the flux is not above zero, or was not measured."""
NO_MAGNITUDE_ERROR: Final = 9.9985
"""It caps errors of magnitudes at 9.999, which is also what it writes without a measurement."""
NO_RATE_ERROR: Final = 9999.0
"""What it writes as the error of the rate of a filter without a measurement."""
ABSURD: Final = 1e30
"""Numbers as large as this are none; it uses 1e30 for limits that are not set."""
CHUNK_BYTES: Final = 1 << 24
"""Text that is turned into numbers at once, about 20,000 rows of 100 columns."""
_BLANK: Final = (9, 13, 32)
_NEWLINE: Final = 10


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The rows of a catalogue.

    Parameters
    ----------
    layout : Layout
        Its columns.
    objects : dict of str to (n,) ndarray
        Columns about the object; ``x`` and ``y`` are float64 in DOLPHOT's own pixels, in which
        the first pixel goes from 0 to 1; ``ext``, ``chip``, ``type`` and ``pass`` are int64; others
        are float32.
    combined, images : tuple of dict of str to (n,) ndarray
        Quantities of each filter and image in the order of the layout, float32 and NaN where
        there is no measurement; ``flag`` is int64, and 0 is no proof of one.
    not_numbers : int
        How many fields were written as ``nan`` or ``inf``.
    """

    layout: Layout
    objects: dict[str, NDArray[Any]]
    combined: tuple[dict[str, NDArray[Any]], ...]
    images: tuple[dict[str, NDArray[Any]], ...]
    not_numbers: int

    def __len__(self) -> int:
        return int(self.objects["x"].size)

    def rows(self, chosen: Any) -> Catalogue:
        """Return some of the rows, by their numbers."""
        parts = [
            tuple({name: values[chosen] for name, values in block.items()} for block in blocks)
            for blocks in ((self.objects,), self.combined, self.images)
        ]
        return Catalogue(self.layout, parts[0][0], parts[1], parts[2], self.not_numbers)


def joined(one: Catalogue, other: Catalogue) -> Catalogue:
    """Return the rows of two catalogues of the same columns, one after the other.

    Parameters
    ----------
    one, other : Catalogue
        Of the same images.

    Returns
    -------
    Catalogue
        With the layout of the first.
    """
    import numpy as np

    def both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
        return {name: np.concatenate([first[name], second[name]]) for name in first}

    return Catalogue(
        one.layout,
        both(one.objects, other.objects),
        tuple(map(both, one.combined, other.combined)),
        tuple(map(both, one.images, other.images)),
        one.not_numbers + other.not_numbers,
    )


def read_catalogue(
    path: str | Path, layout: Layout, quantities: Sequence[str] | None = None
) -> Catalogue:
    """Read a catalogue.

    Parameters
    ----------
    path : str or Path
        The file that DOLPHOT wrote, without a header.
    layout : Layout
        Its columns.
    quantities : sequence of str, optional
        Quantities of filters and images to keep, ``flag`` always; all by default.

    Returns
    -------
    Catalogue
        All rows, in the order of the file; none for an empty file.

    Raises
    ------
    InputError
        If it cannot be read, was cut off, or does not have the columns of the layout; with its
        line.
    """
    return gather(read_rows(path, layout.count, layout.source), layout, quantities)


def gather(
    rows: Iterator[NDArray[np.float64]],
    layout: Layout,
    quantities: Sequence[str] | None = None,
    lead: int = 0,
) -> Catalogue:
    """Sort rows of numbers by column.

    Parameters
    ----------
    rows : iterator of (n, columns) ndarray of float64
        The rows.
    layout : Layout
        What the columns are, those from `lead` on.
    quantities : sequence of str, optional
        As for :func:`read_catalogue`.
    lead : int
        Number of columns before those of the layout.

    Returns
    -------
    Catalogue
        With copies of the columns.
    """
    import numpy as np

    parts: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    odd = 0
    blocks = (*layout.combined, *layout.images)
    for values in rows:
        odd += int(np.count_nonzero(~np.isfinite(values)))
        columns = values[:, lead:].T
        objects = {name: _typed(columns[place], name) for name, place in layout.objects.items()}
        parts.append((objects, [_measured(columns, block, quantities) for block in blocks]))
    if not parts:
        return gather(iter([np.empty((0, lead + layout.count))]), layout, quantities, lead)
    whole = [
        {name: np.concatenate([part[1][number][name] for part in parts]) for name in first}
        for number, first in enumerate(parts[0][1])
    ]
    objects = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    count = len(layout.combined)
    return Catalogue(layout, objects, tuple(whole[:count]), tuple(whole[count:]), odd)


def _typed(column: NDArray[np.float64], name: str) -> NDArray[Any]:
    import numpy as np

    if name in {"ext", "chip", "type", "pass", "flag"}:
        return np.nan_to_num(column, nan=-1, posinf=-1, neginf=-1).astype(np.int64)
    return column.astype(np.float64 if name in {"x", "y"} else np.float32)


def _measured(
    columns: NDArray[np.float64], block: Block, quantities: Sequence[str] | None
) -> dict[str, NDArray[Any]]:
    """Return the quantities of a block with NaN for what DOLPHOT did not measure."""
    import numpy as np

    raw = {name: columns[place] for name, place in block.columns.items()}
    # an image that the star is not on has zeros, and an error that depends on the zeropoint
    nothing = (raw["counts"] == 0) & (raw["chi"] == 0) & (raw["snr"] == 0)
    nothing &= ~(raw["mag_err"] < NO_MAGNITUDE_ERROR)
    limits = {
        "mag": NO_MAGNITUDE, "mag_transformed": NO_MAGNITUDE,
        "mag_err": NO_MAGNITUDE_ERROR, "rate_err": NO_RATE_ERROR,
    }  # fmt: skip
    result = {}
    for name, values in raw.items():
        if name == "flag":
            result[name] = _typed(values, name)
        elif quantities is None or name in quantities:
            with np.errstate(invalid="ignore"):
                known = (np.abs(values) < ABSURD) & (values < limits.get(name, ABSURD))
            result[name] = np.where(known & ~nothing, values, np.nan).astype(np.float32)
    return result


def read_rows(
    path: str | Path, count: int, layout: str, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[NDArray[np.float64]]:
    """Read rows of numbers, some thousands at a time.

    Parameters
    ----------
    path : str or Path
        Numbers with space between them, a row on each line.
    count : int
        Numbers in a row.
    layout : str
        Where that number comes from, for messages.
    chunk_bytes : int
        About as much text is read at once.

    Yields
    ------
    (n, count) ndarray of float64
        The next rows, at least one.

    Raises
    ------
    InputError
        As for :func:`read_catalogue`.
    """
    try:
        with Path(path).open("rb") as file:
            line, rest = 1, b""
            while block := file.read(chunk_bytes):
                text = rest + block
                end = text.rfind(b"\n") + 1
                text, rest = text[:end], text[end:]
                if text:
                    yield _numbers(text, count, Path(path), line, layout)
                    line += text.count(b"\n")
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}", where=str(path), hint="Run DOLPHOT again"
        ) from error
    if rest.strip():
        raise InputError(
            "the catalogue ends in the middle of a row", where=f"{path}:{line}",
            hint="DOLPHOT was stopped or the disk was full; run it again",
        )  # fmt: skip


def _numbers(text: bytes, count: int, path: Path, line: int, layout: str) -> NDArray[np.float64]:
    import numpy as np

    fields = _fields(text)
    wrong = np.flatnonzero(fields != count)
    if wrong.size:
        first = int(wrong[0])
        raise InputError(
            f"there are {int(fields[first])} numbers, and {layout} describes {count} columns",
            where=f"{path}:{line + first}",
            hint="The columns are of another run, or the catalogue is damaged",
        )
    try:
        with warnings.catch_warnings():
            # of text that is no number older versions of NumPy only warn
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(text.decode("latin-1"), np.float64, sep=" ")
    except (ValueError, DeprecationWarning) as error:
        raise _no_number(text, path, line) from error
    return values.reshape(-1, count)


def _fields(text: bytes) -> NDArray[np.int64]:
    """Return how many words each line has."""
    import numpy as np

    letters = np.frombuffer(text, np.uint8)
    ends = letters == _NEWLINE
    blank = ends.copy()
    for letter in _BLANK:
        blank |= letters == letter
    starts = ~blank
    starts[1:] &= blank[:-1]
    last = np.flatnonzero(ends)
    return np.diff(np.cumsum(starts, dtype=np.int64)[last], prepend=0)


def _no_number(text: bytes, path: Path, line: int) -> InputError:
    for number, row in enumerate(text.decode("latin-1").split("\n"), line):
        for word in row.split():
            try:
                float(word)
            except ValueError:
                return InputError(
                    f"{word!r} is no number", where=f"{path}:{number}",
                    hint="The catalogue is damaged; run DOLPHOT again",
                )  # fmt: skip
    return InputError("its rows are no numbers", where=str(path))
