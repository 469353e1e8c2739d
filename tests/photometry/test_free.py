from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hst123r.photometry.flags import Flag
from hst123r.photometry.free import free
from hst123r.photometry.sky import Background


def sky_of(frame):
    return Background.flat(50.0, frame.shape)


def test_without_noise_places_are_exact(make_frame, grid):
    x, y = grid()
    rng = np.random.default_rng(2)
    flux = 10 ** rng.uniform(3, 5, x.size)
    frame = make_frame(x, y, flux, seed=None)
    stars = free(
        frame, x + rng.normal(0, 0.25, x.size), y + rng.normal(0, 0.25, x.size), sky_of(frame)
    )
    assert np.abs(stars.x - x).max() < 0.002
    assert np.abs(stars.y - y).max() < 0.002
    assert stars.fluxes.flux == pytest.approx(flux, rel=1e-3)
    assert np.all(stars.fluxes.flags == 0)


def test_errors_are_those_of_repeated_exposures(make_frame, grid):
    x, y = grid(20.0)
    rng = np.random.default_rng(3)
    pull = []
    for seed in range(30):
        frame = make_frame(x, y, np.full(x.size, 1500.0), seed=seed)
        start = rng.normal(0, 0.15, (2, x.size))
        stars = free(frame, x + start[0], y + start[1], sky_of(frame))
        pull.append(
            [
                (stars.x - x) / stars.x_error,
                (stars.y - y) / stars.y_error,
                (stars.fluxes.flux - 1500.0) / stars.fluxes.error,
                stars.sharpness / stars.sharpness_error,
            ]
        )
    pulls = np.swapaxes(np.array(pull), 0, 1).reshape(4, -1)
    assert np.abs(pulls.mean(axis=1)).max() < 0.12
    assert pulls.std(axis=1) == pytest.approx(1.0, abs=0.08)


def test_close_neighbours(make_frame):
    x, y, flux = np.array([60.0, 62.6]), np.array([60.0, 61.0]), [20_000.0, 8_000.0]
    frame = make_frame(x, y, flux, seed=1)
    stars = free(frame, x + np.array([0.2, -0.2]), y + np.array([-0.1, 0.15]), sky_of(frame))
    assert np.abs((stars.fluxes.flux - flux) / stars.fluxes.error).max() < 4
    assert np.hypot(stars.x - x, stars.y - y).max() < 0.05


def test_a_place_without_a_star_keeps_near(make_frame):
    frame = make_frame([60.0], [60.0], [0.0], seed=7)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(15, 100, 25), rng.uniform(15, 100, 25)
    stars = free(frame, x, y, sky_of(frame))
    assert np.hypot(stars.x - x, stars.y - y).max() <= 1.5
    assert not stars.looks_like_star().any()


def test_a_star_that_runs_away_is_put_back(make_frame):
    frame = make_frame([60.0], [60.0], [50_000.0], seed=1)
    stars = free(frame, [61.3], [60.0], sky_of(frame), longest_pix=1.0)
    assert stars.fluxes.flags[0] & Flag.MOVED
    assert stars.x[0] == 61.3


def test_sharpness_tells_stars_from_others(make_frame, grid):
    x, y = grid(20.0)
    frame = make_frame(x, y, np.full(x.size, 3000.0), seed=5)
    frame.data[...] -= 50
    column, row = np.round(x).astype(int), np.round(y).astype(int)
    # the first becomes a hot pixel, the second a galaxy
    for k in (0, 1):
        frame.data[row[k] - 8 : row[k] + 9, column[k] - 8 : column[k] + 9] = 0
    frame.data[row[0], column[0]] = 3000
    blob = np.zeros((17, 17))
    blob[8, 8] = 6000
    frame.data[row[1] - 8 : row[1] + 9, column[1] - 8 : column[1] + 9] = ndimage.gaussian_filter(
        blob, 1.6
    )
    stars = free(
        frame, column.astype(float), row.astype(float), Background.flat(0.0, frame.shape, 8.0)
    )
    assert stars.sharpness[0] < -0.3
    assert stars.sharpness[1] > 0.5
    assert np.abs(stars.sharpness[2:]).max() < 0.1
    assert stars.looks_like_star()[2:].all()
    assert not stars.looks_like_star()[:2].any()


def test_no_stars_and_no_pixels(make_frame):
    frame = make_frame([60.0], [60.0], [5000.0])
    assert free(frame, [], [], sky_of(frame)).x.shape == (0,)
    stars = free(frame, [-90.0, 60.0], [60.0, 60.0], sky_of(frame))
    assert np.isnan([stars.fluxes.flux[0], stars.x_error[0]]).all()
    assert stars.fluxes.flags[0] & Flag.NO_PIXELS
    assert np.isfinite(stars.fluxes.flux[1])
