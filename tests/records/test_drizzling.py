"""What a recipe can say about drizzling."""

import pytest
from pydantic import ValidationError

from hst123r.records.drizzling import DrizzleParams
from hst123r.records.exposure import Chip, Exposure


@pytest.mark.parametrize(
    ("number", "kind", "nhigh"),
    [(1, "minmed", 0), (6, "minmed", 0), (7, "median", 1), (8, "median", 2), (10, "median", 3),
     (12, "median", 4), (20, "median", 8)],
)  # fmt: skip
def test_the_rule_of_hst123(number, kind, nhigh):
    assert DrizzleParams().rule(number) == (kind, nhigh)


def test_the_recipe_wins_over_the_rule():
    assert DrizzleParams(combine="imedian").rule(8) == ("imedian", 2)
    assert DrizzleParams(combine="mean", combine_nhigh=0).rule(20) == ("mean", 0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bits": [96]}, "96 is not one bit"),
        ({"zeropoint": 25.0, "units": "counts"}, "fixed zeropoint is that of a rate"),
        ({"extra": ["jsi00102q"]}, "there are none; give mask"),
        (
            {"extra": ["jsi00102q"], "mask": [{"position": "1 2"}], "units": "counts"},
            "leave out units: counts",
        ),
        ({"mask": [{"position": "1 2", "half_size": "3 pix"}]}, "half_size"),
        ({"max_megapixels": 0}, "greater than 0"),
        ({"size": "5200"}, "has no unit"),
        ({"size": "0.9 pix"}, "a stack of 0.9 pix has no pixel"),
        ({"engine": "drizzle", "kernel": "lanczos3"}, "leave out engine: drizzle"),
        ({"per": ["weather"]}, "Input should be"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(ValidationError, match=says):
        DrizzleParams.model_validate(given)


def counts(gain, photflam=3.5e-18):
    chip = Chip(1, 1, [800, 800], "COUNTS", photflam, 5443.0, None, None, gain, 0.0)
    return Exposure(
        root="u40x010hm", image="u40x010hm_c0m.fits", detector="WFPC2", filter="F555W",
        filter_class="W", elements=["F555W"], exposure_time_s=100.0, start_mjd=5e4, end_mjd=5.1e4,
        proposal="6", visit="01", object_name="", aperture="", subarray=False, pa_v3_deg=None,
        expflag="", fgslock="", quality="", moving="", wcs_name="", distorted=False, chips=[chip],
    )  # fmt: skip


def test_counts_of_two_gains_are_one_only_where_they_are_equalised():
    both = [counts(7.0), counts(15.0, 7e-18)]
    assert DrizzleParams().refusal("x", (9, 9), both) == ""
    said = DrizzleParams(equalise=False).refusal("x", (9, 9), both)
    assert said.startswith("x has counts of gains 7 and 15, which only equalise makes one; leave")
    assert DrizzleParams(equalise=False).refusal("x", (9, 9), both[:1] * 2) == ""
    both[1] = counts(15.0, None)
    assert "it needs PHOTFLAM in all" in DrizzleParams().refusal("x", (9, 9), both)
