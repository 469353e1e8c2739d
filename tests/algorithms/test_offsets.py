from __future__ import annotations

import numpy as np
import pytest

from hst123r.algorithms import offsets


def test_near_pairs_are_all_pairs():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0, 10, (40, 2)), rng.uniform(0, 10, (50, 2))
    i, j = offsets.near_pairs(first, second, 2.0)
    away = np.hypot(*(first[:, None] - second).transpose(2, 0, 1))
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == set(
        zip(*(rows.tolist() for rows in np.nonzero(away <= 2.0)), strict=True)
    )


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(offsets, "MOST_PAIRS", 500)
    points = np.random.default_rng(1).uniform(0, 10, (400, 2))
    i, j = offsets.near_pairs(points, points, 5.0)
    assert 50 < i.size <= 600
    assert max(i.max(), j.max()) < 60  # the first points are the ones that are kept


def test_the_peak_is_where_the_offset_is():
    rng = np.random.default_rng(2)
    first = rng.uniform(-50, 50, (200, 2))
    second = np.add(first, [0.61, -0.37]) + rng.normal(0, 0.02, first.shape)
    peak = offsets.find_peak(first, second, 2.0, 0.1)
    assert peak.offset == pytest.approx([0.61, -0.37], abs=0.03)
    assert peak.chance < 1e-12
    assert peak.rival > 1e-3


def test_two_offsets_are_rivals():
    rng = np.random.default_rng(3)
    first = rng.uniform(-50, 50, (200, 2))
    second = np.concatenate([np.add(first, [0.9, 0.0]), np.add(first, [-0.9, 0.0])])
    assert offsets.find_peak(first, second, 2.0, 0.1).rival < 1e-9


def test_no_pairs_no_peak():
    assert offsets.find_peak(np.zeros((3, 2)), np.full((3, 2), 99.0), 1.0, 0.1) is None
