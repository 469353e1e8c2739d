"""Polynomials over a frame."""

import numpy as np
import pytest

from hst123r.photometry.over_frame import Polynomial, order_for

SHAPE = (400, 800)


def places(number, seed=1, right=800.0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, right, number), rng.uniform(0, 400, number)


def test_terms_are_one_at_the_far_corner_and_orthogonal_over_the_frame():
    polynomial = Polynomial(SHAPE, 2)
    assert polynomial.terms([799.0], [399.0]).tolist() == [[1.0] * 6]
    assert polynomial.terms([0.0], [399.0]).tolist() == [[1, -1, 1, 1, -1, 1]]
    x, y = np.meshgrid(np.linspace(0, 799, 201), np.linspace(0, 399, 201))
    terms = polynomial.terms(x.ravel(), y.ravel())
    products = terms.T @ terms / len(terms)
    expected = np.diag([1, 1 / 3, 1 / 3, 1 / 5, 1 / 9, 1 / 5])
    assert products == pytest.approx(expected, abs=0.02)
    assert Polynomial(SHAPE, 1).terms(x.ravel(), y.ravel()) == pytest.approx(terms[:, :3])
    assert Polynomial(SHAPE, 0).terms([5.0, 6.0], [1.0, 2.0]).tolist() == [[1.0], [1.0]]


def test_places_beyond_the_frame_count_as_its_edge():
    polynomial = Polynomial(SHAPE, 2)
    assert polynomial.terms([-50.0], [500.0]) == pytest.approx(polynomial.terms([0.0], [399.0]))


def test_the_order_grows_with_the_number_of_stars():
    assert [order_for(SHAPE, *places(n), 4.0) for n in (0, 1, 8, 60, 300)] == [0, 0, 0, 1, 2]
    # who asks for more certainty gets less freedom
    assert order_for(SHAPE, *places(60), 20.0) == 0


def test_stars_in_one_part_of_the_frame_bear_no_slope():
    x, y = places(500, right=100.0)
    assert order_for(SHAPE, x, y, 4.0) == 0
    line = np.linspace(0, 799, 500)
    assert order_for(SHAPE, line, line / 2, 4.0) == 0
