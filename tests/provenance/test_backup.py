"""A store is looked over, and copied while it is in use."""

import sqlite3
from contextlib import suppress

import pytest

from hst123r.errors import EnvironmentProblem, Hst123rError, InputError
from hst123r.provenance.backup import check, copy
from hst123r.provenance.reading import reading


def test_a_store_that_is_well(store, attempt, work):
    attempt()
    with reading(work) as opened:
        found = check(opened)
    assert (found["runs"], found["jobs"], found["problems"]) == (1, 1, [])
    assert found["version"].startswith("m0")


def test_rows_that_name_nothing_are_found(store, attempt, work):
    attempt()
    store.close()
    with sqlite3.connect(work / "hst123r.sqlite") as other:
        other.execute("pragma foreign_keys = off")
        other.execute("update job set run_id = 99")
    other.close()
    with reading(work) as opened:
        (problem,) = check(opened)["problems"]
    assert problem == "row 1 of job names a row of run that is not there"


def test_damage_is_a_sentence(store, attempt, work):
    attempt()
    store.close()
    path = work / "hst123r.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xa5" * (len(content) // 2))
    said = []
    with suppress(EnvironmentProblem), reading(work) as opened:
        said = check(opened)["problems"]
    if not said:
        with (
            pytest.raises(EnvironmentProblem, match="the store cannot be used"),
            reading(work) as it,
        ):
            check(it)


def test_a_copy_has_rows_that_are_only_in_the_log(store, attempt, work, tmp_path):
    """The store is open for writing, and its last rows are not in the file itself."""
    attempt()
    place = tmp_path / "copy.sqlite"
    with reading(work) as opened:
        size = copy(opened, place)
    assert place.stat().st_size == size
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.sqlite"]
    with sqlite3.connect(place) as other:
        assert other.execute("select count(*) from job").fetchone() == (1,)
        assert other.execute("pragma application_id").fetchone() == (0x48313233,)
    other.close()
    # put in its place, it is a store
    inside = tmp_path / "again"
    inside.mkdir()
    place.rename(inside / "hst123r.sqlite")
    with reading(inside) as opened:
        assert check(opened)["problems"] == []


def test_nothing_is_written_over(store, work, tmp_path):
    place = tmp_path / "copy.sqlite"
    place.write_text("mine")
    with reading(work) as opened:
        with pytest.raises(InputError, match="there already"):
            copy(opened, place)
        with pytest.raises(InputError, match="no such folder"):
            copy(opened, tmp_path / "none" / "copy.sqlite")
        (tmp_path / "c.part").mkdir()
        with pytest.raises(Hst123rError, match="the copy cannot be written"):
            copy(opened, tmp_path / "c")
    assert place.read_text() == "mine"
