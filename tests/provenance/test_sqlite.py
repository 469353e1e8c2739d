"""sqlite-utils without what it imports only in case it is there."""

import subprocess
import sys

import pytest

from hst123r.provenance.sqlite import Database, insert, insert_all, update

PROGRAM = """
import sys
from hst123r.provenance.sqlite import Database
assert not {"pandas", "numpy"} & set(sys.modules), "imported"
import numpy
assert numpy.arange(3).sum() == 3
Database(memory=True).table("t").insert({"a": 1})
print("good")
"""
AFTER = """
import sys
import numpy
from hst123r.provenance.sqlite import Database
assert sys.modules["numpy"] is numpy
row = next(iter([Database(memory=True).table("t").insert({"a": numpy.float64(1.5)})]))
print("good")
"""


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_it_imports_neither_numpy_nor_pandas_and_both_can_be_imported_after():
    done = run(PROGRAM)
    assert done.stdout == "good\n", done.stderr


def test_what_was_imported_before_stays():
    done = run(AFTER)
    assert done.stdout == "good\n", done.stderr


@pytest.fixture
def db():
    database = Database(memory=True)
    database.table("star").create({"id": int, "name": str, "flux": float}, pk="id", strict=True)
    database.table("place").create({"path": str, "size": int}, pk="path", strict=True)
    return database


def test_rows_are_inserted_numbered_and_changed(db):
    assert [insert(db, "star", {"name": name, "flux": 1.5}) for name in "ab"] == [1, 2]
    update(db, "star", 2, {"name": "it's", "flux": None})
    assert db.table("star").get(2) == {"id": 2, "name": "it's", "flux": None}
    assert not db.conn.in_transaction
    with pytest.raises(LookupError, match="star has no row 7"):
        update(db, "star", 7, {"name": "c"})


def test_many_rows_are_written_all_or_none(db):
    insert_all(db, "star", [{"name": "a"}, {"name": "b", "flux": 2.0}])
    insert_all(db, "star", [])
    assert [row["flux"] for row in db.table("star").rows] == [None, 2.0]
    with pytest.raises(db.conn.IntegrityError):
        insert_all(db, "star", [{"name": "c", "flux": 1.0}, {"name": "d", "flux": "bright"}])
    assert db.table("star").count == 2
    assert not db.conn.in_transaction


def test_a_row_takes_the_place_of_the_one_with_its_key(db):
    insert_all(db, "place", [{"path": "a", "size": 1}, {"path": "b", "size": 1}])
    insert_all(db, "place", [{"path": "a", "size": 2}], replace_by="path")
    assert {row["path"]: row["size"] for row in db.table("place").rows} == {"a": 2, "b": 1}
