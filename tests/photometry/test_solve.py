from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from hst123r.photometry.solve import normal_matrix, solve, star_covariances


def design_of(groups, kinds=1, seed=1):
    """A design whose stars overlap within groups: rows of each group share pixels."""
    rng = np.random.default_rng(seed)
    stars, pixels = sum(groups), 12 * sum(groups)
    dense = np.zeros((kinds, stars, pixels))
    star = 0
    for size in groups:
        for k in range(size):
            first = 12 * star
            dense[:, star, first : first + 12] = rng.normal(1, 0.4, (kinds, 12))
            if k:
                dense[:, star, first - 3 : first] = rng.normal(0.3, 0.1, (kinds, 3))
            star += 1
    return sparse.csr_matrix(dense.reshape(kinds * stars, pixels)), rng.uniform(0.5, 2, pixels)


@pytest.mark.parametrize("kinds", [1, 3])
def test_covariances_of_groups_are_exact(kinds):
    design, weight = design_of([1, 1, 2, 5, 3, 1, 32], kinds)
    normal = normal_matrix(design, weight)
    inverse = np.linalg.inv(normal.toarray())
    found = star_covariances(normal, kinds)
    stars = normal.shape[0] // kinds
    for star in range(stars):
        rows = star + stars * np.arange(kinds)
        assert found[star] == pytest.approx(inverse[np.ix_(rows, rows)], rel=1e-8)


def test_covariances_of_a_large_group_are_close():
    design, weight = design_of([60])
    normal = normal_matrix(design, weight)
    exact = np.diag(np.linalg.inv(normal.toarray()))
    assert star_covariances(normal, 1)[:, 0, 0] == pytest.approx(exact, rel=0.02)


def test_solution():
    design, weight = design_of([4, 3])
    truth = np.arange(1.0, 8.0)
    data = design.T @ truth
    assert solve(normal_matrix(design, weight), design @ (weight * data)) == pytest.approx(
        truth, rel=1e-6
    )


def test_two_stars_at_one_place_and_one_without_pixels():
    row = np.array([1.0, 2.0, 1.0, 0.0])
    design = sparse.csr_matrix(np.stack([row, row, np.zeros(4)]))
    normal = normal_matrix(design, np.ones(4))
    flux = solve(normal, design @ (7.0 * row))
    assert flux[0] + flux[1] == pytest.approx(7.0, rel=1e-6)
    assert flux[2] == 0.0
    assert np.isfinite(star_covariances(normal, 1)).all()


def test_no_stars():
    assert star_covariances(sparse.csr_matrix((0, 0)), 3).shape == (0, 3, 3)
