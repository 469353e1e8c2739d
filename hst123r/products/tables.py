"""Tables as ECSV: units, descriptions and meta survive, and people can read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astropy.table import Table


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        Name, lower_snake.
    description : str
        What it holds.
    unit : str
        Unit, empty for none.
    dtype : str
        NumPy type; ``object`` for lists of numbers of differing length.
    digits : int or None
        Decimal places when written; None for all.
    """

    name: str
    description: str
    unit: str = ""
    dtype: str = "str"
    digits: int | None = None


def from_arrays(
    columns: Sequence[Column], arrays: Mapping[str, Any], meta: Mapping[str, Any]
) -> Table:
    """Build a table from arrays, as :func:`build` does from rows.

    Parameters
    ----------
    columns : sequence of Column
        The columns, in order.
    arrays : mapping of str to array_like
        An array for every column.
    meta : mapping
        What the table is about.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and formats.
    """
    import numpy as np
    from astropy.table import Column as TableColumn
    from astropy.table import Table

    table = Table(meta=dict(meta))
    for column in columns:
        table[column.name] = TableColumn(
            np.asarray(arrays[column.name], dtype=column.dtype),
            unit=column.unit or None,
            description=column.description,
            format=f".{column.digits}f" if column.digits is not None else None,
        )
    return table


def build(
    columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], meta: Mapping[str, Any]
) -> Table:
    """Build a table from rows.

    Parameters
    ----------
    columns : sequence of Column
        The columns, in order.
    rows : sequence of mapping
        Values by column name; a missing or None value becomes NaN, an empty text or an error for
        whole numbers.
    meta : mapping
        What the table is about.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and formats.
    """
    import numpy as np
    from astropy.table import Column as TableColumn
    from astropy.table import Table

    table = Table(meta=dict(meta))
    for column in columns:
        values = [row.get(column.name) for row in rows]
        data: Any
        if column.dtype == "object":
            data = np.empty(len(values), dtype=object)
            data[:] = [np.asarray(value, dtype=float) for value in values]
        elif column.dtype == "float":
            data = np.array([np.nan if value is None else value for value in values], dtype=float)
        elif column.dtype == "str":
            data = np.array(["" if value is None else str(value) for value in values], dtype=str)
        else:
            data = np.array(values, dtype=column.dtype)
        table[column.name] = TableColumn(
            data,
            unit=column.unit or None,
            description=column.description,
            format=f".{column.digits}f" if column.digits is not None else None,
        )
    return table


def write(table: Table, path: Path) -> None:
    """Write a table as ECSV.

    Parameters
    ----------
    table : Table
        The table.
    path : Path
        New file.
    """
    table.write(path, format="ascii.ecsv", delimiter=",")


def read(path: Path | str) -> Table:
    """Read an ECSV table.

    Parameters
    ----------
    path : Path or str
        The file.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and meta.
    """
    from astropy.table import Table

    return Table.read(path, format="ascii.ecsv")
