"""EffectivePSF: stamps against direct evaluation, derivatives, energies, speed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.telescope import effective_psf


def gaussian_psf(sigma=1.1, oversampling=5, half=20):
    """Return a Gaussian integrated over pixels, whose answers are known."""
    from scipy.special import erf

    nodes = np.arange(-half * oversampling, half * oversampling + 1) / oversampling
    edge = np.sqrt(2) * sigma
    profile = (erf((nodes + 0.5) / edge) - erf((nodes - 0.5) / edge)) / 2
    return EffectivePSF(np.outer(profile, profile), oversampling)


@pytest.fixture(scope="module")
def psf():
    return gaussian_psf()


def test_an_array_that_is_no_psf_is_refused():
    for shape in ((4, 4), (5, 7), (5,)):
        with pytest.raises(InputError, match="odd size"):
            EffectivePSF(np.zeros(shape), 5)
    with pytest.raises(InputError, match="not finite"):
        EffectivePSF(np.full((5, 5), np.nan), 5)
    with pytest.raises(InputError, match="below 1"):
        EffectivePSF(np.zeros((5, 5)), 0)


def test_the_array_cannot_be_changed(psf):
    with pytest.raises(ValueError, match="read-only"):
        psf.data[0, 0] = 1.0


@pytest.mark.parametrize("half", [0, 3, 7, 19])
def test_stamps_are_the_integral_over_each_pixel(psf, half):
    from scipy.special import erf

    rng = np.random.default_rng(1)
    x, y = rng.uniform(-30, 30, (2, 40))
    values, x0, y0 = psf.stamps(x, y, half)
    assert values.shape == (40, 2 * half + 1, 2 * half + 1)
    edge = np.sqrt(2) * 1.1
    offset = np.arange(2 * half + 1)

    def share(first, star):
        at = first[:, None] + offset - star[:, None]
        return (erf((at + 0.5) / edge) - erf((at - 0.5) / edge)) / 2

    expected = share(y0, y)[:, :, None] * share(x0, x)[:, None, :]
    assert np.abs(values - expected).max() < 2e-5
    assert np.abs(x0 + half - x).max() <= 0.5
    assert np.abs(y0 + half - y).max() <= 0.5


def test_the_brightest_beyond_a_square(psf):
    values = np.random.default_rng(3).normal(0, 1, (31, 31)) * np.linspace(3, 1, 31)
    odd = EffectivePSF(values, 3)
    away = np.abs(np.arange(31) - 15)
    away = np.maximum(away[:, None], away)
    for half in (0.4, 1, 2, 3.5, 4.9):
        assert odd.brightest_beyond(half) == np.abs(values[away > int(3 * half)]).max()
    assert odd.brightest_beyond(0) == np.abs(values).max()
    assert odd.brightest_beyond(5) == odd.brightest_beyond(10_000) == 0.0
    assert 0 < psf.brightest_beyond(4) < psf.brightest_beyond(2) < psf.brightest_beyond(0)
    assert psf.brightest_beyond(0) == psf.data[psf.middle, psf.middle]


def test_stamps_agree_with_evaluation_at_any_offset(psf):
    x, y = np.array([10.0, 10.5, -3.21]), np.array([4.0, 4.49, 100.77])
    values, x0, y0 = psf.stamps(x, y, 4)
    for stamp, column, row, star_x, star_y in zip(values, x0, y0, x, y, strict=True):
        dx, dy = np.meshgrid(column + np.arange(9) - star_x, row + np.arange(9) - star_y)
        assert np.allclose(stamp, psf.at(dx, dy), atol=1e-14)


def test_stamps_larger_than_the_array_are_zero_outside(psf):
    values, _, _ = psf.stamps([0.3], [-0.2], 30)
    assert values[0, :8].max() == 0.0
    assert values[0, :, -8:].max() == 0.0
    assert values.sum() == pytest.approx(1.0, abs=1e-4)


def test_no_star_gives_no_stamp(psf):
    values, x0, y0 = psf.stamps([], [], 5)
    assert values.shape == (0, 11, 11)
    assert x0.size == y0.size == 0


def test_derivatives_are_those_of_the_stamps(psf):
    rng = np.random.default_rng(2)
    x, y = 5 + rng.uniform(-0.4, 0.4, (2, 30))
    values, along_x, along_y, _, _ = psf.stamps_with_derivatives(x, y, 6)
    step = 1e-5
    right, left = psf.stamps(x + step, y, 6)[0], psf.stamps(x - step, y, 6)[0]
    above, below = psf.stamps(x, y + step, 6)[0], psf.stamps(x, y - step, 6)[0]
    assert np.allclose(values, psf.stamps(x, y, 6)[0])
    assert np.abs((right - left) / (2 * step) - along_x).max() < 1e-8
    assert np.abs((above - below) / (2 * step) - along_y).max() < 1e-8


def test_encircled_energy_of_a_gaussian(psf):
    radii = np.array([0.0, 1.0, 2.5, 5.0, 15.0, 1000.0])
    # a Gaussian convolved with a pixel is one whose variance is larger by 1/12, nearly
    expected = 1 - np.exp(-(radii**2) / (2 * (1.1**2 + 1 / 12)))
    assert psf.encircled_energy(radii) == pytest.approx(expected, abs=3e-3)
    assert psf.encircled_energy(2.5).shape == ()


def test_width_of_a_gaussian(psf):
    assert psf.fwhm_pix == pytest.approx(2.3548 * np.sqrt(1.1**2 + 1 / 12), rel=0.005)
    assert psf.half_pix == 20


def test_wings_are_right_to_a_hundredth_of_their_light():
    psf = effective_psf(instruments.get("ACS/WFC"), "F606W", chip=1)
    x, y = np.random.default_rng(4).uniform(0, 1, (2, 30))
    exact, x0, y0 = psf.stamps(x, y, 40)
    quick, quick_x0, quick_y0 = psf.wings(x, y, 40)
    assert (quick_x0 == x0).all()
    assert (quick_y0 == y0).all()
    steps = np.arange(81)
    far = (steps + (x0 - x)[:, None])[:, None, :] ** 2
    far = far + (steps + (y0 - y)[:, None])[:, :, None] ** 2 > 25
    light = np.sum(exact, axis=(1, 2), where=far)
    assert np.sum(quick, axis=(1, 2), where=far) == pytest.approx(light, rel=0.003)
    wrong = np.sum((quick - exact) ** 2, where=far) / np.sum(exact**2, where=far)
    assert 0 < np.sqrt(wrong) < 0.012


def test_wings_of_a_coarse_grid_are_exact():
    psf = EffectivePSF(gaussian_psf(half=12).data[::2, ::2], 2)
    assert (psf.wings([0.3], [0.2], 9)[0] == psf.stamps([0.3], [0.2], 9)[0]).all()


def test_five_thousand_stamps_take_well_below_half_a_second():
    psf = gaussian_psf(half=64)
    x, y = np.random.default_rng(3).uniform(0, 4000, (2, 5000))
    psf.stamps(x[:2], y[:2], 7)
    elapsed = []
    for _ in range(3):
        start = time.process_time()
        psf.stamps(x, y, 7)
        elapsed.append(time.process_time() - start)
    assert min(elapsed) < 0.3
