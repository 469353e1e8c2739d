"""sqlite-utils, imported without what it only imports in case it is there, and rows written as SQL.

sqlite-utils imports pandas and NumPy when they are installed, to recognise their types in rows.
We hand it plain values only, and the import of pandas would be a third of the time of a run with
nothing to do. Before it writes a row it also asks SQLite for the views, columns and keys that there
are, six or more statements for one; our tables are known, so rows are written by one statement.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

_UNNEEDED = ("pandas", "numpy")
_hidden = [name for name in _UNNEEDED if name not in sys.modules]
for _name in _hidden:
    # None makes the import of a module fail as if it were not installed
    sys.modules[_name] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations
finally:
    for _name in _hidden:
        del sys.modules[_name]

__all__ = ["Database", "Migrations", "insert", "insert_all", "update"]


def insert(db: Database, table: str, row: dict[str, Any]) -> int:
    """Insert a row.

    Parameters
    ----------
    db : Database
        The store.
    table : str
        Name of a table of ours.
    row : dict
        Plain values by column.

    Returns
    -------
    int
        Its number.
    """
    key = db.execute(_statement(table, row), list(row.values())).lastrowid
    if key is None:
        raise TypeError(f"the table {table} has no whole-number key")
    return int(key)


def insert_all(
    db: Database, table: str, rows: Iterable[dict[str, Any]], *, replace_by: str = ""
) -> None:
    """Insert rows, all or none.

    Parameters
    ----------
    db : Database
        The store.
    table : str
        Name of a table of ours.
    rows : iterable of dict
        Plain values by column; a column that a row does not have is NULL.
    replace_by : str
        Column of the key by which a row takes the place of an older one; empty for none.
    """
    given = list(rows)
    if not given:
        return
    columns = list(dict.fromkeys(name for row in given for name in row))
    statement = _statement(table, columns)
    if replace_by:
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name != replace_by)
        statement += f" on conflict ({replace_by}) do update set {changes}"
    with db.atomic():
        db.conn.executemany(statement, [[row.get(name) for name in columns] for row in given])


def update(db: Database, table: str, number: int, values: dict[str, Any]) -> None:
    """Change a row.

    Parameters
    ----------
    db : Database
        The store.
    table : str
        Name of a table of ours.
    number : int
        Its number.
    values : dict
        New plain values by column.

    Raises
    ------
    LookupError
        If there is no such row.
    """
    changes = ", ".join(f"{name} = ?" for name in values)
    statement = f"update {table} set {changes} where id = ?"  # noqa: S608  (our own names)
    if db.execute(statement, [*values.values(), number]).rowcount != 1:
        raise LookupError(f"the table {table} has no row {number}")


def _statement(table: str, columns: Iterable[str]) -> str:
    names = list(columns)
    places = ", ".join("?" * len(names))
    # tables and columns have our own names
    return f"insert into {table} ({', '.join(names)}) values ({places})"  # noqa: S608
