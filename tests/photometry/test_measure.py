from __future__ import annotations

import numpy as np
import pytest

from hst123r.photometry.measure import measure, model_image


def test_sky_and_stars_are_found_together(make_frame, grid):
    shape = (300, 300)
    x, y = grid(15.0, shape)
    rng = np.random.default_rng(1)
    flux = 10 ** rng.uniform(1.5, 5, x.size)
    sky, pull = [], []
    for seed in range(5):
        frame = make_frame(x, y, flux, shape=shape, seed=seed)
        measured = measure(frame, x, y)
        sky.append(measured.background.sky.mean() - 50.0)
        pull.append((measured.fluxes.flux - flux) / measured.fluxes.error)
    # a hundredth of the noise of a pixel, which is 8.1 electrons
    assert abs(np.mean(sky)) < 0.08
    assert abs(np.mean(pull)) < 0.1
    assert np.std(pull) == pytest.approx(1.0, abs=0.06)


def test_a_crowded_frame_still_has_a_sky(make_frame):
    shape = (120, 130)
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 130, 900), rng.uniform(0, 120, 900)
    frame = make_frame(x, y, 10 ** rng.uniform(2, 3.5, 900), shape=shape, seed=1)
    measured = measure(frame, x, y)
    assert measured.background.sky.mean() == pytest.approx(50.0, abs=8.0)
    assert np.isfinite(measured.fluxes.error).all()


def test_the_model_is_the_frame_without_noise(make_frame, grid):
    x, y = grid()
    flux = np.full(x.size, 4000.0)
    frame = make_frame(x, y, flux, seed=None, area=1.05)
    measured = measure(frame, x, y)
    residual = frame.data - measured.background.sky - model_image(frame, measured.fluxes)
    assert np.abs(residual).max() < 1.0


def test_no_stars(make_frame):
    frame = make_frame([60.0], [60.0], [0.0])
    measured = measure(frame, [], [])
    assert measured.fluxes.flux.size == 0
    assert measured.background.sky.mean() == pytest.approx(50.0, abs=0.3)
