"""The geometry of the chips: a WCS from the files puts them where they are on the sky."""

from math import cos, hypot, radians, sin

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from hst123r import instruments

each_detector = pytest.mark.parametrize("name", instruments.names())


def wcs(chip):
    """Return the WCS of a chip."""
    header = fits.Header()
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, chip.columns, chip.rows
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    geometry = chip.geometry
    for axis in (1, 2):
        header[f"CRPIX{axis}"] = geometry.crpix[axis - 1]
        header[f"CRVAL{axis}"] = geometry.crval[axis - 1]
        for other in (1, 2):
            header[f"CD{axis}_{other}"] = geometry.cd[axis - 1][other - 1]
    for key, value in geometry.sip.items():
        header[key] = int(value) if key.endswith("_ORDER") else value
    return WCS(header)


def on_chip(chip, position, margin=0.0):
    """Return whether a place on the sky is on a chip, a fraction of its side from the edges."""
    x, y = wcs(chip).all_world2pix([position], 0, quiet=True)[0]
    return (
        margin * chip.columns <= x <= (1 - margin) * chip.columns
        and margin * chip.rows <= y <= (1 - margin) * chip.rows
    )


@each_detector
def test_the_scale_of_each_chip_is_that_of_its_distortion(name):
    detector = instruments.get(name)
    for chip in detector.chips:
        assert chip.geometry.sip["A_ORDER"] >= 3
        assert chip.geometry.sip["B_ORDER"] >= 3
        scale = np.sqrt(abs(np.linalg.det(wcs(chip).pixel_scale_matrix))) * 3600
        assert scale == pytest.approx(chip.geometry.idc["IDCSCALE"], rel=0.1)
        assert {"IDCV2REF", "IDCV3REF", "OCX10", "OCX11", "OCY10", "OCY11"} <= set(
            chip.geometry.idc
        )
    scales = [chip.geometry.idc["IDCSCALE"] for chip in detector.chips]
    assert detector.pixel_scale.value == pytest.approx(min(scales), rel=0.01)


@each_detector
def test_distortion_moves_the_corners(name):
    for chip in instruments.get(name).chips:
        corner = np.array([[0.0, 0.0]])
        moved = wcs(chip).sip_pix2foc(corner, 0) - (corner + 1 - chip.geometry.crpix)
        assert 1 < np.abs(moved).max() < 0.1 * chip.columns


@pytest.mark.parametrize(("name", "gap_arcsec"), [("ACS/WFC", 2.5), ("WFC3/UVIS", 1.2)])
def test_two_chips_abut(name, gap_arcsec):
    lower, upper = sorted(instruments.get(name).chips, key=lambda chip: chip.extver)
    assert (lower.number, lower.extver, upper.number, upper.extver) == (2, 1, 1, 2)
    for column in (1.0, upper.columns / 2, float(upper.columns)):
        edge = wcs(upper).all_pix2world([[column, 0.5]], 1)
        x, y = wcs(lower).all_world2pix(edge, 1, quiet=True)[0]
        assert x == pytest.approx(column, abs=30)
        gap = (y - lower.rows - 0.5) * lower.geometry.idc["IDCSCALE"]
        assert gap == pytest.approx(gap_arcsec, abs=0.6)


def test_the_chips_of_wfpc2_make_an_l():
    chips = {chip.number: chip for chip in instruments.get("WFPC2").chips}
    assert {number: chip.extver for number, chip in chips.items()} == {1: 1, 2: 2, 3: 3, 4: 4}
    scales = {number: chip.geometry.idc["IDCSCALE"] for number, chip in chips.items()}
    assert scales[1] == pytest.approx(0.0455, rel=0.01)
    assert all(scales[number] == pytest.approx(0.0996, rel=0.01) for number in (2, 3, 4))
    # the pyramid's apex is seen near pixel (45, 45) of all four chips
    apex = [wcs(chip).all_pix2world([[45.0, 45.0]], 1)[0] for chip in chips.values()]
    for one in apex:
        for other in apex:
            assert hypot(*(one - other) * (cos(radians(one[1])), 1)) * 3600 < 10


@each_detector
def test_the_place_of_a_target_is_on_one_chip(name):
    detector = instruments.get(name)
    where = [chip for chip in detector.chips if on_chip(chip, detector.pointing.reference, 0.2)]
    assert len(where) == 1


@pytest.mark.parametrize("name", ["ACS/WFC", "WFC3/UVIS", "WFPC2"])
def test_the_roll_of_the_telescope_agrees_with_the_places_of_the_chips(name):
    detector = instruments.get(name)
    angle = radians(detector.pointing.pa_v3_deg)
    first, *others = detector.chips
    for chip in others:
        dec = radians(first.geometry.crval[1])
        east = (chip.geometry.crval[0] - first.geometry.crval[0]) * cos(dec) * 3600
        north = (chip.geometry.crval[1] - first.geometry.crval[1]) * 3600
        v2 = east * cos(angle) - north * sin(angle)
        v3 = east * sin(angle) + north * cos(angle)
        idc, reference = chip.geometry.idc, first.geometry.idc
        assert v2 == pytest.approx(idc["IDCV2REF"] - reference["IDCV2REF"], abs=2)
        assert v3 == pytest.approx(idc["IDCV3REF"] - reference["IDCV3REF"], abs=2)
