"""Exposures of a visit brought onto one another."""

from dataclasses import replace

import numpy as np
import pytest

from hst123r.algorithms.merge import StarList
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.sources.clusters import clusters

RA, DEC, HALF, ERROR = 0.0005, 40.0, 20.0, 0.003


def exposure(stars, middle, move, rng, *, rays=20, label=""):
    middle = np.asarray(middle, float)
    seen = stars[np.all(np.abs(stars - middle) < HALF, axis=1)]
    place = np.concatenate([
        seen + rng.normal(0, ERROR, seen.shape), middle + rng.uniform(-HALF, HALF, (rays, 2)),
    ]) + move  # fmt: skip
    corners = middle + HALF * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) + move
    ra, dec = from_tangent_plane(*place.T, RA, DEC)
    ones = np.ones(len(place))
    footprint = np.column_stack(from_tangent_plane(*corners.T, RA, DEC))
    return StarList(ra, dec, ones, ones / 50, ERROR * ones, (footprint,), label)


MOVES = np.array([[0.0, 0.0], [0.2, -0.1], [-0.15, 0.2], [0.1, 0.1]])


@pytest.fixture
def visit():
    rng = np.random.default_rng(4)
    stars = rng.uniform(-40, 40, (160, 2))
    middles = [(0, 0), (3, 0), (0, 3), (3, 3)]
    return stars, [exposure(stars, m, v, rng) for m, v in zip(middles, MOVES, strict=True)]


def away(catalogue, stars):
    here = np.stack(to_tangent_plane(catalogue.ra_deg, catalogue.dec_deg, RA, DEC), axis=1)
    far = np.hypot(*(here[:, None] - stars[None]).transpose(2, 0, 1))
    return here - stars[far.argmin(axis=1)], far.min(axis=1)


def test_exposures_are_shifted_onto_one_another_and_stay_on_average(visit):
    stars, lists = visit
    (found,) = clusters(lists, 0.1)
    assert found.members == (0, 1, 2, 3)
    wanted = MOVES.mean(axis=0) - MOVES
    for number, move in found.moves_arcsec.items():
        assert move == pytest.approx(wanted[number], abs=4 * ERROR)
        assert found.errors_arcsec[number] < ERROR
    assert np.sum(list(found.moves_arcsec.values()), axis=0) == pytest.approx([0, 0], abs=1e-12)
    # cosmic rays are not in two of them
    _, far = away(found.catalogue, stars + MOVES.mean(axis=0))
    assert np.count_nonzero(far > 5 * ERROR) <= np.count_nonzero(found.catalogue.covering == 1)


def test_one_that_does_not_fit_is_alone_and_changes_nothing(visit):
    stars, lists = visit
    rng = np.random.default_rng(9)
    (good,) = clusters(lists[:3], 0.1)
    for move in ((3.0, 2.0), (0.9, 0.0)):
        wrong = exposure(stars, (3, 3), move, rng, rays=90)
        first, second = sorted(clusters([*lists[:3], wrong], 0.1), key=lambda c: c.members)
        assert (first.members, second.members) == ((0, 1, 2), (3,))
        assert np.array_equal(first.catalogue.ra_deg, good.catalogue.ra_deg)
        assert second.moves_arcsec[3].tolist() == [0.0, 0.0]


def test_they_join_through_others():
    rng = np.random.default_rng(4)
    stars = rng.uniform(-40, 110, (900, 2))
    lists = [exposure(stars, (30 * k, 0), (0.1 * k, 0), rng, rays=0) for k in range(4)]
    (found,) = clusters(lists, 0.1)
    assert found.members == (0, 1, 2, 3)
    steps = np.diff([found.moves_arcsec[k][0] for k in range(4)])
    assert steps == pytest.approx([-0.1] * 3, abs=4 * ERROR)


def test_an_exposure_without_stars_is_in_none(visit):
    _, lists = visit
    empty = replace(
        lists[0],
        **{
            name: np.empty(0)
            for name in ("ra_deg", "dec_deg", "flux", "flux_error", "position_error_arcsec")
        },
    )
    (found,) = clusters([empty, *lists], 0.1)
    assert found.members == (1, 2, 3, 4)
    assert clusters([empty], 0.1) == []


def test_the_error_of_a_move_is_in_what_one_exposure_alone_has_seen(visit):
    """The anchor moves too, as the moves are zero on average."""
    _, lists = visit
    (found,) = clusters(lists, 0.1)
    error = found.errors_arcsec
    assert min(error.values()) > 0
    assert sum(value == max(error.values()) for value in error.values()) == 2
    alone = found.catalogue.where(found.catalogue.detections == 1)
    assert alone.ra_deg.size
    # a thousandth of an arcsec is what merging adds
    least = np.hypot(np.hypot(ERROR, 0.001), min(error.values()))
    assert alone.position_error_arcsec.min() >= least * (1 - 1e-9)
