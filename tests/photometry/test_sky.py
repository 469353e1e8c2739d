from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.sky import Background, estimate_sky


def noisy(level, shape=(256, 256), read_noise=4.2, seed=1):
    rng = np.random.default_rng(seed)
    return rng.poisson(np.broadcast_to(level, shape)) + read_noise * rng.standard_normal(shape)


@pytest.mark.parametrize("level", [5.0, 30.0, 300.0])
def test_a_flat_sky_is_not_biased(level):
    found = np.array(
        [
            estimate_sky(noisy(level, seed=k), np.zeros((256, 256), bool)).sky.mean()
            for k in range(8)
        ]
    )
    sigma = np.sqrt(level + 4.2**2)
    assert abs(found.mean() - level) < 0.012 * sigma


def test_the_noise_is_that_of_a_pixel():
    background = estimate_sky(noisy(60.0, (512, 512)), np.zeros((512, 512), bool))
    assert background.rms == pytest.approx(np.sqrt(60 + 4.2**2), rel=0.01)


def test_a_slope_and_a_bend_are_followed():
    y, x = np.mgrid[:300, :400]
    truth = 50 + 0.03 * x + 20 * np.sin(y / 120)
    background = estimate_sky(noisy(truth, truth.shape), np.zeros(truth.shape, bool), 50)
    away = (background.sky - truth)[25:-25, 25:-25]
    assert np.sqrt(np.mean(away**2)) < 0.7
    assert abs(away.mean()) < 0.3


def test_cosmic_rays_do_not_raise_the_sky():
    image = noisy(60.0, (512, 512))
    rng = np.random.default_rng(5)
    hit = rng.random(image.shape) < 0.01
    image[hit] += rng.exponential(800.0, hit.sum())
    clean = estimate_sky(noisy(60.0, (512, 512)), np.zeros(image.shape, bool)).sky.mean()
    assert abs(estimate_sky(image, np.zeros(image.shape, bool)).sky.mean() - clean) < 0.15


def test_masked_pixels_and_nan_take_no_part():
    image = noisy(60.0)
    mask = np.zeros(image.shape, bool)
    mask[:, :100] = True
    image[mask] = 1e5
    image[200:, 200:] = np.nan
    background = estimate_sky(image, mask)
    assert np.isfinite(background.sky).all()
    assert abs(background.sky[:, 100:].mean() - 60.0) < 0.5


def test_points_and_map_agree():
    background = estimate_sky(noisy(60.0), np.zeros((256, 256), bool))
    x, y = np.array([0.0, 13.0, 255.0]), np.array([0.0, 200.0, 255.0])
    whole = background.sky[y.astype(int), x.astype(int)]
    assert background.at(x, y) == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (20, 300), (40, 40), (1, 50)])
def test_small_frames(shape):
    background = estimate_sky(noisy(60.0, shape), np.zeros(shape, bool))
    assert background.sky.shape == shape
    assert abs(background.sky.mean() - 60.0) < 6


def test_nothing_left_is_an_error():
    with pytest.raises(InputError, match="no pixel is left"):
        estimate_sky(np.full((64, 64), np.nan), np.zeros((64, 64), bool))


def test_a_sky_that_is_known():
    background = Background.flat(12.5, (30, 40))
    assert background.sky.shape == (30, 40)
    assert np.all(background.sky == np.float32(12.5))
    assert background.at([3.0, 999.0], [5.0, -4.0]).tolist() == [12.5, 12.5]
    assert np.isnan(background.rms)


def test_a_sky_is_kept_as_its_nodes_and_not_as_an_image():
    """Measuring many exposures together keeps the sky of every chip."""
    background = Background.flat(50.0, (400, 500))
    assert background.sky.shape == (400, 500)
    kept = [value for value in vars(background).values() if isinstance(value, np.ndarray)]
    assert sum(value.nbytes for value in kept) < 1000
