"""What bright stars put around themselves is no source."""

import numpy as np
import pytest
from scipy.special import erf

from hst123r.algorithms.detection import find_stars
from hst123r.sources.wings import Wings, stands_out, without_core

SHAPE = (160, 160)


@pytest.fixture
def wings(psf):
    return Wings.of(psf, 0.05)


def test_the_core_holds_what_the_closed_form_says(wings):
    """Light within 1.5 pixels of a Gaussian of 0.9, widened by the pixel."""
    sigma = np.sqrt(0.9**2 + 1 / 12)
    inside = 1 - np.exp(-(1.5**2) / (2 * sigma**2))
    assert wings.core_fraction == pytest.approx(inside, rel=0.02)
    assert wings.core_arcsec == pytest.approx(0.075)


def test_levels_are_surface_brightness_of_a_star_of_one(wings):
    centre = (erf(0.5 / (np.sqrt(2) * 0.9))) ** 2 / 0.05**2
    assert wings.bump(np.array([0.0]))[0] == pytest.approx(centre, rel=0.01)
    # sum of the mean level over the plane is all the light
    radius = np.arange(0, 0.5, 1e-4)
    total = np.sum(wings.level(radius) * 2 * np.pi * radius) * 1e-4
    assert total == pytest.approx(1.0, rel=0.05)


def test_what_is_further_away_is_never_brighter(wings):
    distance = np.linspace(0, 2 * wings.reach_arcsec, 500)
    assert np.all(np.diff(wings.bump(distance)) <= 0)
    assert np.all(wings.level(distance) <= wings.bump(distance) * (1 + 1e-9))


@pytest.fixture
def judge(light, psf):
    """Find stars in an image with two PSFs' light and return those that stand out."""
    wings = Wings.of(psf, 0.05)

    def call(x, y, flux, bumps=(), weight=None, full=1e9):
        rng = np.random.default_rng(2)
        image = light(x, y, flux, SHAPE) + rng.standard_normal(SHAPE)
        for row, column, value in bumps:
            image += light([column], [row], [value], SHAPE)
        weight = np.ones(SHAPE) if weight is None else weight
        found = find_stars(image, 1.0, psf.fwhm_pix, 5.0)
        real = stands_out(found, image.astype("f4"), weight, wings, 0.05, full)
        kept = found.where(np.flatnonzero(real))
        return {(round(float(a)), round(float(b))) for a, b in zip(kept.x, kept.y, strict=True)}

    return call


def test_a_star_in_the_wing_of_a_bright_one_must_stand_above_it(judge):
    """Four pixels from a star of a million the wing is a hundred times the noise."""
    far = judge([40.0, 120.0], [80.0, 80.0], [1e6, 200.0])
    assert (120, 80) in far
    assert (40, 80) in far
    near = judge([40.0, 43.0], [80.0, 80.0], [1e6, 900.0])
    assert (43, 80) not in near
    clear = judge([40.0, 45.0], [80.0, 80.0], [1e6, 5e4])
    assert (45, 80) in clear


def test_the_brightness_of_a_star_without_a_core_is_told_by_its_wings(judge):
    """A hole in the weights at the core: the star is as bright as its wings say."""
    weight = np.ones(SHAPE)
    weight[78:83, 38:43] = 0.1
    found = judge([40.0, 43.0], [80.0, 80.0], [1e6, 900.0], weight=weight)
    assert (43, 80) not in found
    assert (40, 80) in found


def test_a_pattern_that_drizzle_left_in_the_weights_is_no_hole(light, psf):
    """One exposure on pixels of half the size: every other weight is three times as large."""
    weight = np.where(np.indices(SHAPE).sum(axis=0) % 2, 0.5, 1.5)
    image = light([40.0, 100.0], [80.0, 80.0], [1e4, 1e4], SHAPE)
    found = find_stars(image, 1.0, psf.fwhm_pix, 5.0)
    found = found.where(np.flatnonzero(found.peak > 100))
    wide = Wings.of(psf, 0.1)
    assert found.x.size == 2
    assert not without_core(found, weight, wide, 0.05).any()
    weight[78:83, 38:43] = 0.0
    assert list(without_core(found, weight, wide, 0.05)) == [round(x) == 40 for x in found.x]
