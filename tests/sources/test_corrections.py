"""One correction for all chips, and the pairs that check it."""

import numpy as np
import pytest

from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.algorithms.transform import PlaneTransform
from hst123r.sources.alignment import Pairing
from hst123r.sources.corrections import correct, fit_pairs

SHAPE = (1000, 1000)
CENTRE = (150.001, 2.002)


def turned(angle_deg, scale=1.0):
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return PlaneTransform(
        scale * np.array([[c, -s], [s, c]]), np.array([0.3, -0.2]), np.array([5.0, 7.0])
    )


def on_plane(wcs, x, y):
    return np.stack(to_tangent_plane(*wcs.all_pix2world(x, y, 0), *CENTRE), axis=1)


@pytest.mark.parametrize("angle_deg", [0.0, 0.01, -0.5])
def test_every_chip_moves_as_the_plane_does(make_wcs, angle_deg):
    chips = {1: make_wcs(SHAPE), 2: make_wcs(SHAPE, dx=40, dy=-1020)}
    for wcs in chips.values():
        wcs.pixel_shape = SHAPE
    transform = turned(angle_deg, 1.0001)
    new = correct(chips, transform, CENTRE)
    x, y = np.random.default_rng(0).uniform(0, 1000, (2, 50))
    for version, wcs in chips.items():
        wanted = transform(on_plane(wcs, x, y))
        # a straight line on one tangent plane is one on another to 1e-4 pixel
        assert np.abs(on_plane(new[version], x, y) - wanted).max() < 1e-4 * 0.05


def test_no_correction_is_none(make_wcs):
    wcs = make_wcs(SHAPE)
    wcs.pixel_shape = SHAPE
    new = correct({1: wcs}, PlaneTransform.identity(), CENTRE)[1]
    x, y = np.random.default_rng(0).uniform(0, 1000, (2, 50))
    back = np.array(new.all_world2pix(*wcs.all_pix2world(x, y, 0), 0))
    assert np.abs(back - [x, y]).max() < 1e-6
    assert new is not wcs


def pairing(count, noise=0.001, seed=2):
    rng = np.random.default_rng(seed)
    star = rng.uniform(-20, 20, (count, 2))
    reference = turned(0.01)(star) + rng.normal(0, noise, (count, 2))
    return Pairing(CENTRE, star, reference, np.full(count, noise))


@pytest.mark.parametrize(("count", "check"), [(12, 0), (30, 0), (31, 6), (200, 40)])
def test_a_fifth_of_many_pairs_checks_the_fit_and_always_the_same(count, check):
    pairs = pairing(count)
    found = fit_pairs(pairs, "rscale", 0.0)
    assert (found.check.size, found.fitted) == (check, count - check)
    assert np.array_equal(found.check, fit_pairs(pairs, "rscale", 0.0).check)


def test_pairs_that_check_do_not_touch_the_fit():
    pairs = pairing(100)
    found = fit_pairs(pairs, "rscale", 0.0)
    pairs.reference[found.check] += 5.0
    again = fit_pairs(pairs, "rscale", 0.0)
    assert np.array_equal(found.transform.matrix, again.transform.matrix)
    assert np.array_equal(found.transform.shift, again.transform.shift)


@pytest.mark.parametrize("geometry", ["rshift", "rscale", "general"])
def test_the_transformation_is_found(geometry):
    found = fit_pairs(pairing(100, noise=1e-6), geometry, 0.0)
    assert found.transform.rotation_deg == pytest.approx(0.01, abs=1e-5)
    assert found.transform.scale == pytest.approx(1.0, abs=1e-6)


def test_a_few_very_bright_stars_do_not_decide_alone():
    """One star with a small error and a place that is wrong by more than that."""
    pairs = pairing(20, noise=0.001)
    pairs.error_arcsec[0] = 1e-6
    pairs.reference[0] += 0.01
    wrong = fit_pairs(pairs, "shift", 0.0).transform(pairs.star) - pairs.reference
    right = fit_pairs(pairs, "shift", 0.005).transform(pairs.star) - pairs.reference
    assert np.hypot(*np.median(wrong, axis=0)) > 0.005
    assert np.hypot(*np.median(right, axis=0)) < 0.003
