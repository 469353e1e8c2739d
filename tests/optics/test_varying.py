"""A PSF that changes over the chip."""

import numpy as np
import pytest

from hst123r.optics.stdpsf import PSFGrid
from hst123r.optics.varying import VaryingPSF


def grid(x=(0.0, 100.0), y=(0.0, 50.0, 100.0)):
    """Return a grid of round PSFs whose width grows with the number of the place."""
    nodes = np.arange(-40, 41) / 4
    square = nodes[:, None] ** 2 + nodes**2
    psfs = [np.exp(-square / (1.5 + 0.3 * k)) for k in range(len(x) * len(y))]
    psfs = [psf / psf.sum() * 16 for psf in psfs]
    return PSFGrid(np.array(x), np.array(y), np.reshape(psfs, (len(y), len(x), 81, 81)))


X = np.array([0.0, 33.3, 99.7, 150.0, -20.0, 50.2])
Y = np.array([0.0, 20.1, 75.5, 140.0, 60.0, 99.9])


def test_stamps_are_those_of_the_psf_at_the_place_of_each_star():
    psf = VaryingPSF.of(grid())
    values, along_x, along_y, x0, y0 = psf.stamps_with_derivatives(X, Y, 5)
    for k, (x, y) in enumerate(zip(X, Y, strict=True)):
        one = psf.grid.at(x, y).stamps_with_derivatives([x], [y], 5)
        for mine, there in zip((values, along_x, along_y, x0, y0), one, strict=True):
            assert mine[k] == pytest.approx(there[0], abs=1e-12)
    assert psf.stamps(X, Y, 5)[0] == pytest.approx(values)


def test_the_shares_of_places_add_up_and_stop_at_the_edge():
    shares = VaryingPSF.of(grid()).weights(X, Y)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    assert ((shares > 0).sum(axis=1) <= 4).all()
    assert shares[3].tolist() == [0, 0, 0, 0, 0, 1]
    one = VaryingPSF.of(grid(x=(5.0,), y=(7.0,))).weights([1.0, np.nan], [2.0, 3.0])
    assert one.tolist() == [[1.0], [1.0]]


def test_a_piece_of_the_image_has_the_psf_of_its_place_on_the_chip():
    psf = VaryingPSF.of(grid())
    piece = psf.moved(30.0, 20.0).moved(3.0, 0.0)
    assert psf.moved(0, 0) is psf
    whole, _, _ = psf.stamps([50.2], [40.1], 5)
    part, _, _ = piece.stamps([17.2], [20.1], 5)
    assert part == pytest.approx(whole)


def test_a_change_is_made_at_all_places():
    psf = VaryingPSF.of(grid())
    change = np.zeros_like(psf.data)
    change[40, 40] = 0.01
    changed = psf.plus(change)
    assert changed.central_fraction == pytest.approx(psf.central_fraction + 0.01)
    for before, after in zip(psf.places, changed.places, strict=True):
        assert after.central_fraction == pytest.approx(before.central_fraction + 0.01)


def test_wings_are_those_of_the_nearest_place_or_half_way_point():
    psf = VaryingPSF.of(grid())
    piece = psf.moved(30.0, 20.0)
    for x, y, place in ((20.0, 11.0, (0, 0)), (26.0, 13.0, (50, 25)), (120.0, 99.0, (100, 100))):
        there, x0, y0 = psf.grid.at(*place).wings([x], [y], 6)
        for made in (psf.wings([x], [y], 6), piece.wings([x - 30], [y - 20], 6)):
            assert made[0] == pytest.approx(there, abs=1e-12)
        assert psf.wings([x], [y], 6)[1:] == (x0, y0)


def test_a_grid_of_many_places_needs_no_points_between():
    psf = VaryingPSF.of(grid(x=(0.0, 10.0, 20.0, 30.0), y=(0.0, 10.0, 20.0, 30.0)))
    there, _, _ = psf.grid.at(10, 20).wings([13.0], [17.0], 6)
    assert psf.wings([13.0], [17.0], 6)[0] == pytest.approx(there, abs=1e-12)
