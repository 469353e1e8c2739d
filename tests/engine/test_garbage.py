"""What no kept run needs is shown, and removed only when it is said so; nothing else ever is."""

import shutil

import pytest

from hst123r.cli.main import invoke
from hst123r.engine import garbage
from hst123r.engine.hold import holding
from hst123r.engine.verify import verify
from hst123r.engine.workspace import Workspace
from hst123r.provenance.store import Store
from hst123r.provenance.tags import put


@pytest.fixture(scope="module")
def two_runs(first_run, module_folder):
    """Run again with another name of a stage; the old one's file is needed by run 1 alone."""
    folder = module_folder("renamed")
    shutil.copytree(first_run.parent / "work", folder / "work")
    recipe = folder / "recipe.yaml"
    text = first_run.read_text().replace("path: data", f"path: {first_run.parent / 'data'}")
    recipe.write_text(text.replace("exposures: {}", "exposures: {name: table}"))
    assert invoke(["run", str(recipe), "-C", str(folder / "work")]) == 0
    return folder / "work"


@pytest.fixture
def renamed(two_runs, tmp_path):
    shutil.copytree(two_runs, tmp_path / "work")
    return Workspace(tmp_path / "work")


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {
        "hst123r.sqlite-shm", "hst123r.sqlite-wal"
    }  # fmt: skip


def remove(workspace, last=1):
    with holding(workspace) as store:
        return garbage.remove(workspace, store, last)


def test_looking_changes_nothing(renamed):
    folder = renamed.folder
    before = files(folder)
    found = garbage.look(renamed, 1)
    assert [row["path"] for row in found["files"]] == ["products/exposures/all/exposures.ecsv"]
    assert found["bytes"] == found["files"][0]["bytes"] > 0
    first, second = found["runs"]
    assert (first["kept"], second["kept"]) == ("", "it is the last complete one")
    assert first["alone_bytes"] == found["bytes"]
    assert first["files"] == first["made"] == 5
    assert files(folder) == before


def test_what_is_not_needed_goes_and_nothing_else(renamed):
    folder = renamed.folder
    (folder / "products" / "mine.txt").write_text("mine")
    before = files(folder)
    found = remove(renamed)
    assert found["removed"] == 1
    assert before - files(folder) == {"products/exposures/all/exposures.ecsv"}
    assert not (folder / "products" / "exposures").exists()
    assert {row["state"] for row in verify(folder)} == {"ok", "not ours"}
    assert remove(renamed)["removed"] == 0


def test_a_tag_or_a_longer_memory_keeps_it(renamed):
    assert garbage.look(renamed, 2)["files"] == []
    store = Store(renamed.folder)
    put(store.db, "paper-v1", 1, "")
    store.close()
    assert remove(renamed)["removed"] == 0


def test_what_somebody_changed_is_left_alone(renamed):
    path = renamed.folder / "products/exposures/all/exposures.ecsv"
    path.write_text("changed by hand")
    found = remove(renamed)
    assert [row["state"] for row in found["files"]] == ["altered"]
    assert (found["removed"], found["bytes"]) == (0, 0)
    assert path.read_text() == "changed by hand"


def test_what_interrupted_jobs_left_in_scratch_goes(ran):
    left = ran.workspace.attempt(999)
    left.mkdir(parents=True)
    (left / "half.fits").write_bytes(b"x" * 1000)
    assert garbage.look(ran.workspace, 1)["scratch"] == [{"path": "scratch/000999", "bytes": 1000}]
    found = remove(ran.workspace)
    assert (found["bytes"], found["removed"]) == (1000, 0)
    assert not left.exists()
