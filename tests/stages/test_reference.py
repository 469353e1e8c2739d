"""The reference: which visit is chosen, and its catalogue."""

import pytest

from hst123r.errors import InputError
from hst123r.records.exposure import Chip, Exposure
from hst123r.records.outcome import Product
from hst123r.stages.reference import ReferenceParams, score


def exposure(root, detector="ACS/WFC", name="F606W", visit="01", time=100.0, zeropoint=26.5):
    chip = Chip(1, 1, [10, 10], "ELECTRONS", 1e-19, 6000.0, zeropoint, 26.0, 1.0, 0.0)
    record = Exposure(
        root, f"{root}_flc.fits", detector, name, "W", [name], time, 58000.0, 58000.1, "1", visit,
        "T", "WFC", False, 0.0, "", "", "", "", "", True, [chip],
    )  # fmt: skip
    labels = {"detector": detector, "filter": name, "visit": f"1_{visit}", "field": "T"}
    return Product("exposure", root, labels, {}, record.as_facts())


def best(members, **params):
    return [
        (found.detector, found.filter, found.visit)
        for found in score(members, ReferenceParams.model_validate(params), "T")
    ]


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
    assert best(everything, filter="F814W") == [("ACS/WFC", "F814W", "1_01")]
    assert best(everything, detector="WFC3/IR") == [("WFC3/IR", "F160W", "1_03")]


def test_an_avoided_detector_comes_last():
    assert best([*DEEP, *COARSE], avoid=["ACS/WFC"])[0][0] == "WFC3/IR"
    assert best(DEEP, avoid=["ACS/WFC"]) == [("ACS/WFC", "F606W", "1_02")]


def test_no_exposure_of_what_was_asked_for_lists_what_there_is():
    with pytest.raises(InputError, match="no exposure of F438W") as caught:
        score([*DEEP, *RED], ReferenceParams.model_validate({"filter": "F438W"}), "T")
    assert "ACS/WFC F606W, ACS/WFC F814W" in str(caught.value)


def test_depth_counts_the_time_of_all_exposures():
    one, two = score([*SHALLOW, *DEEP], ReferenceParams(), "T")
    # four times the time is 1.25 log10(4) magnitudes
    assert one.depth_mag - two.depth_mag == pytest.approx(1.25 * 0.60206, abs=1e-4)
    assert one.exposure_time_s == 800.0
    assert one.sharpness_mag == pytest.approx(0.0, abs=0.01)


def test_the_reference_of_a_run_says_how_it_was_chosen(small):
    facts = small.facts("reference")["SN"]
    assert (facts["visit"], facts["filter"]) == ("99900_01", "F606W")
    assert facts["exposures"] == ["jsi00101q", "jsi00102q"]
    assert [entry["score"] for entry in facts["scores"]] == sorted(
        (entry["score"] for entry in facts["scores"]), reverse=True
    )
    assert small.measured("reference", "stars")[""] == facts["stars"] >= 30
