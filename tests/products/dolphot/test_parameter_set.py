from __future__ import annotations

import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.products.dolphot.parameter_set import RunImage, run_parameters
from hst123r.products.dolphot.parameters import read_parameters, write_parameters

ACS, IR = RunImage("a.chip1", "ACS/WFC"), RunImage("b.chip1", "WFC3/IR")


def wrong(values, images=(ACS, IR), **more):
    with pytest.raises(InputError) as caught:
        run_parameters(list(images), values, **more)
    assert caught.value.where == "DOLPHOT's parameters"
    return caught.value.message


def test_images_come_with_the_values_of_their_detectors():
    found = run_parameters([ACS, IR], reference=RunImage("ref", "ACS/WFC"))
    assert list(found)[:2] == ["Nimg", "img0_file"]
    assert found["Nimg"] == "2"
    assert [found[f"img{n}_file"] for n in range(3)] == ["ref", "a.chip1", "b.chip1"]
    assert [found[f"img{n}_RSky"] for n in range(3)] == ["15 35", "15 35", "8 20"]
    assert found["FlagMask"] == "7"
    assert found["NoiseMult"] == "0.1"
    assert "img0_file" not in run_parameters([ACS])


@pytest.mark.parametrize("name", ["hst123", "manual", "phat"])
@pytest.mark.parametrize("detector", instruments.names())
def test_every_preset_fits_every_detector(name, detector):
    found = run_parameters([RunImage("a", detector)], preset_name=name)
    assert float(found["img1_RPSF"]) <= instruments.get(detector).dolphot.largest_rpsf


@pytest.mark.parametrize("name", ["hst123", "manual", "phat"])
def test_every_parameter_that_decides_is_written(name):
    """DOLPHOT reads a file of its own folder before; what is left out here, that one sets."""
    from hst123r.instruments.dolphot_parameters import table

    found = run_parameters([ACS], preset_name=name)
    # files, a seed, threads and plots: nothing is where nobody names one
    free = {"ref2img", "photsec", "psfstars", "FakeStars", "FakeOut", "RandomSeed", "UsePhot",
            "DiagPlotType", "xytfile", "xytpsf", "MaxThreads"}  # fmt: skip
    for parameter in table().parameters:
        written = f"img1_{parameter.name}" if parameter.image else parameter.name
        if not parameter.generic and parameter.name not in free:
            assert written in found, written
    assert (found["PSFPhot"], found["SearchMode"], found["img1_xform"]) == ("1", "1", "1 0 0")


def test_the_users_values_go_before_the_presets():
    own = {"img_raper": 2.5, "img2_RAper": 1.5, "img_RChi": 1.0, "fitsky": 1, "xytfile": "stars"}
    found = run_parameters([ACS, IR], own, preset_name="manual")
    assert found["img1_RAper"] == "2.5"
    assert found["img2_RAper"] == "1.5"
    assert found["img1_RPSF"] == "15"
    # names keep one spelling, whatever the user's
    assert found["FitSky"] == "1"
    assert "fitsky" not in found
    assert found["xytfile"] == "stars"


def test_numbers_of_images_may_have_zeros_before_them():
    found = run_parameters([ACS, IR], {"img01_RAper": 4, "IMG002_raper": 1.5})
    assert (found["img1_RAper"], found["img2_RAper"]) == ("4", "1.5")
    reference = RunImage("ref", "ACS/WFC")
    assert run_parameters([ACS], {"img00_RAper": 7}, reference)["img0_RAper"] == "7"


def test_the_file_of_a_run(tmp_path):
    found = run_parameters([ACS, IR], {"img1_shift": [1.5, -2.0]})
    write_parameters(tmp_path / "run.param", found)
    assert read_parameters(tmp_path / "run.param") == found
    assert found["img1_shift"] == "1.5 -2"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"FitSki": 2}, "no parameter 'FitSki', did you mean 'FitSky'?"),
        ({"img_RAperr": 2}, "no parameter 'img_RAperr', did you mean 'img_RAper'?"),
        ({"img_FitSky": 2}, "no parameter 'img_FitSky'"),
        ({"RAper": 2}, "a parameter of an image; write img_RAper for all"),
        ({"FitSky": 9}, "FitSky is 9, above 4"),
        ({"FitSky": -1}, "FitSky is -1, below 0"),
        ({"FitSky": 1.5}, "FitSky is 1.5, not a whole number"),
        ({"FitSky": "two"}, "FitSky is 'two', not in numbers"),
        ({"FitSky": [1, 2]}, "FitSky has 2 numbers, not 1"),
        ({"img_RSky": 15}, "img_RSky has 1 numbers, not 2"),
        ({"Zero": 25.0}, "Zero does nothing for images of Hubble"),
        ({"img3_RAper": 2}, "img3_RAper is about image 3 of 2"),
        ({"img0_RAper": 7}, "img0_RAper is about the reference image, and there is none"),
        ({"img1_RAper": 4, "img01_raper": 7}, "img1_RAper and img01_raper are one parameter"),
        ({"FitSky": 1, "fitsky": 2}, "FitSky and fitsky are one parameter"),
        ({"SecondPass": float("nan")}, "SecondPass is nan, not a finite number"),
        ({"SecondPass": float("inf")}, "SecondPass is inf, not a finite number"),
        ({"img_RSky": [float("nan"), 35]}, "img_RSky is nan, not a finite number"),
        ({"xytfile": "a # b"}, "not a text without #"),
        ({"img_RPSF": 3, "FitSky": 2}, "RPSF 3 is too small for RAper 2, with FitSky 2 at least 2"),
        ({"img_RPSF": 40}, "a.chip1: RPSF 40 is above 33"),
        ({"img_RChi": 4}, "RChi 4 is above RAper 2, and would be that"),
        ({"img_RSky": [2, 35]}, "RSky begins at 2, less than 0.5 outside RAper 2"),
        ({"img_apsky": [25, 15]}, "apsky goes from 25 to 15"),
    ],
)
def test_what_is_refused(values, sentence):
    assert sentence in wrong(values)


def test_all_that_is_wrong_at_once():
    assert wrong({"FitSki": 1, "MaxIT": 0}).count(";") == 1
    assert wrong({"img_RPSF": 40}).count("RPSF 40") == 2


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ([], "0 images are not 1 to 100"),
        ([ACS] * 2, "a.chip1 is there 2 times"),
        ([RunImage("a" * 71, "ACS/WFC")], "has 71 characters, more than 70"),
        ([RunImage("work/a", "ACS/WFC")], "'work/a' is no name of an image"),
        ([RunImage("a.fits", "ACS/WFC")], "no .fits"),
        ([RunImage("a b", "ACS/WFC")], "no space"),
    ],
)
def test_images_that_dolphot_would_stumble_over(images, sentence):
    assert sentence in wrong({}, images)


def test_an_unknown_preset():
    with pytest.raises(InputError, match="no preset 'mine'"):
        run_parameters([ACS], preset_name="mine")
