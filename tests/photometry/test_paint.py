from __future__ import annotations

import numpy as np
import pytest

from hst123r.photometry.paint import paint


def test_all_the_light_is_there(psf):
    image = paint((100, 100), psf, [50.3], [49.6], [1e4], noise=0.0)
    assert image.sum() == pytest.approx(1e4, rel=1e-4)
    assert np.unravel_index(np.argmax(image), image.shape) == (50, 50)


def test_what_is_left_out_is_far_below_the_noise(psf):
    x, y = np.array([50.3, 20.0]), np.array([49.6, 80.2])
    whole = paint((100, 100), psf, x, y, [1e4, 30.0], noise=0.0)
    quick = paint((100, 100), psf, x, y, [1e4, 30.0], noise=5.0)
    assert np.abs(whole - quick).max() < 0.05


def test_core_and_wings_make_the_whole(psf):
    image = paint((100, 100), psf, [50.3], [49.6], [1e4], noise=0.0)
    wings = paint((100, 100), psf, [50.3], [49.6], [1e4], noise=0.0, beyond_pix=3.0)
    y, x = np.mgrid[:100, :100]
    near = (x - 50.3) ** 2 + (y - 49.6) ** 2 <= 9.0
    assert np.all(wings[near] == 0)
    # this PSF is steep there; what is painted quickly is right to less than 1e-4 of the star
    assert wings[~near] == pytest.approx(image[~near], abs=0.5)
    assert wings.sum() == pytest.approx(image[~near].sum(), rel=0.05)


def test_stars_off_the_frame_and_without_light(psf):
    x, y = [-2.0, 40.0, np.nan, 1e9, 5.0], [50.0, 102.0, 3.0, 4.0, np.nan]
    image = paint((100, 100), psf, x, y, [1e4, np.nan, 1.0, 1e4, 1e4], noise=0.0)
    assert 0 < image.sum() < 1e4
    assert np.isfinite(image).all()


def test_negative_light_is_painted(psf):
    assert paint((50, 50), psf, [25.0], [25.0], [-100.0], noise=0.0).min() < -10
