"""Names of runs."""

import sqlite3

import pytest

from hst123r.provenance import tags


def test_a_name_is_given_once_and_taken_away(store, begin):
    run = begin()
    tags.put(store.db, "paper-v1", run, "as submitted")
    assert tags.runs(store.db) == {"paper-v1": run}
    (row,) = tags.listed(store.db)
    assert (row["name"], row["run"], row["note"]) == ("paper-v1", run, "as submitted")
    with pytest.raises(sqlite3.IntegrityError):
        tags.put(store.db, "paper-v1", run, "")
    assert tags.remove(store.db, "paper-v1")
    assert not tags.remove(store.db, "paper-v1")
    assert tags.listed(store.db) == []
