"""A bundle is whole, the same every time, and says nothing of this machine."""

import json
import zipfile
from pathlib import Path

import pytest

from hst123r.errors import InputError
from hst123r.sharing.bundle import bundle, lock_of

RECIPE = "hst123r: 1\nname: r\n"


def test_what_is_in_it(bundled):
    with zipfile.ZipFile(bundled) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert set(archive.namelist()) == {
            "CITATION.cff", "prov.json", "recipe.lock.yaml", "recipe.yaml",
            "results/products/scrape/a.ecsv", "results/report.html", "ro-crate-metadata.json",
            "run.json",
        }  # fmt: skip
        assert archive.read("recipe.yaml").decode() == RECIPE
        assert json.loads(archive.read("run.json"))["format"] == "hst123r-extract/1"


def test_equal_runs_make_equal_bytes(extract, work, tmp_path):
    paths = [tmp_path / "1.zip", tmp_path / "2.zip"]
    for path in paths:
        bundle(extract, RECIPE, work, path, lock=None, version="1.0")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_path_of_this_machine_is_refused_and_nothing_is_left(extract, work, tmp_path):
    path = work / "report.html"
    path.write_text(f"<html>{work}</html>")
    from hst123r.files.content import look

    extract["jobs"][3]["products"][0]["files"][0]["digest"] = look(path).digest
    with pytest.raises(InputError, match="the path of the work directory"):
        bundle(extract, RECIPE, work, tmp_path / "p.zip", lock=None, version="1.0")
    assert not list(tmp_path.glob("*.zip*"))


def test_a_file_that_is_there_stays(bundled, extract, work):
    before = bundled.read_bytes()
    with pytest.raises(InputError, match="such a file already"):
        bundle(extract, RECIPE, work, bundled, lock=None, version="1.0")
    assert bundled.read_bytes() == before


def test_a_full_disk_leaves_nothing(extract, work, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    from hst123r.errors import EnvironmentProblem

    part = tmp_path / ".p.zip.part"
    part.symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match="disk is full"):
        bundle(extract, RECIPE, work, tmp_path / "p.zip", lock=None, version="1.0")
    assert not list(tmp_path.glob("*.zip*"))


def test_the_lock_beside_a_recipe_or_in_the_work_directory(tmp_path, work):
    assert lock_of(str(tmp_path / "r.yaml"), work) is None
    (work / "r.lock.yaml").write_text("y: 2\n")
    assert lock_of("/package/recipes/r.yaml", work) == "y: 2\n"
    (tmp_path / "r.lock.yaml").write_text("x: 1\n")
    assert lock_of(str(tmp_path / "r.yaml"), work) == "x: 1\n"
