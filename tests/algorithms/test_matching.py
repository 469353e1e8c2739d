from __future__ import annotations

import numpy as np
import pytest

from hst123r.algorithms.matching import Match, MatchOptions, NoMatch, Reason, match


def field(rng, count, size=100.0):
    return rng.uniform(-size / 2, size / 2, (count, 2))


def pair(rng, count, *, share=0.8, rotation=0.02, shift=0.6, noise=0.005, false=1.0):
    """Two lists of the same stars, some missing, as many false ones again, and the truth."""
    stars = field(rng, count)
    angle, scale = np.radians(rng.normal(0, rotation)), 1 + rng.normal(0, 1e-4)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    move = rng.uniform(-shift, shift, 2)
    lists = []
    for places in (stars, stars @ matrix.T + move):
        kept = places[rng.random(count) < share]
        noisy = kept + rng.normal(0, noise, kept.shape)
        lists.append(np.concatenate([noisy, field(rng, int(false * count))]))
    return *lists, matrix, move


def test_true_matches_are_found_and_right():
    pulls = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        first, second, matrix, move = pair(rng, int(10 ** rng.uniform(1.6, 3)))
        result = match(first, second)
        assert isinstance(result, Match), (seed, result)
        probe = np.array([[0.0, 0.0], [40.0, 40.0], [-40.0, 30.0]])
        assert np.abs(result.transform(probe) - (probe @ matrix.T + move)).max() < 0.02
        origin = result.transform.origin
        pulls.append(
            (result.transform(origin[None])[0] - (matrix @ origin + move)) / result.shift_error
        )
        assert result.rms == pytest.approx(0.005 * np.sqrt(2), rel=0.5)
        assert np.unique(result.first).size == np.unique(result.second).size == result.pairs
    assert np.std(pulls) == pytest.approx(1.0, abs=0.25)


def test_random_catalogues_are_never_matched():
    for seed in range(200):
        rng = np.random.default_rng([7, seed])
        sizes = (10 ** rng.uniform(1, 3, 2)).astype(int)
        first, second = field(rng, sizes[0]), field(rng, sizes[1])
        if seed % 3 == 1:  # clustered
            first = np.concatenate([first, rng.normal(0, 5, (sizes[0], 2))])
            second = np.concatenate([second, rng.normal(0, 5, (sizes[1], 2))])
        if seed % 3 == 2:  # sources split in two
            first = np.concatenate([first, first + rng.normal(0, 0.15, first.shape)])
            second = np.concatenate([second, second + rng.normal(0, 0.15, second.shape)])
        options = MatchOptions(
            geometry=("shift", "rshift", "rscale", "general")[seed % 4],
            search_arcsec=(0.5, 1.0, 3.0, 10.0)[seed % 7 % 4],
        )
        result = match(first, second, options)
        assert isinstance(result, NoMatch), (seed, result)
        assert result.text


def test_an_offset_beyond_the_search_is_refused():
    for seed in range(40):
        rng = np.random.default_rng([8, seed])
        first = field(rng, 300)
        second = first + rng.normal(0, 0.01, first.shape) + [1.9, 1.1]
        assert isinstance(match(first, second), NoMatch)
        assert isinstance(match(first, second, MatchOptions(search_arcsec=3.0)), Match)


def test_fields_side_by_side_are_refused():
    rng = np.random.default_rng(9)
    first = field(rng, 300)
    result = match(first, np.add(first, [200.0, 0.0]))
    assert isinstance(result, NoMatch)
    assert result.reason is Reason.NO_PEAK


def test_a_regular_pattern_is_ambiguous():
    x, y = np.meshgrid(np.arange(-20.0, 20.0), np.arange(-20.0, 20.0))
    first = np.column_stack([x.ravel(), y.ravel()])
    result = match(first, np.add(first, [0.3, 0.2]), MatchOptions(search_arcsec=3.0))
    assert isinstance(result, NoMatch)
    assert result.reason is Reason.AMBIGUOUS


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_sources(count):
    points = field(np.random.default_rng(1), count)
    result = match(points, points)
    assert isinstance(result, NoMatch)
    assert result.reason is Reason.TOO_FEW_SOURCES


def test_impossible_geometry_is_refused():
    rng = np.random.default_rng(10)
    first = field(rng, 300, 20.0)
    second = first @ np.array([[1.03, 0.0], [0.0, 0.97]])
    result = match(first, second, MatchOptions(geometry="general", tolerance_arcsec=0.4))
    assert isinstance(result, NoMatch)


def test_few_true_stars_among_many_cosmic_rays():
    rng = np.random.default_rng(11)
    first, second, _, move = pair(rng, 150, false=20.0)
    result = match(first, second)
    assert isinstance(result, Match)
    assert np.abs(result.transform([[0.0, 0.0]]) - move).max() < 0.02
    assert result.chance < 1e-5


def test_errors_weigh_pairs():
    rng = np.random.default_rng(12)
    first = field(rng, 400)
    sigma = np.where(np.arange(400) < 40, 0.002, 0.05)
    second = first + [0.1, 0.2] + sigma[:, None] * rng.standard_normal((400, 2))
    options = MatchOptions(geometry="shift")
    plain = match(first, second, options)
    weighted = match(first, second, options, second_error=sigma, first_error=0.0)
    assert isinstance(plain, Match)
    assert isinstance(weighted, Match)
    assert weighted.shift_error[0] < plain.shift_error[0] / 3
    assert np.abs(weighted.transform.shift - [0.1, 0.2]).max() < 4 * weighted.shift_error[0]


def test_the_same_every_time():
    rng = np.random.default_rng(13)
    first, second, _, _ = pair(rng, 200)
    one, two = match(first, second), match(first, second)
    assert isinstance(one, Match)
    assert isinstance(two, Match)
    assert np.array_equal(one.first, two.first)
    assert np.array_equal(one.transform.matrix, two.transform.matrix)


@pytest.mark.parametrize("geometry", ["shift", "rshift", "rscale", "general"])
def test_the_error_at_a_point_is_the_scatter_there(geometry):
    """Pairs in the left quarter of a field say little of its right edge."""
    corners = np.array([[-50.0, -50.0], [-50.0, 50.0], [50.0, -50.0], [50.0, 50.0]])
    off, said = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        stars = rng.uniform([-50, -50], [-25, 50], (40, 2))
        noisy = stars + rng.normal(0, 0.005, stars.shape)
        options = MatchOptions(geometry=geometry)
        found = match(stars, noisy, options, first_error=np.zeros(40), second_error=[0.005] * 40)
        off.append(found.transform(corners) - corners)
        said.append(found.error_at(corners))
    scatter = np.sqrt(np.mean(np.sum(np.square(off), axis=2), axis=0))
    assert np.mean(said, axis=0) == pytest.approx(scatter, rel=0.2)
