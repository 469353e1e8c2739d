from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from hst123r.engine.verify import verify
from hst123r.provenance import queries
from hst123r.provenance.store import Store


@pytest.fixture
def start():
    """Start the command line in a process of its own, in a group of its own."""
    running = []

    def start_it(*arguments, cwd):
        process = subprocess.Popen(
            [sys.executable, "-m", "hst123r", *arguments],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=dict(os.environ),
        )
        running.append(process)
        return process

    yield start_it
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def children_of():
    """Return the processes that are still there of what was started with a mark of its own."""

    def find(mark, word=""):
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdecimal():
                try:
                    environ = (process / "environ").read_bytes()
                    command = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if f"HST123R_TEST={mark}".encode() in environ and word.encode() in command:
                    found.append(int(process.name))
        return found

    return find


@pytest.fixture
def science():
    """Return what the products of a work directory hold, by path and facet."""

    def collect(folder):
        store = Store(folder, read_only=True)
        found = {}
        for entry in queries.current_files(store.db):
            content = store.contents.get(entry["content_id"])
            facets = {k: v for k, v in content.facets.items() if k != "volatile"}
            if entry["path"].endswith(".h5"):
                facets = tables_of(folder / entry["path"])
            found[entry["path"]] = facets or content.digest
        store.close()
        return found

    return collect


def tables_of(path):
    """Return a digest of every table of an export; of the runs that made them only that it is."""
    found = {}

    def look(name, item):
        if isinstance(item, h5py.Dataset):
            own = name.startswith("provenance")
            found[name] = (
                "" if own else hashlib.sha256(repr(item[()].tolist()).encode()).hexdigest()
            )

    with h5py.File(path) as file:
        file.visititems(look)
    return found


@pytest.fixture
def check_truth():
    """Check that the store tells no lie: every done job's files are there and whole."""

    def check(folder):
        odd = [row for row in verify(folder) if row["state"] in ("altered", "missing")]
        assert odd == []
        for path in (*folder.glob("raw/*"), *folder.glob("products/**/*")):
            assert not path.name.endswith((".part", ".stamped"))
        store = Store(folder, read_only=True)
        rows = store.db.execute(
            "select count(*) from job where state = 'done' and (key is null or ended is null)"
        ).fetchone()
        store.close()
        assert rows == (0,)

    return check
