"""PSFs whose changes follow the place."""

import numpy as np
import pytest

from hst123r.optics.perturbed import PerturbedPSF
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.stdpsf import PSFGrid
from hst123r.optics.varying import VaryingPSF

SHAPE = (200, 300)


def gaussian(sigma, half=10):
    nodes = np.arange(-half * 5, half * 5 + 1) / 5
    profile = np.exp(-0.5 * (nodes / sigma) ** 2)
    return np.outer(profile, profile) / (2 * np.pi * sigma**2)


def amounts(x, y):
    """Return half of the first change at the right edge, and the second along y."""
    return np.stack([0.5 * x / (SHAPE[1] - 1), y / (SHAPE[0] - 1)], axis=1)


@pytest.fixture
def psf():
    base = EffectivePSF(gaussian(0.9), 5)
    wider = gaussian(1.1) - gaussian(0.9)
    # a change of the core has a small array
    core = (gaussian(0.8) - gaussian(0.9))[20:-20, 20:-20]
    return PerturbedPSF.of(base, [wider, core], amounts, SHAPE)


def at(psf, x, y, half=4):
    """Return the stamps of the PSF that is there, made for that place alone."""
    data = psf.base.data + amounts(np.array([x]), np.array([y]))[0, 0] * psf.changes[0].data
    data[20:-20, 20:-20] += amounts(np.array([x]), np.array([y]))[0, 1] * psf.changes[1].data
    return EffectivePSF(data, 5).stamps_with_derivatives([x], [y], half)


def test_stamps_are_those_of_the_place_of_each_star(psf):
    x, y = np.array([0.0, 299.0, 150.2, 40.7]), np.array([0.0, 0.0, 99.6, 180.1])
    found = psf.stamps_with_derivatives(x, y, 4)
    plain, *corner = psf.stamps(x, y, 4)
    assert plain == pytest.approx(found[0], abs=1e-12)
    assert [part.tolist() for part in corner] == [part.tolist() for part in found[3:]]
    for number in range(4):
        for one, other in zip(found, at(psf, x[number], y[number]), strict=True):
            assert one[number] == pytest.approx(other[0], abs=1e-7)
    assert np.abs(plain[0] - plain[1]).max() > 0.01


def test_a_piece_has_the_psf_of_its_place_and_the_whole_its_mean(psf):
    piece = psf.moved(100.0, 50.0)
    assert piece.stamps([20.0], [30.0], 4)[0] == pytest.approx(psf.stamps([120.0], [80.0], 4)[0])
    assert psf.moved(0, 0) is psf
    middle = psf.base.data + 0.25 * psf.changes[0].data
    middle[20:-20, 20:-20] += 0.5 * psf.changes[1].data
    assert psf.data == pytest.approx(middle)


def test_a_common_change_is_added_everywhere(psf):
    change = 0.1 * gaussian(1.5)
    more = psf.plus(change)
    extra = EffectivePSF(change, 5).stamps([70.3], [20.1], 4)[0]
    before, after = (one.stamps([70.3], [20.1], 4)[0] for one in (psf, more))
    assert after - before == pytest.approx(extra, abs=1e-9)
    assert more.data - psf.data == pytest.approx(change)


def test_a_star_that_is_nowhere_does_no_harm(psf):
    with np.errstate(invalid="ignore"):
        amount = psf.amounts(np.nan_to_num([np.nan]), np.nan_to_num([np.nan]))
    assert np.isfinite(amount).all()


def test_wings_are_those_of_the_place_of_each_star():
    """Both of what follows the place by itself, and of the changes."""
    places = [[gaussian(1.6 + 0.4 * row + 0.2 * column) for column in (0, 1)] for row in (0, 1)]
    grid = PSFGrid(np.array([0.0, 299.0]), np.array([0.0, 199.0]), np.array(places))
    wider = gaussian(2.4) - gaussian(2.0)
    psf = PerturbedPSF.of(VaryingPSF.of(grid), [wider, 0.5 * wider], amounts, SHAPE)
    rows, columns = np.mgrid[-8:9, -8:9]
    ring = (np.hypot(rows, columns) >= 3.0) & (np.hypot(rows, columns) < 6.0)
    for x, y in ((0.2, 0.3), (298.9, 0.1), (0.0, 199.4), (298.8, 199.2)):
        right, *corner = psf.stamps([x], [y], 8)
        for found in (psf.wings([x], [y], 8), psf.moved(40.0, 30.0).wings([x - 40], [y - 30], 8)):
            assert (
                np.sqrt(np.mean((found[0][0] - right[0])[ring] ** 2)) < 0.02 * right[0][ring].mean()
            )
        assert [part.tolist() for part in psf.wings([x], [y], 8)[1:]] == [
            part.tolist() for part in corner
        ]
