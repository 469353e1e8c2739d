"""Bringing exposures into ``raw/``."""

import shutil

import pytest
from astropy.io import fits

TARGET = "150.1 2.2"
ONE = "jsi00101q_flc.fits"


@pytest.fixture
def fetched(run_recipe, write_recipe):
    """Run `fetch` on the folder ``data`` as it is; return the answer and the work directory."""

    def run(*settings):
        answer = run_recipe(write_recipe("exposures: {}"), "--until", "fetch", *settings)
        return answer, answer.folder / "r"

    return run


def test_files_arrive_equal_read_only_and_with_their_checksums_verified(fetched, data):
    answer, work = fetched()
    assert answer.code == 0
    for path in data.iterdir():
        assert (work / "raw" / path.name).read_bytes() == path.read_bytes()
        assert (work / "raw" / path.name).stat().st_mode & 0o777 == 0o444


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_science(path):
    with fits.open(path, mode="update") as hdus:
        del hdus["SCI", 2], hdus["SCI", 1]
        hdus[0].header["NEXTEND"] = len(hdus) - 1


def another_root(path):
    fits.setval(path, "ROOTNAME", value="jsi00999q")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (cut_in_half, "truncated"),
        (
            lambda path: path.write_bytes(b"<html>Service unavailable</html>" * 200),
            "not a FITS file",
        ),
        (no_science, "no SCI extension"),
        (another_root, "jsi00999q"),
    ],
)
def test_a_damaged_file_fails_alone_and_is_named(fetched, data, damage, says):
    damage(data / ONE)
    answer, work = fetched()
    assert answer.code == 2
    assert ONE in answer.err
    assert says in answer.err
    raw = sorted(path.name for path in (work / "raw").iterdir())
    assert ONE not in raw
    assert len(raw) == 3


def test_what_is_left_out_is_a_reject_with_its_reason(fetched, data):
    shutil.copy(data / ONE, data / "jsi00101q_flt.fits")
    shutil.copy(data / ONE, data / "o4qx04010_flt.fits")
    shutil.copy(data / ONE, data / "u40x010hm_c0m.fits")
    shutil.copy(data / ONE, data / "u40x010im_c1m.fits")
    shutil.copy(data / ONE, data / "stack.fits")
    answer, work = fetched()
    assert answer.code == 0
    assert len(list((work / "raw").iterdir())) == 4
    said = answer.rejects
    assert "preferred to flt" in said["jsi00101q_flt.fits"]
    assert "not of a detector" in said["o4qx04010_flt.fits"]
    assert "u40x010hm_c1m.fits is missing" in said["u40x010hm_c0m.fits"]
    assert "c0m it belongs to is missing" in said["u40x010im_c1m.fits"]
    assert "name" in said["stack.fits"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("from: directory", "needs `path`"),
        ("from: directory, path: nowhere", "no such folder"),
        ('from: directory, path: "package:no_such_package/x"', "no installed package"),
        ('from: directory, path: "package:a.b.c/x"', "no installed package"),
        ('from: directory, path: "package:/x"', "no installed package"),
        ('from: directory, path: "~nosuchuser/x"', "there is no such user"),
        ("from: directory, path: .", "no exposure of a known detector"),
        ("from: simulated", "needs `simulation`"),
    ],
)
def test_a_request_that_cannot_be_met_is_the_users_to_mend(run_recipe, tmp_path, given, says):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "hst123r: 1\nname: r\ntargets: [{name: T, position: '1.0 2.0'}]\n"
        f"stages: [fetch: {{{given}}}]\n"
    )
    answer = run_recipe(recipe)
    assert answer.code == 2
    assert says in answer.err


def test_the_recipes_own_folder_can_be_searched_again_and_again(run_recipe, data, tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        f"hst123r: 1\nname: r\ntargets: [{{name: T, position: '{TARGET}'}}]\n"
        "stages: [fetch: {from: directory, path: ., recursive: true}]\n"
    )
    for _ in range(2):
        answer = run_recipe("recipe.yaml")
        assert answer.code == 0, answer.err
    assert len(list((tmp_path / "r" / "raw").iterdir())) == 4


def test_a_name_in_capitals_arrives_in_small_letters(fetched, data):
    (data / ONE).rename(data / ONE.upper())
    answer, work = fetched()
    assert answer.code == 0, answer.err
    assert (work / "raw" / ONE).read_bytes() == (data / ONE.upper()).read_bytes()


def test_subfolders_are_searched_when_asked_and_twice_the_same_name_is_an_error(fetched, data):
    (data / "more").mkdir()
    shutil.move(data / ONE, data / "more" / ONE)
    answer, work = fetched()
    assert len(list((work / "raw").iterdir())) == 3
    answer, work = fetched("--set", "fetch.recursive=true")
    assert len(list((work / "raw").iterdir())) == 4
    shutil.copy(data / "more" / ONE, data / ONE)
    answer, _ = fetched("--set", "fetch.recursive=true")
    assert answer.code == 2
    assert "is there twice" in answer.err


def test_the_simulated_archive_writes_its_truth_beside_the_exposures(small):
    names = {path.name for path in (small.folder / "raw").iterdir()}
    assert len(names) == 12
    for name in names:
        if name.endswith("_flc.fits"):
            assert name.replace("_flc.fits", "_truth.ecsv") in names
