"""Where the pixels of a mosaic lie."""

import numpy as np
import pytest
from astropy.wcs import WCS

from hst123r.algorithms.grid import PAD_PIX, centred, extent

RA, DEC = 150.1, 2.2


def plane(found, scale, rotation):
    """Return the WCS that AstroDrizzle makes of an extent."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [RA, DEC]
    wcs.wcs.crpix = found.crpix
    angle = np.radians(rotation)
    wcs.wcs.cd = scale / 3600 * np.array(
        [[-np.cos(angle), np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )  # fmt: skip
    return wcs


def square(dec, side=20.0, east=3.0):
    half = side / 7200
    return [
        ((RA + east / 3600 + x * half / np.cos(np.radians(dec))) % 360, dec + y * half)
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]


@pytest.mark.parametrize("rotation", [0.0, 30.0, -77.0, 180.0])
@pytest.mark.parametrize("scale", [0.05, 0.128])
def test_all_corners_are_inside_with_the_padding_and_not_much_more(rotation, scale):
    corners = square(DEC)
    found = extent(corners, RA, DEC, scale, rotation)
    x, y = plane(found, scale, rotation).all_world2pix(corners, 0).T
    rows, columns = found.shape
    assert x.min() >= PAD_PIX - 1e-6
    assert y.min() >= PAD_PIX - 1e-6
    assert x.max() <= columns - 1 - PAD_PIX + 1e-6
    assert y.max() <= rows - 1 - PAD_PIX + 1e-6
    assert x.min() < PAD_PIX + 1
    assert columns - 1 - x.max() < PAD_PIX + 1


def test_stacks_of_one_field_share_their_pixels():
    """They differ by whole numbers in CRPIX."""
    one, two = (extent(square(DEC, east=e), RA, DEC, 0.05, 10.0) for e in (0.0, 1.234))
    assert one.crpix != two.crpix
    for found in (one, two):
        assert all(value == round(value) for value in found.crpix)
    place = [(RA + 0.001, DEC + 0.001)]
    first, second = (plane(f, 0.05, 10.0).all_world2pix(place, 1)[0] for f in (one, two))
    moved = np.array(two.crpix) - np.array(one.crpix)
    assert second - first == pytest.approx(moved, abs=1e-6)


def test_a_field_across_right_ascension_zero():
    corners = [(359.999, 0.0), (0.001, 0.0), (0.001, 0.002), (359.999, 0.002)]
    found = extent(corners, 0.0, 0.0, 0.05, 0.0)
    assert found.shape[1] == pytest.approx(7.2 / 0.05 + 2 * PAD_PIX, abs=3)


@pytest.mark.parametrize(("side", "middle"), [(1, 1), (4, 3), (5, 3), (5200, 2601)])
def test_a_square_has_the_target_in_its_middle(side, middle):
    assert centred(side).shape == (side, side)
    assert centred(side).crpix == (middle, middle)
