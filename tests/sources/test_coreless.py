"""Stars whose core is a hole are where their wings say, and only once."""

import numpy as np
import pytest

from hst123r import instruments
from hst123r.optics.telescope import effective_psf
from hst123r.sources.coreless import by_wings, once
from hst123r.sources.wings import Wings

SHAPE = (60, 60)
SCALE_ARCSEC = 0.128


@pytest.fixture(scope="module")
def winged():
    """One with wings."""
    return effective_psf(instruments.get("WFC3/IR"), "F160W", chip=1)


@pytest.fixture
def wings(winged):
    return Wings.of(winged, SCALE_ARCSEC)


def hole(image, middle_x, middle_y):
    """Leave out the core of a star; return the image and weights."""
    y, x = np.indices(SHAPE)
    out = np.hypot(x - middle_x, y - middle_y) < 1.5
    return np.where(out, np.nan, image), np.where(out, 0.0, 1.0)


@pytest.mark.parametrize(("east", "north"), [(1.8, 0.3), (-1.2, -1.6), (0.0, 0.0)])
def test_a_hole_is_left_for_the_middle_of_the_star(light, winged, wings, east, north):
    """Found at the edge of the hole, up to two pixels away; a neighbour's light is around, too."""
    rng = np.random.default_rng(3)
    image = light([30.3, 41.0], [29.6, 30.0], [1e6, 1e4], SHAPE, winged) + rng.standard_normal(
        SHAPE
    )
    image, weight = hole(image, 30.3, 29.6)
    x, y, told = by_wings(
        image, weight, np.array([30.3 + east]), np.array([29.6 + north]), wings, SCALE_ARCSEC
    )
    assert told[0]
    assert np.hypot(x[0] - 30.3, y[0] - 29.6) < 0.25


def test_a_place_without_light_around_it_is_left_alone(wings):
    x, y, told = by_wings(
        np.full(SHAPE, -1.0), np.ones(SHAPE), np.array([12.0, 59.0]), np.array([3.0, 0.0]), wings,
        SCALE_ARCSEC,
    )  # fmt: skip
    assert (list(x), list(y)) == ([12.0, 59.0], [3.0, 0.0])
    assert not told.any()
    none = by_wings(np.ones(SHAPE), np.ones(SHAPE), np.zeros(0), np.zeros(0), wings, SCALE_ARCSEC)
    assert [values.size for values in none] == [0, 0, 0]


def test_a_star_whose_wings_are_lost_in_the_noise_keeps_its_place(light, winged, wings):
    rng = np.random.default_rng(4)
    image = light([30.0], [30.0], [60.0], SHAPE, winged) + rng.standard_normal(SHAPE)
    image, weight = hole(image, 30.0, 30.0)
    x, y, told = by_wings(image, weight, np.array([31.5]), np.array([30.0]), wings, SCALE_ARCSEC)
    assert not told[0]
    assert (x[0], y[0]) == (31.5, 30.0)


def test_edges_of_one_hole_are_one_source():
    x = np.array([10.0, 10.5, 30.0, 10.2, 11.9])
    coreless = np.array([True, True, True, False, True])
    # the fourth has a core: a star beside the hole; the fifth is near to what is not kept, only
    assert list(once(x, np.zeros(5), coreless, 1.5)) == [True, False, True, True, True]
