from __future__ import annotations

import numpy as np
import pytest

from hst123r.algorithms.transform import PlaneTransform, fit
from hst123r.records.geometry import PARAMETERS


def points(seed=1, count=60):
    return np.random.default_rng(seed).uniform(-50, 50, (count, 2)) + np.array([300.0, -200.0])


def turned(angle_deg, scale=1.0):
    a = np.radians(angle_deg)
    return scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


CASES = {
    "shift": np.eye(2),
    "rshift": turned(0.3),
    "rscale": turned(-0.2, 1.0007),
    "general": np.array([[1.001, 0.002], [-0.0005, 0.9985]]),
}


@pytest.mark.parametrize("geometry", PARAMETERS)
def test_exact_pairs_give_the_exact_transformation(geometry):
    first = points()
    second = first @ CASES[geometry].T + [0.3, -0.7]
    found = fit(first, second, np.ones(len(first)), geometry)
    assert found.transform(first) == pytest.approx(second, abs=1e-9)
    assert found.transform.matrix == pytest.approx(CASES[geometry], abs=1e-12)
    assert found.chi2 < 1e-15


@pytest.mark.parametrize("geometry", PARAMETERS)
def test_errors_are_those_of_repeated_fits(geometry):
    pulls = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        first = points(seed, 30)
        sigma = rng.uniform(0.005, 0.02, 30)
        second = (
            first @ CASES[geometry].T + [0.3, -0.7] + sigma[:, None] * rng.standard_normal((30, 2))
        )
        found = fit(first, second, sigma**-2.0, geometry)
        t = found.transform
        origin = t.origin @ CASES[geometry].T + [0.3, -0.7]
        pull = list((t(t.origin[None])[0] - origin) / found.shift_error)
        truth = PlaneTransform(CASES[geometry], np.zeros(2), np.zeros(2))
        if found.rotation_error_deg:
            pull.append((t.rotation_deg - truth.rotation_deg) / found.rotation_error_deg)
        if found.scale_error:
            pull.append((t.scale - truth.scale) / found.scale_error)
        pulls.append(pull)
    assert np.std(pulls, axis=0) == pytest.approx(1.0, abs=0.15)
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.2


def test_there_and_back():
    transform = PlaneTransform(CASES["general"], np.array([1.0, 2.0]), np.array([300.0, -200.0]))
    assert transform.inverse(transform(points())) == pytest.approx(points(), abs=1e-9)
    assert PlaneTransform.identity()(points()) == pytest.approx(points())


def test_rotation_and_scale():
    transform = PlaneTransform(turned(12.0, 1.01), np.zeros(2), np.zeros(2))
    assert transform.rotation_deg == pytest.approx(12.0)
    assert transform.scale == pytest.approx(1.01)


def test_weights_count():
    first = np.array([[0.0, 0.0], [1.0, 0.0]])
    second = np.add(first, [[0.0, 0.0], [3.0, 0.0]])
    assert fit(first, second, np.array([2.0, 1.0]), "shift").transform.shift == pytest.approx(
        [1, 0]
    )
