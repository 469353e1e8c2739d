"""Cosmic rays: the same pixels as AstroDrizzle's own functions, bit for bit."""

import importlib
import warnings

import numpy as np
import pytest
from scipy.signal import convolve2d

from hst123r.algorithms.rejection import (
    Noise,
    Thresholds,
    derivative,
    minimum_or_median,
    without_cosmic_rays,
)

SHAPE = (170, 210)


def import_quietly(name):
    """Import a module of drizzlepac, whose own imports warn of each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def exposures(number, rng):
    """Return images with hits, weights with bad and empty pixels, and their noises."""
    hits = [(rng.random(SHAPE) < 0.05) * rng.exponential(3, SHAPE) for _ in range(number)]
    images = [(rng.normal(0.05, 0.03, SHAPE) + hit).astype("f4") for hit in hits]
    chosen = {"a": [0, 0.1, 1, 1.2], "size": SHAPE, "p": [0.1, 0.1, 0.5, 0.3]}
    weights = [(400 * rng.choice(**chosen)).astype("f4") for _ in range(number)]
    for weight in weights:
        weight[120:150] = 0
    noises = [Noise(5.0 + k / 10, 400.0 + k, 20.0 - k) for k in range(number)]
    return images, weights, noises


@pytest.mark.parametrize("number", [2, 3, 5])
@pytest.mark.parametrize("grow", [0, 1, 2])
def test_the_minimum_stands_in_for_the_median_as_in_astrodrizzle(number, grow):
    num_combine = import_quietly("stsci.image.numcombine").num_combine
    min_med = import_quietly("drizzlepac.minmed").min_med
    images, weights, noises = exposures(number, np.random.default_rng(number + 10 * grow))
    least = [60.0] * number
    masks = np.stack(weights) < 60
    few = number == 2

    def median(some, masks):
        kind = "mean" if few else "median"
        with np.errstate(invalid="ignore"):
            return num_combine(
                some, masks=masks, combination_type=kind, nlow=0, nhigh=0 if few else 1,
                lower=None, upper=None,
            )  # fmt: skip

    found = minimum_or_median(images, weights, least, noises, median, grow=grow, nsigma=(4.0, 3.0))
    with np.errstate(invalid="ignore"):
        theirs = min_med(
            np.stack(images), np.stack(weights), [n.readnoise for n in noises],
            [n.exposure_time for n in noises], [n.background for n in noises],
            weight_masks=masks.astype("u1"), combine_grow=grow, combine_nsigma1=4,
            combine_nsigma2=3,
        )  # fmt: skip
    assert np.array_equal(found, theirs)
    assert (found != median(np.stack(images), masks)).mean() > 0.005


def test_the_derivative_is_that_of_astrodrizzle():
    qderiv = import_quietly("drizzlepac.quickDeriv").qderiv
    model = np.random.default_rng(0).normal(0, 5, SHAPE).astype("f4")
    assert np.array_equal(derivative(model), qderiv(model))


@pytest.mark.parametrize(("grow", "tail", "way"), [(1, 0, 0), (3, 0, 1), (1, 4, 1), (2, 3, -1)])
def test_cosmic_rays_are_those_of_the_rules(grow, tail, way):
    """The two thresholds, the box and the tail, as the handbook states them, by convolutions."""
    rng = np.random.default_rng(5)
    model = rng.normal(100, 30, SHAPE).astype("f4")
    image = (model + rng.normal(0, 12, SHAPE) + (rng.random(SHAPE) < 0.03) * 300).astype("f4")
    thresholds = Thresholds((3.5, 3.0), (1.2, 0.7), grow, tail, way)
    found = without_cosmic_rays(image, model, 25.0, 5.0, thresholds)

    away, steep = np.abs(image - model), derivative(model)
    sigma = np.sqrt(np.abs(model + 25.0) + 25.0)
    alone = away <= 1.2 * steep + 3.5 * sigma
    around = convolve2d(alone, np.ones((3, 3), "u2"), boundary="symm", mode="same")
    good = (away <= 0.7 * steep + 3.0 * sigma) | (around >= 9)
    box = convolve2d(good, np.ones((grow, grow), "u2"), boundary="symm", mode="same")
    expected = box >= grow**2
    if tail:
        kernel = np.zeros((2 * tail + 1,) * 2)
        kernel[slice(0, tail) if way == 1 else slice(tail + 1, None), tail] = 1
        expected &= convolve2d(good, kernel, boundary="symm", mode="same") >= tail
    assert 0.01 < (~found).mean() < 0.6
    assert (found != expected).sum() <= 1


def test_a_detector_without_tails_is_not_flagged_everywhere():
    model = np.full(SHAPE, 50, "f4")
    thresholds = Thresholds((3.5, 3.0), (1.2, 0.7), 1, 5, 0)
    assert without_cosmic_rays(model, model, 0.0, 5.0, thresholds).all()
