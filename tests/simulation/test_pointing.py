"""Aiming detectors, windows of chips, headers with errors, real templates with tables."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.simulation.model import PointingError
from hst123r.simulation.pointing import aim_pixel, place, template_from, template_of, windows

TARGET = (359.9995, -30.0)


@pytest.mark.parametrize("size", [None, 256])
@pytest.mark.parametrize("name", instruments.names())
def test_the_target_falls_on_the_aim_and_dithers_move_it(name, size):
    template = template_of(instruments.get(name))
    kept = windows(template, size)
    chip, x, y = aim_pixel(template, kept, None)
    extver = chip.extver
    window = kept[extver - 1]
    for step in ((0.0, 0.0), (1.0, -0.6)):
        placed = place(template, TARGET, 77.0, dither_arcsec=step, size_pix=size)
        frame = placed.true[extver - 1]
        _, found_x, found_y = frame.pixels(np.array([TARGET[0]]), np.array([TARGET[1]]), 0.0)
        scale = np.hypot(*chip.cd) * 3600
        assert found_x[0] + window.x0 == pytest.approx(x + step[0] / scale[0], abs=1e-4)
        assert found_y[0] + window.y0 == pytest.approx(y + step[1] / scale[1], abs=1e-4)
    assert placed.true[0].header["CRVAL1"] == placed.header[0].header["CRVAL1"]


@pytest.mark.parametrize("name", instruments.names())
def test_the_roll_is_what_was_asked_for(name):
    detector = instruments.get(name)
    template = template_of(detector)
    first = place(template, TARGET, 10.0).true[0]
    second = place(template, TARGET, 55.0).true[0]
    target = SkyCoord(*TARGET, unit="deg")
    angles = []
    for frame in (first, second):
        corner = SkyCoord(*frame.wcs.all_pix2world(20.0, 30.0, 0), unit="deg")
        angles.append(target.position_angle(corner).deg)
    assert (angles[1] - angles[0]) % 360 == pytest.approx(45.0, abs=1e-6)


def test_windows_of_two_chips_touch_the_gap():
    template = template_of(instruments.get("ACS/WFC"))
    lower, upper = windows(template, 512)
    assert lower.y0 + lower.rows == 2048
    assert upper.y0 == 0
    assert abs(lower.x0 - upper.x0) < 100
    placed = place(template, TARGET, 0.0, size_pix=512)
    below = placed.true[0].wcs.all_pix2world(256, 511, 0)
    above = placed.true[1].wcs.all_pix2world(256, 0, 0)
    gap = SkyCoord(*below, unit="deg").separation(SkyCoord(*above, unit="deg")).arcsec
    assert 1.5 < gap < 6.0


def test_windows_of_four_chips_touch_the_apex():
    template = template_of(instruments.get("WFPC2"))
    assert [(item.x0, item.y0) for item in windows(template, 300)] == [(0, 0)] * 4
    assert [item.rows for item in windows(template, 5000)] == [800] * 4


def test_a_single_chip_keeps_its_middle():
    (window,) = windows(template_of(instruments.get("WFC3/IR")), 400)
    assert (window.x0, window.y0) == (307, 307)


def test_an_aim_can_be_given_and_must_exist():
    template = template_of(instruments.get("WFPC2"))
    placed = place(template, TARGET, 0.0, aim=(1, 300.0, 200.0))
    _, x, y = placed.true[0].pixels(np.array([TARGET[0]]), np.array([TARGET[1]]), 0.0)
    assert (x[0], y[0]) == pytest.approx((300.0, 200.0), abs=1e-4)
    with pytest.raises(InputError, match="no chip 9"):
        place(template, TARGET, 0.0, aim=(9, 1.0, 1.0))


def test_header_errors_are_rigid_and_about_the_target():
    error = PointingError(east_arcsec=0.3, north_arcsec=-0.1, roll_deg=0.01)
    placed = place(template_of(instruments.get("ACS/WFC")), TARGET, 30.0, error=error)
    target = SkyCoord(*TARGET, unit="deg")
    frame = placed.true[1]
    _, x, y = frame.pixels(np.array([TARGET[0]]), np.array([TARGET[1]]), 0.0)
    said = SkyCoord(*placed.header[1].wcs.all_pix2world(x[0], y[0], 0), unit="deg")
    east, north = target.spherical_offsets_to(said)
    assert (east.arcsec, north.arcsec) == pytest.approx((0.3, -0.1), abs=1e-6)
    # a star a hundred arcseconds away, on the other chip, keeps its distance
    corner = SkyCoord(*placed.true[0].wcs.all_pix2world(0, 0, 0), unit="deg")
    wrong = SkyCoord(*placed.header[0].wcs.all_pix2world(0, 0, 0), unit="deg")
    assert said.separation(wrong).arcsec == pytest.approx(
        target.separation(corner).arcsec, abs=1e-6
    )
    turn = said.position_angle(wrong).deg - target.position_angle(corner).deg
    assert turn == pytest.approx(0.01, abs=1e-6)
    assert placed.header_pa_v3_deg == pytest.approx(30.01)


def real_template(shared_data):
    path = shared_data / "acs_wfc" / "jbt122x8q_flc_header.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        with fits.open(path) as hdus:
            return template_from(instruments.get("ACS/WFC"), hdus)


@pytest.mark.real
def test_a_real_header_brings_its_lookup_tables(shared_data):
    template = real_template(shared_data)
    assert [len(chip.tables) for chip in template.chips] == [4, 4]
    placed = place(template, TARGET, 12.0, size_pix=512)
    lower = placed.true[0]
    assert lower.wcs.cpdis1 is not None
    assert lower.wcs.det2im1 is not None
    # tables and polynomials are those of the full chip, shifted
    whole = place(template, TARGET, 12.0, aim=_full_chip_aim(template, 512)).true[0]
    x, y = np.array([0.0, 300.0, 511.0]), np.array([5.0, 100.0, 511.0])
    part = np.array(lower.wcs.all_pix2world(x, y, 0))
    full = np.array(whole.wcs.all_pix2world(x + lower.window.x0, y + lower.window.y0, 0))
    assert part == pytest.approx(full, abs=1e-11)
    # and they move pixels by some hundredths, which the polynomials alone do not
    plain = lower.header.copy()
    from astropy.wcs import WCS

    for keyword in [key for key in plain if key.startswith(("DP", "D2IM", "CPDIS", "CPERR"))]:
        plain.remove(keyword)
    sky = np.array(WCS(plain).all_pix2world(x, y, 0))
    shift = np.hypot(*(sky - part)) * 3600 / 0.05
    assert 0.001 < shift.max() < 0.5
    _, found_x, found_y = lower.pixels(part[0], part[1], 1.0)
    assert np.abs(found_x - x).max() < 1e-4
    assert np.abs(found_y - y).max() < 1e-4


def _full_chip_aim(template, size):
    chip, x, y = aim_pixel(template, windows(template, size), None)
    return chip.number, x, y


@pytest.mark.real
def test_pixel_areas_with_tables_are_close_to_those_without(shared_data):
    detector = instruments.get("ACS/WFC")
    real = place(real_template(shared_data), TARGET, 0.0, size_pix=512).true[0].pixel_area()
    facts = place(template_of(detector), TARGET, 0.0, size_pix=512).true[0].pixel_area()
    assert real == pytest.approx(facts, abs=0.01)


def test_a_template_without_its_chips_is_refused():
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(name="SCI")])
    with pytest.raises(InputError, match="the template for ACS/WFC lacks"):
        template_from(instruments.get("ACS/WFC"), hdus)
