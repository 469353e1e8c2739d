"""A bundle replays in an empty folder to equal science; what was changed is named."""

import json
import shutil
import stat
import zipfile
from dataclasses import replace

import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.sharing.origins_file import page_of_run
from hst123r.sharing.replay import arguments, lay_out
from hst123r.sharing.unpack import Opened, read_bundle

RECIPE = """\
hst123r: 1
name: small
targets: [{name: SN, position: "150.1 2.2"}]
stages:
  - fetch:
      from: simulated
      simulation:
        seed: 3
        observations:
          - {detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 2,
             exposure_time: 400 s, size: 400 pix}
        stars: {number: 150, radius: 15 arcsec, brightest: 19 mag, separation: 0.6 arcsec}
        transient: {dates: [2019-04-01], magnitudes: [22 mag]}
  - reference: {min_stars: 3}
  - align: {}
  - drizzle: {name: stacks}
  - photometry: {}
  - scrape: {}
  - export: {}
  - report: {}
"""


@pytest.fixture
def opened(extract):
    return Opened("hst123r: 1\n", "x: 1\n", extract)


def test_recipe_and_lock_are_laid_out(opened, tmp_path):
    path = lay_out(opened, tmp_path / "new")
    assert path == tmp_path / "new" / "r.yaml"
    assert path.read_text() == "hst123r: 1\n"
    assert (tmp_path / "new" / "r.lock.yaml").read_text() == "x: 1\n"
    assert arguments(opened) == ["--set", "stacks.pixfrac=0.6"]


def test_a_folder_with_something_in_it_is_left_alone(opened, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something in this folder already"):
        lay_out(opened, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["mine.txt"]


def test_a_name_that_leads_elsewhere(opened, tmp_path):
    opened.extract["run"]["recipe"] = "../evil"
    with pytest.raises(InputError, match="cannot be the name of a recipe"):
        lay_out(opened, tmp_path / "new")


def test_a_folder_of_exposures_may_be_there_and_a_work_directory_may_not(opened, tmp_path):
    (tmp_path / "new" / "data").mkdir(parents=True)
    # a home may have nothing but folders in it; only those that the recipe names are its own
    with pytest.raises(InputError, match="something in this folder already"):
        lay_out(opened, tmp_path / "new")
    named = replace(opened, recipe="hst123r: 1\nstages: [fetch: {path: data}]\n")
    assert lay_out(named, tmp_path / "new").is_file()
    (tmp_path / "old" / "r").mkdir(parents=True)
    with pytest.raises(InputError, match="something in this folder already"):
        lay_out(opened, tmp_path / "old")


def test_a_changed_pixel_and_a_changed_parameter_are_named(hst123r, data, write_recipe, tmp_path):
    write_recipe("exposures: {}")
    assert hst123r("run", "recipe.yaml").code == 0
    work = next(path.parent for path in tmp_path.glob("*/hst123r.sqlite"))
    assert hst123r("bundle", "-o", "paper.zip", "--work-dir", work).code == 0
    with zipfile.ZipFile("paper.zip") as old, zipfile.ZipFile("other.zip", "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "recipe.yaml":
                text = text.replace(b"exposures: {}", b"exposures: {epoch_gap: 33 d}")
            new.writestr(name, text)
    shutil.copytree(data, tmp_path / "again" / "data")
    path = tmp_path / "again" / "data" / "jsi00101q_flc.fits"
    with fits.open(path, mode="update") as hdus:
        hdus["SCI", 1].data[3, 3] += 1
    answer = hst123r("replay", "other.zip", "--into", "again", "--json")
    assert answer.code == 3
    lines = {line["what"]: (line["passed"], line["found"]) for line in json.loads(answer.out)}
    assert lines["fetch"] == (
        False, "3 of 4 files equal; file jsi00101q (science) differs in pixels",
    )  # fmt: skip
    assert lines["software"][0] is True
    passed, found = lines["parameters"]
    assert passed is False
    assert "exposures.epoch_gap" in found
    assert "-> 33 d" in found


@pytest.mark.parametrize(("member", "says"), [
    (("../evil.yaml", "x"), "leads out of the bundle"),
    (("link", "/etc/passwd"), "is a link"),
    (("run.json", b" " * 100_000_000), "run.json in it has more than"),
])  # fmt: skip
def test_a_hostile_bundle_is_refused_and_nothing_is_written(
    hst123r, bundled, tmp_path, member, says
):
    name, data = member
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    if name == "link":
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
    hostile = tmp_path / "hostile.zip"
    with zipfile.ZipFile(bundled) as good, zipfile.ZipFile(hostile, "w") as archive:
        for other in good.namelist():
            if other != name:
                archive.writestr(other, good.read(other))
        archive.writestr(info, data)
    before = set(tmp_path.rglob("*"))
    answer = hst123r("replay", hostile, "--into", "new")
    assert answer.code == 2
    assert says in answer.err
    assert answer.out == ""
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.heavy
def test_a_replay_gives_equal_science(hst123r, tmp_path):
    (tmp_path / "small.yaml").write_text(RECIPE)
    assert hst123r("run", "small.yaml", "--jobs", "2").code in (0, 3)
    assert hst123r("bundle", "-o", "paper.zip").code == 0
    answer = hst123r("replay", "paper.zip", "--into", "again", "--jobs", "2", "--json")
    lines = {line["what"]: line for line in json.loads(answer.out)}
    assert {line["passed"] for line in lines.values()} == {True}, lines
    assert set(lines) >= {"software", "fetch", "align", "stacks", "photometry", "scrape"}
    assert answer.code == 0
    # and where each number comes from is told in the same bytes, light curves included
    first = page_of_run(tmp_path / "small", "")
    assert page_of_run(tmp_path / "again" / "small", "") == first
    assert "epoch 20190401" in first
    # somebody who says that a pixel was another one, and that photutils was
    changed = tmp_path / "other.zip"
    with zipfile.ZipFile("paper.zip") as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "run.json":
                found = json.loads(data)
                stack = next(job for job in found["jobs"] if job["stage"] == "stacks")
                stack["products"][0]["files"][0]["facets"]["pixels"] = "blake3:0"
                found["environment"]["packages"]["photutils"] = "0.1"
                seen = next(job for job in found["jobs"] if job["stage"] == "photometry")
                for file in seen["products"][0]["files"]:
                    file["digest"] = "blake3:0"
                data = json.dumps(found)
            new.writestr(name, data)
    from hst123r.sharing.replay import compared

    lines = {line.what: line for line in compared(read_bundle(changed), tmp_path / "small", 0.01)}
    assert lines["stacks"].passed is False
    assert "differs in pixels" in lines["stacks"].found
    assert lines["software"].found.startswith("photutils 0.1 -> ")
    assert lines["scrape"].passed
    # the catalogue is said to be another one, and star by star it is the same
    (stars,) = (line for what, line in lines.items() if what.startswith("stars of"))
    assert stars.passed
    assert "largest difference 0 sigma" in stars.found
