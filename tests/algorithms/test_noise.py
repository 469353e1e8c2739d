"""The noise of stacks."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from hst123r.algorithms.noise import (
    correlated_growth,
    correlation_factor,
    local_spread,
    relative_noise,
    rms_map,
)

RNG = np.random.default_rng(7)
NOTHING_OUT = np.zeros((400, 400), bool)


def test_noise_goes_with_the_root_of_the_weight():
    weight = np.array([[100.0, 400.0, 0.0, np.nan, -1.0]])
    assert relative_noise(weight)[0].tolist() == [0.1, 0.05, np.inf, np.inf, np.inf]


def test_independent_pixels_do_not_grow():
    noise = RNG.standard_normal((400, 400))
    assert correlated_growth(noise, NOTHING_OUT, 1.0) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("width", [2, 3])
def test_what_correlation_does_under_a_star_is_found(width):
    noise = uniform_filter(RNG.standard_normal((400, 400)), width)
    noise /= noise.std()
    growth = correlated_growth(noise, NOTHING_OUT, 2.0)
    # the same by theory: how the sum under a wide filter scatters, over independent pixels
    wide = gaussian_filter(noise, 2.0) - gaussian_filter(noise, 8.0)
    white = RNG.standard_normal((400, 400))
    alone = gaussian_filter(white, 2.0) - gaussian_filter(white, 8.0)
    assert growth == pytest.approx(wide.std() / alone.std(), rel=0.15)
    assert growth > 1.3


def test_stars_and_single_bright_pixels_say_nothing_of_the_noise():
    noise = RNG.standard_normal((400, 400))
    noise[RNG.integers(0, 400, 300), RNG.integers(0, 400, 300)] += 1000
    assert correlated_growth(noise, NOTHING_OUT, 1.0) == pytest.approx(1.0, abs=0.05)


def test_each_part_has_its_own_spread():
    noise = RNG.standard_normal((400, 400))
    noise[:, 200:] *= 3
    noise[::50, ::50] += 500
    out = NOTHING_OUT.copy()
    out[:, 390:] = True
    noise[out] = np.nan
    spread = local_spread(noise, out)
    assert spread.shape == noise.shape
    assert np.median(spread[:, :130]) == pytest.approx(1.0, rel=0.05)
    assert np.median(spread[:, 270:]) == pytest.approx(3.0, rel=0.05)
    assert np.isfinite(spread).all()


def test_boxes_without_data_take_the_noise_of_their_neighbours():
    noise = 2 * RNG.standard_normal((300, 300))
    out = np.ones((300, 300), bool)
    out[:100, :100] = False
    assert np.all(np.abs(local_spread(noise, out) - 2.0) < 0.2)
    assert np.isnan(local_spread(noise, np.ones((300, 300), bool))).all()


@pytest.mark.parametrize(
    ("pixfrac", "ratio", "factor"),
    [(1.0, 1.0, 1.5), (0.8, 1.0, 1.0 / (1 - 0.8 / 3)), (1.0, 0.5, 2.4), (1e-6, 1.0, 1.0)],
)
def test_the_correlation_factor_is_that_of_the_paper(pixfrac, ratio, factor):
    assert correlation_factor(pixfrac, ratio) == pytest.approx(factor, rel=1e-5)


def test_a_map_of_the_noise_has_sky_and_photons_and_nothing_where_there_are_no_data():
    rng = np.random.default_rng(3)
    weight = np.full((256, 256), 400.0)
    weight[:, 128:] = 100.0
    weight[:20] = 0.0
    science = rng.normal(0.0, 2.0 / np.sqrt(np.maximum(weight, 1.0)))
    science[100:110, 40:50] = 1000.0
    found = rms_map(science, weight, 1.3, weight / 2, 4.0)
    assert np.isnan(found[:20]).all()
    assert np.median(found[30:, :128]) == pytest.approx(1.3 * 2.0 / 20.0, rel=0.05)
    assert np.median(found[30:, 128:]) == pytest.approx(1.3 * 2.0 / 10.0, rel=0.05)
    # 1000 units in 200 s, each with a variance of 4 in a second
    assert np.median(found[100:110, 40:50]) == pytest.approx(np.sqrt(1000 * 4 / 200), rel=0.01)
