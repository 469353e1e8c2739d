"""Galaxies as landmarks, beside stars, cosmic rays and bad pixels."""

from dataclasses import replace

import numpy as np
import pytest

from hst123r.photometry.sky import estimate_sky
from hst123r.sources.galaxies import FLOOR_PIX, measure_extended
from hst123r.sources.stars import find_chip_stars

OPTIONS = {"threshold_sigma": 5.0, "min_snr": 10.0, "brightest": 500, "fit_radius_pix": 3.0}


@pytest.fixture(scope="module")
def galaxies(make_frame, make_psf, light):
    """Return a frame with twelve galaxies, four stars and five cosmic rays, and their places."""
    rng = np.random.default_rng(7)
    grid = np.stack(np.meshgrid(np.arange(20, 120, 28), np.arange(20, 100, 28)), -1).reshape(-1, 2)
    x, y = (grid + rng.uniform(-0.5, 0.5, grid.shape)).T
    star_x, star_y = np.array([34.2, 62.4, 90.1, 34.6]), np.array([34.3, 62.2, 34.4, 62.7])
    spots = [(62, column, 4000.0) for column in (10, 48, 76, 104, 118)]
    frame = make_frame(star_x, star_y, np.full(4, 8000.0), spots=spots)
    wide = light(x, y, np.full(x.size, 9000.0), frame.shape, make_psf(sigma=1.8, half=20))
    # an interpolated PSF is a little below zero far out
    wide = np.maximum(wide, 0)
    frame.data[:] += wide + np.sqrt(wide) * rng.normal(0, 1, wide.shape)
    return frame, (x, y), (star_x, star_y), spots


def nearest(found, x, y):
    away = np.hypot(found.x - np.asarray(x)[:, None], found.y - np.asarray(y)[:, None])
    return away.min(axis=1), away.argmin(axis=1)


def test_they_are_taken_only_where_they_are_wanted(galaxies):
    frame, (x, y), (star_x, star_y), spots = galaxies
    few = find_chip_stars(frame, **OPTIONS)
    assert nearest(few, x, y)[0].min() > 1.5
    every = find_chip_stars(frame, **OPTIONS, extended=True)
    assert np.count_nonzero(nearest(every, x, y)[0] < 0.5) >= 11
    assert nearest(every, star_x, star_y)[0].max() < 0.1
    assert nearest(every, [s[1] for s in spots], [s[0] for s in spots])[0].min() > 1.5


def test_their_errors_are_larger_and_honest(galaxies):
    frame, (x, y), (star_x, star_y), _ = galaxies
    found = find_chip_stars(frame, **OPTIONS, extended=True)
    away, row = nearest(found, x, y)
    seen = away < 1.0
    error = found.error_pix[row[seen]]
    assert error.min() >= FLOOR_PIX
    assert error.min() > found.error_pix[nearest(found, star_x, star_y)[1]].max()
    # mean square of a distance is twice the variance along an axis
    assert np.mean(away[seen] ** 2 / (2 * error**2)) < 1.6


def test_a_centroid_on_bad_pixels_is_not_used(galaxies):
    frame, (x, y), _, _ = galaxies
    sky = estimate_sky(frame.data, frame.bad).sky
    assert measure_extended(frame, sky, x, y).usable.all()
    spoiled = frame.mask.copy()
    column, row = round(x[0]), round(y[0])
    spoiled[row - 1 : row + 2, column - 1 : column + 2] = True
    usable = measure_extended(replace(frame, mask=spoiled), sky, x, y).usable
    assert not usable[0]
    assert usable[1:].all()


def test_no_sources_at_all(galaxies):
    frame = galaxies[0]
    nothing = measure_extended(frame, np.zeros(frame.shape), np.zeros(0), np.zeros(0))
    assert nothing.x.size == nothing.flux.size == 0
