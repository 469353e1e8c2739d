"""Arrays kept in the user's cache folder."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from hst123r.optics import kept as module
from hst123r.optics.kept import digest_of, kept


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HST123R_CACHE", str(tmp_path))
    return tmp_path / "psf"


def never():
    raise AssertionError("it is kept")


def test_what_was_computed_is_there_the_next_time(folder):
    values = np.random.default_rng(1).normal(size=(7, 7))
    assert kept("a", lambda: values) is values
    assert np.array_equal(kept("a", never), values)
    assert np.array_equal(kept("b", lambda: values + 1), values + 1)
    assert sorted(path.name for path in folder.iterdir()) == ["a.bin", "b.bin"]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "html"])
def test_what_is_damaged_is_computed_again(folder, damage):
    values = np.arange(9.0).reshape(3, 3)
    kept("a", lambda: values)
    whole = (folder / "a.bin").read_bytes()
    wrong = {"cut": whole[:-8], "changed": whole[:-1] + b"\1", "empty": b"", "html": b"<html>"}
    (folder / "a.bin").write_bytes(wrong[damage])
    assert np.array_equal(kept("a", lambda: values), values)
    assert (folder / "a.bin").read_bytes() == whole


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path, monkeypatch):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    monkeypatch.setenv("HST123R_CACHE", str(blocked))
    assert kept("a", lambda: np.ones((3, 3))).sum() == 9


def test_on_a_full_disk_no_half_of_a_file_is_left(folder, monkeypatch):
    def full(path, content):
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.Path, "write_bytes", full)
    assert kept("a", lambda: np.ones((3, 3))).sum() == 9
    assert list(folder.iterdir()) == []


def test_what_was_used_least_goes_first(folder, monkeypatch):
    def make(name):
        return kept(name, lambda: np.ones((10, 10)))

    for age, name in ((300, "a"), (200, "b"), (100, "c")):
        make(name)
        os.utime(folder / f"{name}.bin", (1e9 - age, 1e9 - age))
    size = (folder / "a.bin").stat().st_size
    # a is used again, so b is the oldest
    kept("a", never)
    # left by a process that was killed
    (folder / "d.1.part").write_bytes(b"0" * size)
    os.utime(folder / "d.1.part", (1, 1))
    monkeypatch.setattr(module, "LIMIT_BYTES", 3 * size)
    make("e")
    assert sorted(path.name for path in folder.iterdir()) == ["a.bin", "c.bin", "e.bin"]


def test_a_name_tells_its_parts_apart():
    assert digest_of("a", "bc") != digest_of("ab", "c")
