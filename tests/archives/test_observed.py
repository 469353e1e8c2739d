"""Which observations are wanted: every cut, and what has to wait for the header."""

import json

import pytest
from loopback.holdings import Holdings, square

from hst123r import instruments
from hst123r.archives.criteria import Criteria, Cuts
from hst123r.archives.observed import choose
from hst123r.records.dates import parse as date
from hst123r.records.position import parse
from hst123r.records.target import Target

T = Target("T", parse("150.1 2.2"))
ALL = instruments.names()


def observation(obs_id="jtst01010", instrument_name="ACS/WFC", **more):
    return Holdings().add_observation(obs_id, instrument_name, **{"distance": 0.0, **more})


def verdict(row, target=T, **cuts):
    criteria = Criteria((target,), 0.0, ALL, cuts=lambda *_: Cuts(**cuts))
    kept, left = choose([(target, [row])], criteria)
    assert len(kept) + len(left) == 1
    return "kept" if kept else left[0].code


@pytest.mark.parametrize(
    ("row", "cuts", "code"),
    [
        ({}, {}, "kept"),
        ({"obs_collection": "HLA"}, {}, "collection"),
        ({"dataproduct_type": "spectrum"}, {}, "kind"),
        ({"instrument_name": "STIS/CCD"}, {}, "detector"),
        ({"provenance_name": "HAP-SVM", "obs_id": "hst_9_1_acs_wfc_f606w_jtst01"}, {}, "copy"),
        ({"obs_id": "hst_skycell-p1_x_acs_wfc_f606w", "provenance_name": None}, {}, "copy"),
        ({"provenance_name": "CALWF3"}, {}, "copy"),
        ({"provenance_name": None}, {}, "kept"),
        ({"intentType": "calibration"}, {}, "intent"),
        ({"distance": 3.2, "s_region": square(150.2, 2.2, 100)}, {}, "footprint"),
        ({"distance": 0.4}, {}, "kept"),
        ({"distance": 0.0, "s_region": square(150.2, 2.2, 100)}, {}, "kept"),
        ({"distance": 99.0, "s_region": "CIRCLE OTHER"}, {}, "kept"),
        ({"distance": 99.0, "s_region": None}, {}, "footprint"),
        ({"distance": None, "s_region": None}, {}, "kept"),
        ({}, {"filters": ("F606W", "F814W")}, "kept"),
        ({}, {"filters": ("F814W",)}, "filter"),
        ({"filters": "F606W;CLEAR2L"}, {"filters": ("F606W",)}, "kept"),
        ({"filters": "CLEAR1L;F814W"}, {"filters": ("F606W",)}, "filter"),
        ({"filters": "F606W;POL0V"}, {"filters": ("F606W",)}, "kept"),
        ({"filters": "G800L"}, {}, "grism"),
        ({"filters": "FR656N"}, {}, "ramp"),
        ({"filters": "detection"}, {}, "kept"),
        ({}, {"filter_classes": ("N",)}, "filter_class"),
        ({"filters": "F658N"}, {"filter_classes": ("N",)}, "kept"),
        ({}, {"proposals": ("99900",)}, "kept"),
        ({}, {"proposals": ("12345",)}, "proposal"),
        ({"mtFlag": True}, {}, "moving_target"),
        ({"mtFlag": True}, {"moving_targets": True}, "kept"),
        ({}, {"after_mjd": date("2019-04-02")}, "after"),
        ({}, {"after_mjd": date("MJD 58574.005")}, "kept"),
        ({}, {"before_mjd": date("MJD 58574.0")}, "before"),
        ({}, {"before_mjd": date("MJD 58574.001")}, "kept"),
        ({"obs_id": "jtst01abq", "t_exptime": 2.0}, {"least_exposure_s": 15.0}, "exposure_time"),
        ({"obs_id": "jtst01010", "t_exptime": 2.0}, {"least_exposure_s": 15.0}, "kept"),
    ],
)  # fmt: skip
def test_a_cut(row, cuts, code):
    assert verdict(observation(**row), **cuts) == code


def test_a_detector_that_is_not_asked_for_is_left_out():
    criteria = Criteria((T,), 0.0, ("WFC3/IR",))
    _, (left,) = choose([(T, [observation()])], criteria)
    assert left.reason == "its detector is ACS/WFC, not WFC3/IR"


def test_all_reasons_are_given():
    row = observation(distance=8.0, s_region=None, proposal_id="1")
    criteria = Criteria((T,), 0.0, ALL, cuts=lambda *_: Cuts(filters=("F814W",), proposals=("2",)))
    _, (left,) = choose([(T, [row])], criteria)
    assert left.reason == (
        "its filter is F606W, not F814W; its proposal is 1; T is 8.0 arcsec outside its footprint"
    )


def test_cuts_may_differ_by_detector_and_filter():
    asked = []

    def cuts(detector, through):
        asked.append((detector, through))
        return Cuts()

    choose([(T, [observation(filters="F606W;POL0V")])], Criteria((T,), 0.0, ALL, cuts=cuts))
    assert asked == [("ACS/WFC", "F606W+POL0V")]


def test_an_observation_of_two_targets_is_one():
    other = Target("U", parse("150.11 2.2"))
    far = Target("V", parse("150.3 2.2"))
    row = observation(distance=None)
    criteria = Criteria((T, other, far), 0.0, ALL)
    (kept,), left = choose([(T, [row]), (other, [row]), (far, [row])], criteria)
    assert (kept.targets, left) == (["T", "U"], [])


def test_a_margin_takes_footprints_that_are_near():
    row = observation(distance=4.0, s_region=None)
    for radius, number in ((3.9, 0), (4.0, 1)):
        kept, _ = choose([(T, [row])], Criteria((T,), radius, ALL))
        assert len(kept) == number


def test_a_recorded_reply_of_mast(shared_data):
    rows = json.loads((shared_data / "mast" / "caom.json").read_text())["data"]
    field = Target("M103", parse("23.115 60.645"))
    for row in rows:
        row["distance"] = None
    kept, left = choose([(field, rows)], Criteria((field,), 0.0, ALL))
    # two exposures in each of two filters; fourteen images made from such by others, and GALEX
    hubble = sorted(row["obs_id"] for row in rows if row["obs_collection"] == "HST")
    assert [item.row["obs_id"] for item in kept] == hubble
    assert {entry.code for entry in left} == {"collection"}
    assert len(left) == 15


def test_where_the_archive_tells_no_filter_the_header_decides():
    criteria = Criteria((T,), 0.0, ALL, cuts=lambda *_: Cuts(filters=("F814W",)))
    kept, left = choose([(T, [observation(filters=None)])], criteria)
    assert (len(kept), left) == (1, [])
