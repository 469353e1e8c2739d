from __future__ import annotations

import numpy as np
import pytest

from hst123r.photometry import outliers
from hst123r.photometry.design import Design


@pytest.fixture
def design(make_frame):
    frame = make_frame([30.0], [40.0], [0.0])
    return Design.build(frame, np.array([30.0, 60.0]), np.array([40.0, 40.0]), 4.0)


def at(design, x, y):
    return int(np.flatnonzero((design.column == x) & (design.row == y))[0])


def test_the_worst_come_first(design):
    significance = np.zeros(design.pixels.size)
    first, second, other = at(design, 30, 40), at(design, 33, 40), at(design, 60, 41)
    significance[[first, second, other]] = [100.0, -20.0, 6.0]
    none = np.zeros(significance.size, bool)
    out = outliers.find(design, significance, none, 5.0)
    assert out[first]
    assert not out[second]
    assert out[other]
    # once the worst is out the next one's turn has come
    out = outliers.find(design, significance, out, 5.0)
    assert out[first]
    assert out[second]


def test_pixels_come_back(design):
    significance = np.zeros(design.pixels.size)
    already = np.ones(significance.size, bool)
    assert not outliers.find(design, significance, already, 5.0).any()


def test_what_lies_around_a_hit_goes_too(design):
    significance = np.full(design.pixels.size, 0.5)
    hit, beside, apart = at(design, 30, 40), at(design, 31, 41), at(design, 28, 38)
    significance[[hit, beside, apart]] = [50.0, 2.5, 2.5]
    out = outliers.find(design, significance, np.zeros(significance.size, bool), 5.0)
    assert out[hit]
    assert out[beside]
    assert not out[apart]
    # a dark pixel has no edges
    significance[hit] = -50.0
    out = outliers.find(design, significance, np.zeros(significance.size, bool), 5.0)
    assert out[hit]
    assert not out[beside]


def test_the_error_of_the_psf_is_measured():
    rng = np.random.default_rng(1)
    light = rng.uniform(1e4, 1e5, 2000)
    residual = rng.normal(0, np.hypot(0.05 * light, np.sqrt(light)))
    assert outliers.measured_model_error(residual, light, light) == pytest.approx(0.05, rel=0.1)


def test_without_bright_stars_it_is_unknown():
    few = np.full(10, 1e5)
    assert outliers.measured_model_error(few, few, few) == outliers.UNKNOWN_MODEL_ERROR
    faint = np.full(1000, 5.0)
    assert outliers.measured_model_error(faint, faint, faint) == outliers.UNKNOWN_MODEL_ERROR


def test_it_has_limits():
    light = np.full(100, 1e6)
    assert outliers.measured_model_error(0 * light, light, light) == 0.01
    assert outliers.measured_model_error(light, light, light) == 0.3
