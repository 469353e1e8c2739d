"""Boxes on the sky, through the whole distortion of real geometries."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from hst123r import instruments
from hst123r.algorithms.boxes import pixels_in_box
from hst123r.simulation.pointing import place, template_of

SHAPE = (500, 700)
"""Part of a chip, in its corner, where distortion is largest."""


@pytest.fixture(scope="module", params=["ACS/WFC", "WFPC2"])
def wcs(request):
    return place(template_of(instruments.get(request.param)), (359.999, -60.0), 30.0).true[0].wcs


@pytest.fixture(scope="module")
def centres(wcs):
    y, x = np.indices(SHAPE)
    return SkyCoord(*wcs.all_pix2world(x.ravel(), y.ravel(), 0), unit="deg")


@pytest.mark.parametrize(
    ("x", "y", "half"), [(300, 200, 2.0), (690, 40, 5.5), (300.2, 200.1, 0.05), (0, 0, 500.0)]
)
def test_a_pixel_is_inside_if_its_centre_is(wcs, centres, x, y, half):
    """Against every pixel, by astropy's own offsets on the sky."""
    middle = SkyCoord(*wcs.all_pix2world(x, y, 0), unit="deg")
    found = pixels_in_box(wcs, SHAPE, middle.ra.deg, middle.dec.deg, half)
    offsets = [np.abs(a.to_value("arcsec")) for a in middle.spherical_offsets_to(centres)]
    away = np.max(offsets, axis=0).reshape(SHAPE)
    # angles on the sphere and offsets in the plane differ by less than this
    sure = np.abs(away - half) > 1e-6
    assert sure.mean() > 0.99
    assert np.array_equal(found[sure], (away < half)[sure])
    assert found[round(y), round(x)]


def test_a_box_elsewhere_holds_nothing(wcs):
    for ra, dec in ((179.999, 60.0), (359.999, 0.0), (0.5, -60.0)):
        assert not pixels_in_box(wcs, SHAPE, ra, dec, 10.0).any()
