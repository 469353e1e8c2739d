"""One SQL statement of a user's: it can read the store, and nothing else.

SQLite asks for leave before each thing a statement would do, so what writes, attaches or loads is
refused while the statement is compiled. A clock ends what takes too long, and limits keep one
value from taking all memory.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hst123r.errors import InputError, did_you_mean
from hst123r.provenance.store import Store

READING: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
"""All that a question needs."""
DESCRIBING: Final = frozenset(
    {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "foreign_key_list"}
)
"""Pragmas that only describe tables."""
TABLE_FUNCTIONS: Final = ("json_each", "json_tree", "pragma_table_info", "pragma_foreign_key_list")
"""Functions that give rows."""
DENIED_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer"})
LARGEST_VALUE: Final = 50_000_000
"""Bytes of one text or blob; the cards of a header take some 100 000."""
LARGEST_ANSWER: Final = 200_000_000
"""Letters of all rows; what a table or a notebook can still show is far less."""
LONGEST_PATTERN: Final = 1000
"""Letters of a LIKE or GLOB; matching a long one takes for ever, and no clock is looked at."""
STEPS: Final = 10_000
"""Instructions between two looks at the clock: some tenths of a millisecond."""
WORDS: Final = {
    sqlite3.SQLITE_ATTACH: "opens another file",
    sqlite3.SQLITE_DETACH: "closes a file",
    sqlite3.SQLITE_PRAGMA: "has a pragma that can change something",
    sqlite3.SQLITE_FUNCTION: "calls a function that could load code",
    sqlite3.SQLITE_TRANSACTION: "begins or ends a transaction",
    sqlite3.SQLITE_SAVEPOINT: "begins or ends a transaction",
}
"""What a refused action does, by its code; all others write."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave.

    Parameters
    ----------
    columns : list of str
        Names, made unique.
    rows : list of list
        Values as JSON has them; a blob as hexadecimal text.
    truncated : bool
        Whether there were more rows.
    """

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, a mapping for each row."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"columns": self.columns, "rows": rows, "truncated": self.truncated}


class _Guard:
    """What SQLite asks while it compiles and runs a statement."""

    def __init__(self, seconds: float) -> None:
        self.refused = ""
        self.deadline = time.monotonic() + seconds

    def allow(self, action: int, one: str | None, two: str | None, *_: object) -> int:
        """Say whether a statement may do something."""
        if action == sqlite3.SQLITE_PRAGMA:
            allowed = one in DESCRIBING
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = two not in DENIED_FUNCTIONS
        else:
            allowed = action in READING
        if allowed:
            return sqlite3.SQLITE_OK
        self.refused = self.refused or WORDS.get(action, "writes")
        return sqlite3.SQLITE_DENY

    def late(self) -> int:
        """Say whether the time is over."""
        return int(time.monotonic() > self.deadline)


def ask(store: Store, text: str, *, seconds: float, limit: int) -> Answer:
    """Answer one statement.

    Parameters
    ----------
    store : Store
        Opened to read; it takes no other question afterwards.
    text : str
        One SQL statement that reads.
    seconds : float
        After this time it is ended.
    limit : int
        Largest number of rows.

    Returns
    -------
    Answer
        The rows.

    Raises
    ------
    InputError
        If the statement does anything but read, takes too long, or is no SQL.
    """
    guard = _Guard(seconds)
    connection = store.db.conn
    names = [*store.db.table_names(), *store.db.view_names()]
    _confine(connection, guard.allow, guard.late)
    try:
        cursor = connection.execute(text)
        if cursor.description is None:
            raise InputError("there is no statement that gives rows", hint=_HINT)
        columns = _unique([column[0] for column in cursor.description])
        found = _rows(cursor, limit + 1)
    except (sqlite3.Warning, sqlite3.ProgrammingError) as error:
        raise InputError(f"one statement at a time, please: {error}") from error
    except sqlite3.DatabaseError as error:
        sentence = _sentence(error, guard, seconds, names)
        if sentence is None:
            raise
        raise sentence from error
    rows = [[_plain(value) for value in row] for row in found[:limit]]
    return Answer(columns, rows, len(found) > limit)


_HINT: Final = "Write SELECT …; the tables and views are in the documentation under `tables`"


def _rows(cursor: sqlite3.Cursor, most: int) -> list[tuple[Any, ...]]:
    """Return rows, as many as are wanted and as fit into memory."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    while len(rows) < most and (row := cursor.fetchone()) is not None:
        size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
        if size > LARGEST_ANSWER:
            raise InputError(
                f"the answer is larger than {LARGEST_ANSWER / 1e6:.0f} MB", hint="Ask for less"
            )
        rows.append(row)
    return rows


def _confine(
    connection: sqlite3.Connection, allow: Callable[..., int], late: Callable[[], int]
) -> None:
    for name in TABLE_FUNCTIONS:
        # at its first use SQLite declares the table it gives, which looks like writing
        connection.execute(f"select * from {name}('[]')").fetchall()  # noqa: S608  (our own names)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.set_progress_handler(late, STEPS)
    connection.set_authorizer(allow)


def _sentence(
    error: sqlite3.DatabaseError, guard: _Guard, seconds: float, names: list[str]
) -> InputError | None:
    """Return what a user did wrong, None where it is the store that is at fault."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    text = str(error)
    if guard.refused:
        return InputError(f"the statement {guard.refused}, and this command only reads", hint=_HINT)
    if code == sqlite3.SQLITE_INTERRUPT:
        return InputError(
            f"the statement took longer than {seconds:g} s and was ended",
            hint="Ask for less, or give more time with --seconds",
        )
    if code in {sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_NOMEM}:
        return InputError(f"a value is larger than {LARGEST_VALUE / 1e6:.0f} MB ({text})")
    if text.startswith("no such table: "):
        wrong = text.rpartition(": ")[2]
        return InputError(f"there is no table {wrong}, {did_you_mean(wrong, names)}")
    if code in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISMATCH}:
        return InputError(f"SQLite cannot do that: {text}", hint=_HINT)
    return None


def _unique(names: list[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        fresh, number = name, 2
        while fresh in found:
            fresh, number = f"{name}_{number}", number + 1
        found.append(fresh)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
