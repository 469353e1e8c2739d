from __future__ import annotations

import warnings

import numpy as np
import pytest

from hst123r.algorithms.detection import find_stars
from hst123r.algorithms.noise import relative_noise
from hst123r.errors import InputError

SIGMA = 0.9


def field(seed=1, shape=(200, 220), noise=1.0, count=40, flux=200.0):
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(15.0, shape[1] - 15, 25), np.arange(15.0, shape[0] - 15, 25))
    x = (x + rng.uniform(-2, 2, x.shape)).ravel()[:count]
    y = (y + rng.uniform(-2, 2, y.shape)).ravel()[:count]
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for k in range(x.size):
        image += flux * np.exp(-((xx - x[k]) ** 2 + (yy - y[k]) ** 2) / 2 / SIGMA**2) / 5.09
    return image + noise * rng.standard_normal(shape), x, y


def nearest(found, x, y):
    return np.hypot(found.x[:, None] - x, found.y[:, None] - y)


def test_stars_are_found_and_nothing_else():
    image, x, y = field()
    found = find_stars(image, 1.0, 2.1, 6.0)
    away = nearest(found, x, y)
    assert len(found) == x.size
    assert away.min(axis=1).max() < 0.3
    assert np.all((found.sharpness > 0.6) & (found.sharpness < 1.0))
    assert np.all(np.diff(found.flux) <= 0)


def test_signal_to_noise_is_that_of_the_convolved_image():
    empty = np.random.default_rng(3).standard_normal((600, 600))
    image, _, _ = field(noise=0.0)
    assert len(find_stars(empty, 1.0, 2.1, 5.5)) < 3
    # twice the noise, half the S/N
    one, two = find_stars(image, 1.0, 2.1, 4.0), find_stars(image, 2.0, 2.1, 4.0)
    assert one.snr == pytest.approx(2 * two.snr, rel=1e-5)
    assert one.flux == pytest.approx(two.flux, rel=1e-5)
    # a matched filter sees the flux over the noise times sqrt(4 pi) sigma; a fifth of that is
    # the price of a kernel that takes the sky off
    best = 200.0 / (np.sqrt(4 * np.pi) * SIGMA)
    assert np.median(one.snr) == pytest.approx(0.8 * best, rel=0.05)
    narrow = find_stars(image, 1.0, 2.1, 4.0, reach_sigma=1.5)
    assert np.median(narrow.snr) < 0.7 * np.median(one.snr)


def test_the_noise_is_given_and_never_guessed():
    # a sky-subtracted stack whose mode is zero
    rng = np.random.default_rng(4)
    image = rng.normal(0.0, 2.6, (500, 500))
    assert len(find_stars(image, 2.6, 2.1, 5.0)) < 5


def test_shallow_and_deep_parts_of_a_stack():
    rng = np.random.default_rng(5)
    weight = np.ones((400, 400))
    weight[:, 200:] = 1 / 16
    weight[:, 380:] = 0
    noise = relative_noise(weight)
    image = np.where(np.isfinite(noise), noise, np.nan) * rng.standard_normal(weight.shape)
    found = find_stars(image, noise, 2.1, 4.0)
    left = np.count_nonzero(found.x < 200) / 200
    right = np.count_nonzero(found.x >= 200) / 180
    assert right == pytest.approx(left, abs=6 * np.sqrt(max(left, 0.01) / 200) + 0.05)
    assert np.all(found.x < 380)


def test_nan_and_masked_pixels():
    image, x, y = field()
    image[:, :60] = np.nan
    mask = np.zeros(image.shape, bool)
    mask[:40] = True
    image[20, 100] = 1e6
    found = find_stars(image, 1.0, 2.1, 6.0, mask=mask)
    kept = (x > 62) & (y > 42)
    assert np.count_nonzero(nearest(found, x, y).min(axis=0) < 0.5) >= np.count_nonzero(kept)
    assert np.all(found.x > 59)
    assert np.all(found.y > 39)


def test_the_order_is_always_the_same():
    image, _, _ = field()
    one, two = (find_stars(image, 1.0, 2.1) for _ in range(2))
    for name in vars(one):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    few = find_stars(image, 1.0, 2.1, brightest=5)
    assert few.x.tolist() == one.x[:5].tolist()


def test_shapes_are_returned_and_cut():
    image, _, _ = field()
    image[100, 100] += 300  # a hot pixel
    every = find_stars(image, 1.0, 2.1, 6.0)
    hot = int(np.argmin(np.hypot(every.x - 100, every.y - 100)))
    assert every.sharpness[hot] > 1.0
    cut = find_stars(image, 1.0, 2.1, 6.0, sharpness=(0.2, 1.0))
    assert np.hypot(cut.x - 100, cut.y - 100).min() > 5


def test_edges():
    image, _, _ = field()
    found = find_stars(image, 1.0, 2.1, edge_pix=30)
    assert found.x.min() >= 30
    assert found.y.max() <= 169


@pytest.mark.parametrize("image", [np.zeros((50, 50)), np.full((50, 50), np.nan)])
def test_nothing_to_find(image):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(find_stars(image, 1.0, 2.1)) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": np.zeros(5)}, "array of shape"),
        ({"noise": np.ones((3, 3))}, "the noise has the shape"),
        ({"mask": np.ones((3, 3), bool)}, "the mask has the shape"),
        ({"fwhm_pix": 0.0}, "above zero"),
        ({"threshold_sigma": -1.0}, "above zero"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    arguments = {"image": np.zeros((50, 50)), "noise": 1.0, "fwhm_pix": 2.0} | change
    with pytest.raises(InputError, match=words):
        find_stars(**arguments)
