"""Tables as ECSV: units, descriptions and meta survive, and people can read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r.errors import StageError

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
        Decimal places that are kept; None for all.
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
    from astropy.table import Table

    table = Table(meta=dict(meta))
    for column in columns:
        table[column.name] = _column(column, arrays[column.name])
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

    arrays: dict[str, Any] = {}
    for column in columns:
        values = [row.get(column.name) for row in rows]
        if column.dtype == "object":
            lists = np.empty(len(values), dtype=object)
            lists[:] = [np.asarray(value) for value in values]
            arrays[column.name] = lists
        elif column.dtype == "float":
            arrays[column.name] = [np.nan if value is None else value for value in values]
        elif column.dtype == "str":
            arrays[column.name] = ["" if value is None else str(value) for value in values]
        else:
            arrays[column.name] = values
    return from_arrays(columns, arrays, meta)


def _column(column: Column, values: Any) -> Any:
    import numpy as np
    from astropy.table import Column as TableColumn

    data = np.asarray(values, dtype=column.dtype)
    if column.digits is not None:
        data = np.round(data, column.digits)
    return TableColumn(data, unit=column.unit or None, description=column.description)


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


def read(path: Path | str, needs: Sequence[str] = ()) -> Table:
    """Read an ECSV table.

    Parameters
    ----------
    path : Path or str
        The file.
    needs : sequence of str
        Columns that it must have.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and meta; empty texts are empty texts.

    Raises
    ------
    StageError
        If one of those columns is not there.
    """
    from astropy.table import MaskedColumn, Table

    table = Table.read(path, format="ascii.ecsv")
    for name in table.colnames:
        # ECSV does not tell an empty text from none
        if isinstance(table[name], MaskedColumn) and table[name].dtype.kind == "U":
            table[name] = table[name].filled("")
    demand(table, path, needs)
    return table


def demand(table: Table, path: Path | str, needs: Sequence[str]) -> None:
    """Refuse a table without a column that is needed: an old one, or one that was edited.

    Parameters
    ----------
    table : Table
        The table.
    path : Path or str
        Its file.
    needs : sequence of str
        Names of columns.

    Raises
    ------
    StageError
        If one of them is not there.
    """
    missing = [name for name in dict.fromkeys(needs) if name not in table.colnames]
    if missing:
        raise StageError(
            f"there is no column {', '.join(missing)}",
            where=str(path),
            hint="An earlier version wrote the table, or it was edited: make it again",
        )
