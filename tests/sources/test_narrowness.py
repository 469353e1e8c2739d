"""What is narrower than a star in some direction."""

import numpy as np
import pytest

from hst123r.sources.narrowness import narrowness, stacked_psf

SHAPE = (200, 200)
X, Y = (a.ravel() for a in np.meshgrid(np.arange(20.3, 190, 20), np.arange(20.6, 190, 20)))


def looked_at(image, psf, x=X, y=Y, scale=1.0):
    noisy = image + np.random.default_rng(4).standard_normal(image.shape)
    return narrowness(noisy, np.ones(image.shape), x, y, psf, scale)


def test_stars_are_as_wide_as_a_star(light, psf):
    found = looked_at(light(X, Y, np.geomspace(100, 30000, X.size), SHAPE), psf)
    # the lesser of two eigenvalues of noise is below zero more often than above
    assert -1.0 < np.median(found.significance) < 0.0
    assert found.significance.min() > -3.0


def test_hits_are_narrower(psf):
    image = np.zeros(SHAPE)
    for x, y in zip(np.round(X).astype(int), np.round(Y).astype(int), strict=True):
        image[y, x] = 60.0
        image[y, x + 1 : x + 4] = 30.0  # a streak: broad along itself, narrow across
    found = looked_at(image, psf, X + 0.8, Y)
    assert np.mean(found.significance < -3.0) > 0.95


@pytest.mark.parametrize("apart", [1.0, 1.5, 2.5])
def test_pairs_are_not_narrower(light, psf, apart):
    both = light(
        np.append(X - apart / 2, X + apart / 2),
        np.append(Y, Y),
        2000.0 * np.ones(2 * X.size),
        SHAPE,
    )
    assert looked_at(both, psf).significance.min() > -3.0


def test_the_variance_of_a_galaxy_is_told(light, psf, make_psf):
    """One blurred by half a pixel on each axis."""
    blurred = make_psf(sigma=np.hypot(0.9, 0.5))
    found = looked_at(light(X, Y, np.full(X.size, 5000.0), SHAPE, with_psf=blurred), psf)
    assert np.median(found.variance) == pytest.approx(0.25, abs=0.08)
    assert found.significance.min() > -3.0


def test_where_there_is_no_light_nothing_is_said(psf):
    image = np.full(SHAPE, np.nan)
    found = narrowness(image, np.ones(SHAPE), X, Y, psf, 1.0)
    assert np.isnan(found.variance).all()
    assert np.all(found.significance == 0)


def test_pixels_of_half_the_size(light, make_psf, psf):
    """Stars as wide as before in pixels of half the size, which blur them less."""
    fine = make_psf(sigma=np.sqrt(4 * (0.9**2 + 1 / 12) - 1 / 12))
    found = looked_at(light(X, Y, np.full(X.size, 9000.0), SHAPE, with_psf=fine), psf, scale=0.5)
    assert abs(np.median(found.variance)) < 0.05


def test_the_psf_of_a_stack_is_round_and_broader(psf):
    made = stacked_psf(psf)
    assert np.allclose(made.data, made.data.T)
    assert made.data[made.middle, made.middle] < psf.central_fraction
    assert stacked_psf(psf, 2.0).central_fraction < made.central_fraction
