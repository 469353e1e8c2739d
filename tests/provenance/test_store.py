"""Opening the store, and the rows about runs."""

import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from hst123r.errors import EnvironmentProblem, InputError
from hst123r.provenance.store import NAME, Store, file_system


def test_a_new_store_is_marked_as_ours_and_safe(store, work):
    plain = sqlite3.connect(work / NAME)
    assert plain.execute("pragma application_id").fetchone() == (0x48313233,)
    assert plain.execute("pragma journal_mode").fetchone() == ("wal",)
    plain.close()
    assert store.db.execute("pragma foreign_keys").fetchone() == (1,)


def test_a_question_where_nothing_ran_is_the_users_error(tmp_path):
    with pytest.raises(InputError, match="nothing has been run in this directory"):
        Store(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_others_is_left_alone(tmp_path):
    other = sqlite3.connect(tmp_path / NAME)
    other.execute("create table theirs (x)")
    other.commit()
    other.close()
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(InputError, match="not made by hst123r"):
        Store(tmp_path)
    assert (tmp_path / NAME).read_bytes() == before


@pytest.mark.parametrize("read_only", [False, True])
def test_a_damaged_store_is_named(tmp_path, read_only):
    (tmp_path / NAME).write_bytes(b"this is no database, " * 500)
    with pytest.raises(EnvironmentProblem, match="the store cannot be used"):
        Store(tmp_path, read_only=read_only)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_version_is_refused(store, work, read_only):
    store.db.table("_sqlite_migrations").insert(
        {"migration_set": "hst123r", "name": "m999_later", "applied_at": "2030-01-01"}
    )
    store.close()
    with pytest.raises(EnvironmentProblem, match="m999_later"):
        Store(work, read_only=read_only)


def test_a_store_for_questions_cannot_be_written(store, work, begin):
    begin()
    asked = Store(work, read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        asked.event(1, "info", "x", "y")
    asked.close()


def test_a_store_in_memory_leaves_nothing(tmp_path):
    planned = Store.in_memory(tmp_path)
    assert planned.jobs.records() == {}
    planned.close()
    assert list(tmp_path.iterdir()) == []


def test_recipes_and_environments_are_kept_once(store, begin):
    one, two = begin(), begin(uid="u2")
    three = begin(recipe={"text": "hst123r: 1\n# changed\n"}, environment={"python": "3.13"})
    assert (one, two, three) == (1, 2, 3)
    assert store.db.table("recipe").count == 2
    assert store.db.table("environment").count == 2
    rows = store.db.execute("select recipe_id, environment_id, state from run").fetchall()
    assert rows == [(1, 1, "running"), (1, 1, "running"), (2, 2, "running")]


def test_a_run_that_never_ended_is_found(store, begin):
    one, two = begin(), begin()
    store.end_run(two, state="done", exit_code=0, ran=3, reused=[4, 5, 6, 7], blocked=[])
    assert store.interrupted_runs() == [one]
    row = store.db.table("run").get(two)
    assert (row["state"], row["exit_code"], row["jobs_run"], row["jobs_reused"]) == (
        "done", 0, 3, 4,
    )  # fmt: skip
    assert row["ended"] >= row["started"]


def test_a_transaction_happens_whole_or_not_at_all(store, begin):
    run = begin()

    def fails():
        with store.transaction():
            store.event(run, "info", "one", "first")
            store.event(run, None, "two", "no level is given")

    with pytest.raises(sqlite3.IntegrityError):
        fails()
    assert store.db.table("event").count == 0


def test_a_row_without_what_it_belongs_to_is_refused(store):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store.event(77, "info", "x", "there is no such run")


def test_the_lease_says_who_was_last(store):
    assert store.lease() is None
    for host in ("one", "two"):
        store.take_lease({"host": host, "pid": 5, "user": "me", "command": "run"})
    assert store.lease()["host"] == "two"
    assert store.db.table("lease").count == 1


def test_questions_are_answered_while_a_run_writes(store, work, begin):
    begin()
    found = []

    def ask():
        asked = Store(work, read_only=True)
        found.append(asked.db.table("run").count)
        asked.close()

    with store.transaction():
        store.end_run(1, state="done", exit_code=0, ran=0, reused=[], blocked=[])
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(timeout=10)
    assert found == [1]


KILLED = """
import os, signal, sys
from pathlib import Path
from hst123r.provenance.store import Store
store = Store(Path(sys.argv[1]))
with store.transaction():
    for number in range(2000):
        store.event(1, "info", "half", "x" * 2000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_of_a_writer_killed_in_the_middle_nothing_half_remains(store, work, begin):
    run = begin()
    store.event(run, "info", "whole", "before")
    store.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(work)], check=False)
    assert done.returncode == -signal.SIGKILL
    again = Store(work)
    assert again.db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert [row["code"] for row in again.db.table("event").rows] == ["whole"]
    again.close()


def test_closing_folds_the_log_back_into_one_file(store, work, begin):
    begin()
    store.close()
    assert [path.name for path in work.iterdir()] == [NAME]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts are read on Linux only")
def test_file_systems_are_told_by_the_longest_mount(tmp_path):
    from pathlib import Path

    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(tmp_path) not in {"", "proc"}
