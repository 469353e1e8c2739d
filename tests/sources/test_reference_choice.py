"""Which visit is chosen as the reference."""

import pytest

from hst123r.errors import InputError
from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product
from hst123r.sources.reference_choice import explain, score


def exposure(
    root, detector="ACS/WFC", name="F606W", visit="01", time=100.0, zeropoint=26.5, mjd=58000.0,
    east=None, pivot=6000.0, targets=(),
):  # fmt: skip
    """Make an exposure; with `east`, arcsec, it has a footprint of 100 arcsec there."""
    corners = (
        []
        if east is None
        else [
            [150 + (east + a) / 3600, b / 3600] for a, b in ((0, 0), (100, 0), (100, 100), (0, 100))
        ]
    )
    chip = Chip(
        1, 1, [10, 10], "ELECTRONS", 1e-19, pivot, zeropoint, 26.0, 1.0, 0.0, corners,
        {target: [1.0, 1.0] for target in targets},
    )  # fmt: skip
    record = Exposure(
        root, f"{root}_flc.fits", detector, name, "W", [name], time, mjd, mjd + 0.1, "1", visit,
        "T", "WFC", False, 0.0, "", "", "", "", "", True, [chip],
    )  # fmt: skip
    labels = {"detector": detector, "filter": name, "visit": f"1_{visit}", "field": "T"}
    return Product("exposure", root, labels, {}, record.as_facts())


def best(members, **params):
    return [(found.detector, found.filter, found.visit) for found in score(members, "T", **params)]


DEEP = [exposure("a1", visit="02", time=400.0), exposure("a2", visit="02", time=400.0)]
SHALLOW = [exposure("b1", visit="01"), exposure("b2", visit="01")]
RED = [exposure("c1", name="F814W", time=300.0), exposure("c2", name="F814W", time=300.0)]
COARSE = [
    exposure("d1", detector="WFC3/IR", name="F160W", visit="03", time=900.0),
    exposure("d2", detector="WFC3/IR", name="F160W", visit="03", time=900.0),
]


def test_the_deepest_visit_is_chosen():
    assert best([*SHALLOW, *DEEP]) == [("ACS/WFC", "F606W", "1_02"), ("ACS/WFC", "F606W", "1_01")]


def test_fine_pixels_win_over_a_little_depth():
    assert best([*COARSE, *DEEP])[0] == ("ACS/WFC", "F606W", "1_02")


def test_one_exposure_alone_pays_because_it_cannot_tell_cosmic_rays():
    alone = exposure("e1", visit="04", time=900.0)
    assert best([alone, *DEEP])[0] == ("ACS/WFC", "F606W", "1_02")
    assert best([exposure("e1", visit="04", time=1e5), *SHALLOW])[0][2] == "1_04"


def test_the_users_filter_and_detector_are_the_only_ones():
    everything = [*DEEP, *RED, *COARSE]
    assert best(everything, filter_name="F814W") == [("ACS/WFC", "F814W", "1_01")]
    assert best(everything, detector="WFC3/IR") == [("WFC3/IR", "F160W", "1_03")]


def test_an_avoided_detector_comes_last():
    assert best([*DEEP, *COARSE], avoid=["ACS/WFC"])[0][0] == "WFC3/IR"
    assert best(DEEP, avoid=["ACS/WFC"]) == [("ACS/WFC", "F606W", "1_02")]


def test_no_exposure_of_what_was_asked_for_lists_what_there_is():
    with pytest.raises(InputError, match="no exposure of F438W") as caught:
        score([*DEEP, *RED], "T", filter_name="F438W")
    assert "ACS/WFC F606W, ACS/WFC F814W" in str(caught.value)


def test_depth_counts_the_time_of_all_exposures():
    one, two = score([*SHALLOW, *DEEP], "T")
    # four times the time is 1.25 log10(4) magnitudes
    assert one.depth_mag - two.depth_mag == pytest.approx(1.25 * 0.60206, abs=1e-4)
    assert one.exposure_time_s == 800.0
    assert one.sharpness_mag == pytest.approx(0.0, abs=0.01)


def test_what_overlaps_more_of_the_field_is_better():
    aside = [exposure(f"f{n}", visit="05", time=450.0, east=500.0) for n in range(2)]
    inside = [exposure(f"g{n}", visit="06", time=400.0, east=0.0) for n in range(2)]
    others = [exposure(f"h{n}", visit="07", time=100.0, east=50.0) for n in range(2)]
    first, *_ = score([*aside, *inside, *others], "T")
    assert first.visit == "1_06"
    by_visit = {found.visit: found for found in score([*aside, *inside, *others], "T")}
    assert by_visit["1_06"].overlap == pytest.approx(4 / 6)
    assert by_visit["1_05"].overlap == pytest.approx(2 / 6)


def test_the_target_counts():
    without = [exposure(f"f{n}", visit="05", time=450.0) for n in range(2)]
    having = [exposure(f"g{n}", visit="06", time=400.0, targets=["T"]) for n in range(2)]
    assert best([*without, *having])[0][2] == "1_06"


def test_of_equal_groups_the_one_in_the_middle_of_time_is_taken():
    times = {"05": 52000.0, "06": 55000.0, "07": 58000.0}
    members = [
        exposure(f"f{visit}{n}", visit=visit, mjd=mjd) for visit, mjd in times.items() for n in "ab"
    ]
    assert best(members)[0][2] == "1_06"


def test_a_narrow_psf_counts():
    red = [exposure(f"f{n}", name="F814W", pivot=8050.0) for n in range(2)]
    blue = [exposure(f"g{n}", name="F606W", pivot=5900.0) for n in range(2)]
    assert best([*red, *blue])[0][1] == "F606W"


def test_the_choice_is_explained_by_what_made_it():
    scores = [found.as_json() for found in score([*SHALLOW, *DEEP], "T")]
    assert explain(scores) == (
        "ACS/WFC F606W of visit 1_02 (score 29.06) before ACS/WFC F606W of visit 1_01 (28.31): "
        "depth +0.75"
    )
    assert explain(scores[:1]).endswith("there is no other")
    parts = [k for k in scores[0] if k.endswith("_mag")]
    for entry in scores:
        assert entry["score"] == pytest.approx(sum(entry[part] for part in parts), abs=0.01)
