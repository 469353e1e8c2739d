"""A bundle is whole, the same every time, and says nothing of this machine."""

import json
import zipfile
from pathlib import Path

import pytest

from hst123r.errors import InputError
from hst123r.provenance.store import Store
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
        bundle(extract, RECIPE, work, path, lock_text=None, version="1.0")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_path_of_this_machine_is_refused_and_nothing_is_left(extract, work, tmp_path):
    path = work / "report.html"
    path.write_text(f"<html>{work}</html>")
    from hst123r.files.content import look

    extract["jobs"][3]["products"][0]["files"][0]["digest"] = look(path).digest
    with pytest.raises(InputError, match="the path of the work directory"):
        bundle(extract, RECIPE, work, tmp_path / "p.zip", lock_text=None, version="1.0")
    assert not list(tmp_path.glob("*.zip*"))


def test_a_file_that_is_there_stays(bundled, extract, work):
    before = bundled.read_bytes()
    with pytest.raises(InputError, match="such a file already"):
        bundle(extract, RECIPE, work, bundled, lock_text=None, version="1.0")
    assert bundled.read_bytes() == before


def test_a_full_disk_leaves_nothing(extract, work, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    from hst123r.errors import EnvironmentProblem

    part = tmp_path / ".p.zip.part"
    part.symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match="disk is full"):
        bundle(extract, RECIPE, work, tmp_path / "p.zip", lock_text=None, version="1.0")
    assert not list(tmp_path.glob("*.zip*"))


@pytest.mark.parametrize("word", ["/root/.cache", "/data/group/x.csv", "/home/ann/x"])
def test_absolute_paths_of_a_recipe_are_refused_unless_allowed(extract, work, tmp_path, word):
    recipe = f"name: r\nstages: [{{fetch: {{path: {word}}}}}]\n"
    path = tmp_path / "p.zip"
    with pytest.raises(InputError, match=r"recipe.yaml holds (a path|your)"):
        bundle(extract, recipe, work, path, lock_text=None, version="1.0")
    if not word.startswith(str(Path.home())):
        bundle(extract, recipe, work, path, lock_text=None, version="1.0", paths=True)
        assert path.is_file()


def test_units_and_addresses_are_no_paths(extract, work, tmp_path):
    recipe = "# electrons/s, https://a.b/c/d, mast:HST/product/x, 3 /s, ACS/WFC and/or\n"
    bundle(extract, recipe, work, tmp_path / "p.zip", lock_text=None, version="1.0")


def test_bytes_of_binary_results_are_looked_at_too(extract, work, tmp_path):
    from hst123r.files.content import look

    path = work / "products/stack/a_drz.fits"
    path.write_bytes(b"\0\0" + str(work).encode() + b"\0")
    extract["jobs"][1]["products"][0]["files"][0]["digest"] = look(path).digest
    with pytest.raises(InputError, match=r"a_drz.fits holds the path of the work directory"):
        bundle(
            extract, RECIPE, work, tmp_path / "p.zip", lock_text=None, version="1.0", images=True
        )


def lock(path, digest):
    from hst123r.recipe import lock as module

    entry = {"stage": "fetch", "exposure": "a", "role": "science", "name": "a_flc.fits",
             "digest": digest}  # fmt: skip
    head = {"recipe": {"name": "r", "digest": f"blake3:{'0' * 64}"}, "products": [entry]}
    module.save(module.Lock.model_validate(head), path)


def test_the_lock_beside_a_recipe_or_in_the_work_directory(tmp_path, work, extract):
    recipe = str(tmp_path / "r.yaml")
    assert lock_of(recipe, work, extract) is None
    had = extract["jobs"][0]["products"][0]["files"][0]["digest"]
    lock(work / "r.lock.yaml", had)
    assert lock_of("/package/recipes/r.yaml", work, extract) == (work / "r.lock.yaml").read_text()
    lock(tmp_path / "r.lock.yaml", f"blake3:{'1' * 64}")
    with pytest.raises(InputError, match=r"of other files than this run had: a_flc.fits"):
        lock_of(recipe, work, extract)
    (tmp_path / "r.lock.yaml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        lock_of(recipe, work, extract)


def test_a_run_with_other_files_than_its_lock_is_not_bundled(hst123r, data, write_recipe, tmp_path):
    from astropy.io import fits

    recipe = write_recipe("exposures: {}")
    assert hst123r("run", recipe).code == 0
    with fits.open(data / "jsi00102q_flc.fits", mode="update") as hdus:
        hdus["SCI"].data[5, 5] += 1
    answer = hst123r("run", recipe)
    assert "not as locked" in answer.err
    answer = hst123r("bundle", "-o", "p.zip", "-C", tmp_path / "r")
    assert answer.code == 2
    assert "the lock is of other files than this run had: jsi00102q_flc.fits" in answer.err
    assert "hst123r update" in answer.err
    assert not list(tmp_path.glob("*.zip"))
    # the first run had what was locked, and only its files are gone
    assert hst123r("update", recipe).code == 0
    assert hst123r("bundle", "-o", "p.zip", "-C", tmp_path / "r", "--paths").code == 0


def test_a_changed_lock_beside_the_recipe_does_not_matter(hst123r, copy_of_finished, tmp_path):
    beside = copy_of_finished.parent / "small.lock.yaml"
    with Store(copy_of_finished).db.conn as conn:
        (text,) = conn.execute("select text from lock").fetchone()
    beside.write_text("another: lock\n")
    assert hst123r("bundle", "-o", "p.zip", "--work-dir", "small").code == 0
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.read("recipe.lock.yaml").decode() == text
        assert "small" in text


@pytest.mark.heavy
def test_the_page_in_it_says_nothing_of_earlier_runs(hst123r, copy_of_finished, tmp_path):
    """A tag of theirs need not be public, and a path in their recipes is no reason to refuse."""
    assert hst123r("tag", "1", "secret", "-C", "small").code == 0
    beside = copy_of_finished.parent / "small.yaml"
    beside.write_text(f"# another\n{beside.read_text()}".replace("0.1 arcsec", "0.11 arcsec"))
    assert hst123r("run", "small.yaml").code == 0
    here = (copy_of_finished / "provenance.html").read_text(encoding="utf-8")
    assert "scrape.radius 0.1 arcsec → 0.11 arcsec" in here
    assert "secret" in here
    assert hst123r("bundle", "-o", "p.zip", "-C", "small").code == 0
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        page = archive.read("results/provenance.html").decode()
    assert "Where each number comes from" in page
    assert "secret" not in page
    assert "Earlier runs" not in page
