"""What lies in scratch can always be removed, or is said."""

import os

import pytest

from hst123r.engine.hold import holding
from hst123r.engine.workspace import Lock, Workspace, remove_tree


@pytest.mark.parametrize("what", ["file", "link to a folder", "link to nothing", "nothing"])
def test_what_is_no_directory(tmp_path, what):
    path = tmp_path / ".nfs0001"
    if what == "file":
        path.touch()
    elif what == "link to a folder":
        (tmp_path / "mine").mkdir()
        path.symlink_to(tmp_path / "mine")
    elif what == "link to nothing":
        path.symlink_to(tmp_path / "gone")
    assert remove_tree(path) == ""
    assert not os.path.lexists(path)
    assert what != "link to a folder" or (tmp_path / "mine").is_dir()


def test_read_only_files_and_folders(tmp_path):
    path = tmp_path / "000001"
    (path / "work" / "deep").mkdir(parents=True)
    (path / "work" / "deep" / "file").touch(mode=0o444)
    (path / "work" / "link").symlink_to(tmp_path)
    for folder in (path / "work" / "deep", path / "work", path):
        folder.chmod(0o500)
    assert remove_tree(path) == ""
    assert not path.exists()
    assert tmp_path.is_dir()


def test_what_cannot_be_removed_is_said(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "file").touch()
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    assert remove_tree(tmp_path / "file").endswith("cannot be removed: Operation not permitted")


def test_an_empty_scratch_goes_and_what_is_in_it_stays(tmp_path):
    workspace = Workspace(tmp_path / "w")
    with holding(workspace):
        assert workspace.scratch.is_dir()
    assert not workspace.scratch.exists()
    with holding(workspace):
        workspace.attempt(1).mkdir()
    assert workspace.attempt(1).is_dir()


def test_who_waited_for_the_directory_has_a_scratch(tmp_path, monkeypatch):
    """The one before removes it, after the next one has made it and before that has the lock."""
    workspace = Workspace(tmp_path / "w")
    acquire = Lock.acquire

    def after_another(lock):
        workspace.leave()
        assert not workspace.scratch.exists()
        return acquire(lock)

    monkeypatch.setattr(Lock, "acquire", after_another)
    with holding(workspace):
        assert workspace.scratch.is_dir()
