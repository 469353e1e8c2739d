from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from hst123r.algorithms.sphere import (
    from_tangent_plane,
    middle,
    position_angle_deg,
    separation_arcsec,
    to_tangent_plane,
)

EXACT_ARCSEC = 3.6e-6
"""1e-9 degrees."""
FIELDS = [(0.0, 0.0), (150.0, 2.0), (359.9999, -72.1), (12.3, 89.9), (200.0, -90.0)]


def around(ra0, dec0, seed=1, size=1.0):
    rng = np.random.default_rng(seed)
    centre = SkyCoord(ra0, dec0, unit="deg")
    there = centre.directional_offset_by(
        rng.uniform(0, 360, 200) * u.deg, size * np.sqrt(rng.random(200)) * u.deg
    )
    return there.ra.deg, there.dec.deg


@pytest.mark.parametrize(("ra0", "dec0"), FIELDS)
def test_projection_is_that_of_a_tan_wcs(ra0, dec0):
    ra, dec = around(ra0, dec0)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra0, dec0]
    wcs.wcs.crpix = [1.0, 1.0]
    wcs.wcs.cd = np.eye(2)
    x, y = wcs.wcs_world2pix(ra, dec, 0)
    xi, eta = to_tangent_plane(ra, dec, ra0, dec0)
    assert np.abs(xi - x * 3600).max() < EXACT_ARCSEC
    assert np.abs(eta - y * 3600).max() < EXACT_ARCSEC


@pytest.mark.parametrize(("ra0", "dec0"), FIELDS)
def test_there_and_back(ra0, dec0):
    ra, dec = around(ra0, dec0)
    back_ra, back_dec = from_tangent_plane(*to_tangent_plane(ra, dec, ra0, dec0), ra0, dec0)
    assert separation_arcsec(ra, dec, back_ra, back_dec).max() < EXACT_ARCSEC
    assert np.all((back_ra >= 0) & (back_ra < 360))


def test_the_other_side_has_no_projection():
    xi, eta = to_tangent_plane([180.0, 90.0, 0.0], [0.0, 0.0, 89.0], 0.0, 0.0)
    assert np.isnan(xi).tolist() == [True, True, False]
    assert np.isnan(eta).tolist() == [True, True, False]


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 360), st.floats(-90, 90))
def test_separations_and_angles_are_astropys(ra1, dec1, ra2, dec2):
    one, two = SkyCoord(ra1, dec1, unit="deg"), SkyCoord(ra2, dec2, unit="deg")
    separation = float(separation_arcsec(ra1, dec1, ra2, dec2))
    assert separation == pytest.approx(one.separation(two).arcsec, abs=EXACT_ARCSEC)
    if 0.001 < separation < 647_999 and abs(dec1) < 89.999:
        angle = float(position_angle_deg(ra1, dec1, ra2, dec2))
        away = (angle - one.position_angle(two).deg + 180) % 360 - 180
        assert abs(away) * np.sin(np.radians(separation / 3600)) < 1e-9


def test_tiny_separations_are_not_lost():
    step = 1e-6 / 3600
    assert separation_arcsec(10.0, 60.0, 10.0, 60.0 + step) == pytest.approx(1e-6, rel=1e-4)
    assert position_angle_deg(10.0, 0.0, 10.0 + step, 0.0) == pytest.approx(90.0)


def test_right_ascension_runs_on_over_zero():
    assert separation_arcsec(359.9999, 0.0, 0.0001, 0.0) == pytest.approx(0.72)
    xi, _ = to_tangent_plane(359.9999, 0.0, 0.0001, 0.0)
    assert float(xi) == pytest.approx(-0.72)


def test_the_middle_of_a_field_on_right_ascension_zero_is_on_it():
    """An even number, half on each side: a plain median is at 180."""
    ra, dec = middle([359.99, 0.01, 359.98, 0.02], [1.0, 1.0, 1.2, 0.8])
    assert (ra + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
    assert dec == pytest.approx(1.0)
    assert middle([150.0, 150.2, 150.1], [2.0, 3.0, 2.5]) == (pytest.approx(150.1), 2.5)
