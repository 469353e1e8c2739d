"""From headers to the record of an exposure."""

import math

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.errors import InputError
from hst123r.products.exposures import chip_corners, open_chips, read_exposure

RA, DEC = 150.1, 2.2


def test_the_record_says_what_the_header_says(acs, read):
    found = read(acs)
    header = fits.getheader(acs["science"])
    assert (found.root, found.image) == ("jsi00101q", "jsi00101q_flc.fits")
    assert (found.detector, found.filter, found.filter_class) == ("ACS/WFC", "F606W", "W")
    assert found.elements == ["F606W"]
    assert found.exposure_time_s == 100.0
    assert found.middle_mjd - header["EXPSTART"] == pytest.approx(50 / 86400, abs=1e-7)
    assert (found.proposal, found.visit, found.subarray) == ("99900", "01", True)
    assert found.distorted
    assert found.wcs_name == "IDC_SIMULATED"


def test_zeropoints_are_those_of_the_handbook(acs, read):
    chip = read(acs).chips[0]
    flam, plam = chip.photflam, chip.photplam
    ab = -2.5 * math.log10(flam) - 5 * math.log10(plam) - 2.408
    assert chip.zeropoint_ab == pytest.approx(ab, abs=1e-3)
    assert chip.zeropoint_st == pytest.approx(-2.5 * math.log10(flam) - 21.1, abs=1e-9)
    assert chip.unit == "ELECTRONS"
    assert chip.gain == 1.0


@pytest.mark.heavy
def test_counts_have_the_gain_of_their_header(wfpc2, read):
    with fits.open(wfpc2["science"], mode="update") as hdus:
        hdus[0].header["ATODGAIN"] = 14.0
    found = read(wfpc2)
    assert {(chip.unit, chip.gain) for chip in found.chips} == {("COUNTS", 14.0)}
    assert [chip.number for chip in found.chips] == [1, 2, 3, 4]


def test_a_target_is_where_the_truth_has_it(finished):
    """Through all distortion, for the visit whose header is right."""
    truth = Table.read(finished / "raw" / "jsi00101q_truth.ecsv")
    stars = {str(row["star"]): (row["ra"], row["dec"]) for row in truth}
    found = read_exposure(str(finished / "raw" / "jsi00101q_flc.fits"), stars)
    places = {name: (c.extver, *xy) for c in found.chips for name, xy in c.targets.items()}
    inside = [row for row in truth if 0 <= row["x"] <= 319 and 0 <= row["y"] <= 319]
    assert len(places) >= len(inside) > 30
    for row in inside:
        extver, x, y = places[str(row["star"])]
        assert extver == row["extver"]
        assert math.hypot(x - row["x"], y - row["y"]) < 0.01


def test_a_target_in_the_gap_between_chips_is_on_neither(acs, read):
    wcs = open_chips(acs["science"], read(acs))
    inside = wcs[1].all_pix2world([[32, 60]], 0)[0]
    above = wcs[1].all_pix2world([[32, 70]], 0)[0]
    far = (RA + 180, -DEC)
    found = read(acs, {"inside": tuple(inside), "gap": tuple(above), "far": far})
    assert found.targets == ["inside"]
    (x, y) = found.chips[0].targets["inside"]
    assert (x, y) == pytest.approx((32, 60), abs=0.01)


@pytest.mark.parametrize(("margin", "on"), [(0, True), (2.9, True), (3.1, False), (200, False)])
def test_a_margin_keeps_targets_off_the_edge(acs, read, margin, on):
    wcs = open_chips(acs["science"], read(acs))
    # the edge of the chip is half a pixel outside the middle of its first one
    place = tuple(wcs[1].all_pix2world([[2.5, 30]], 0)[0])
    assert bool(read(acs, {"T": place}, margin).targets) is on


def test_corners_are_those_of_the_outer_pixels(acs, read):
    found = read(acs)
    wcs = open_chips(acs["science"], found)
    corners = chip_corners(acs["science"], found)
    assert len(corners) == 8
    assert np.allclose(corners[:4], found.chips[0].corners, atol=1e-8)
    back = wcs[1].all_world2pix(corners[:4], 0)
    assert np.allclose(back, [[-0.5, -0.5], [63.5, -0.5], [63.5, 63.5], [-0.5, 63.5]], atol=0.01)


@pytest.mark.parametrize(
    ("first", "second", "name", "kind"),
    [
        ("F606W", "CLEAR2L", "F606W", "W"),
        ("CLEAR1L", "F814W", "F814W", "W"),
        ("F606W", "F814W", "F606W+F814W", "crossed"),
        ("G800L", "CLEAR2L", "G800L", "grism"),
        ("F606W", "POL0V", "F606W+POL0V", "W"),
        ("POL0V", "CLEAR2L", "POL0V", "polariser"),
        ("CLEAR1L", "CLEAR2L", "CLEAR", "clear"),
        ("F999Z", "CLEAR2L", "F999Z", "unknown"),
    ],
)
def test_the_filter_is_what_makes_the_image(acs, read, first, second, name, kind):
    fits.setval(acs["science"], "FILTER1", value=first)
    fits.setval(acs["science"], "FILTER2", value=second)
    found = read(acs)
    assert (found.filter, found.filter_class) == (name, kind)


@pytest.mark.parametrize("keyword", ["ROOTNAME", "EXPTIME", "EXPSTART"])
def test_a_header_without_what_every_exposure_has_is_named(acs, read, keyword):
    fits.delval(acs["science"], keyword)
    with pytest.raises(InputError, match=f"no {keyword}"):
        read(acs)


def test_a_detector_that_is_not_known_is_an_error(acs, read):
    fits.setval(acs["science"], "DETECTOR", value="MAMA")
    with pytest.raises(InputError):
        read(acs)


def test_a_file_without_an_image_is_an_error(acs, read):
    with fits.open(acs["science"], mode="update") as hdus:
        del hdus["SCI", 2], hdus["SCI", 1]
    with pytest.raises(InputError, match="no SCI extension"):
        read(acs)


def test_a_header_without_a_place_on_the_sky_is_an_error(acs, read):
    for keyword in ("CTYPE1", "CTYPE2"):
        fits.delval(acs["science"], keyword, extname="SCI", extver=1)
    with pytest.raises(InputError, match="WCS"):
        read(acs)


@pytest.mark.parametrize(("value", "st"), [(0.0, None), (-1.0, None)])
def test_no_sensitivity_is_no_zeropoint(acs, read, value, st):
    fits.setval(acs["science"], "PHOTFLAM", value=value, extname="SCI", extver=1)
    chip = read(acs).chips[0]
    assert (chip.zeropoint_ab, chip.zeropoint_st) == (None, st)
    assert read(acs).chips[1].zeropoint_ab is not None


def test_a_record_is_rebuilt_from_facts_whatever_else_they_hold(acs, read):
    from hst123r.records.exposure import Exposure

    found = read(acs)
    assert Exposure.own({**found.as_facts(), "alignment": {"state": "kept"}}) == found
