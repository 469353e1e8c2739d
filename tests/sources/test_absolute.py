"""The tie to an absolute catalogue: right where it can be, never made where it would be wrong."""

from collections import Counter

import numpy as np
import pytest

from hst123r.algorithms.merge import Catalogue
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.algorithms.transform import PlaneTransform
from hst123r.sources.absolute import AbsoluteStars, TieOptions, tie

CENTRE = (150.0, 2.0)
HALF = 50.0
YEAR, EPOCH = 2004.0, 2016.0
ERROR_MAS, MOTION_ERROR = 0.3, 0.03
OPTIONS = TieOptions()
RIGHT = ("plain", "doubled", "deep", "moving")
WRONG = ("another", "shifted", "turned", "slightly turned", "few", "empty", "apart", "optimistic")


def sky(points):
    return from_tangent_plane(points[:, 0], points[:, 1], *CENTRE)


def own(points, error_mas=1.0):
    ra, dec = sky(points)
    ones, whole = np.ones(ra.size), np.ones(ra.size, np.int64)
    return Catalogue(
        ra, dec, error_mas / 1000 * ones, ones, ones, whole, whole, np.zeros((1, 2)), {}
    )


def absolute(points, rng, motion_mas_yr=5.0):
    """Return the catalogue at its epoch of stars that are at some points in YEAR."""
    n = len(points)
    motion = rng.normal(0, motion_mas_yr, (n, 2))
    ra, dec = sky(points + motion * (EPOCH - YEAR) / 1000 + rng.normal(0, ERROR_MAS / 1000, (n, 2)))
    given = motion + rng.normal(0, MOTION_ERROR, (n, 2))
    ones = np.ones(n)
    return AbsoluteStars(
        ra, dec, ERROR_MAS * ones, given[:, 0], given[:, 1], MOTION_ERROR * ones, EPOCH * ones
    )


def turned(angle_deg, shift):
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return PlaneTransform(np.array([[c, -s], [s, c]]), np.asarray(shift), np.zeros(2))


def attempt(kind, rng):
    """Tie one field; return whether it was moved, and by how much the moved one is wrong, mas."""
    truth = rng.uniform(-HALF, HALF, (1500 if kind == "deep" else int(rng.integers(60, 300)), 2))
    known = truth[rng.permutation(len(truth))[: 3 if kind == "few" else int(rng.integers(20, 60))]]
    seen = truth + rng.normal(0, 0.001, truth.shape)
    if kind == "doubled":
        seen = np.concatenate([seen, seen + rng.uniform(-0.3, 0.3, seen.shape)])
    if kind == "another":
        known = rng.uniform(-HALF, HALF, known.shape)
    if kind == "shifted":
        known = known + 5.0 * np.array([0.6, -0.8])
    if kind == "turned":
        known = turned(2.0, (0, 0))(known)
    if kind == "slightly turned":
        known = turned(0.4, (0, 0))(known)
    if kind == "empty":
        known = known[:0]
    if kind == "apart":
        known = known + np.array([3 * HALF, 0])
    if kind == "optimistic":
        # positions of a survey from the ground with the errors of a satellite
        known = known + rng.normal(0, 0.05, known.shape)
    wrong = turned(rng.uniform(-0.05, 0.05), rng.uniform(-1.2, 1.2, 2))
    stars = absolute(known, rng, 30.0 if kind == "moving" else 5.0)
    before = own(wrong(seen))
    found = tie(before, stars, YEAR, OPTIONS)
    if not found.is_good:
        assert found.catalogue is before
        assert found.reach_arcsec == 0
        return found, 0.0
    there = np.stack(
        to_tangent_plane(found.catalogue.ra_deg, found.catalogue.dec_deg, *CENTRE), axis=1
    )
    return found, 1000 * float(np.hypot(*(there - seen).mean(axis=0)))


@pytest.fixture(scope="module")
def attempts():
    rng = np.random.default_rng(5)
    return {kind: [attempt(kind, rng) for _ in range(20)] for kind in RIGHT + WRONG}


def test_a_wrong_tie_is_never_made(attempts):
    made = Counter(kind for kind in WRONG for found, _ in attempts[kind] if found.is_good)
    assert made == {}
    assert all(found.why_not for kind in WRONG for found, _ in attempts[kind])


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_tie_is_made_and_within_twice_the_error_of_the_catalogue(attempts, kind):
    assert all(found.is_good for found, _ in attempts[kind]), [f.why_not for f, _ in attempts[kind]]
    error = np.hypot(ERROR_MAS, MOTION_ERROR * (EPOCH - YEAR))
    assert max(off for _, off in attempts[kind]) < 2 * error
    assert max(found.chi for found, _ in attempts[kind]) < 2
    assert max(found.error_mas for found, _ in attempts[kind]) < 3


def test_what_was_moved_is_said():
    rng = np.random.default_rng(1)
    points = rng.uniform(-HALF, HALF, (80, 2))
    found = tie(own(turned(-0.03, (-1.0, 0.5))(points)), absolute(points, rng), YEAR, OPTIONS)
    assert found.moved_arcsec == pytest.approx((1.0, -0.5), abs=0.01)
    assert found.rotation_deg == pytest.approx(0.03, abs=0.001)
    assert found.reach_arcsec > np.hypot(1.0, 0.5)
    assert found.as_json()["moved"] is True


def test_motions_matter():
    """At the catalogue's own epoch the same stars are elsewhere."""
    rng = np.random.default_rng(2)
    points = rng.uniform(-HALF, HALF, (80, 2))
    stars = absolute(points, rng, 10.0)
    right, late = (tie(own(points), stars, year, OPTIONS) for year in (YEAR, EPOCH))
    assert right.is_good
    assert not late.is_good
    assert "times their errors" in late.why_not


def test_a_long_way_needs_more_than_a_wide_search():
    rng = np.random.default_rng(3)
    points = rng.uniform(-HALF, HALF, (80, 2))
    stars = absolute(points + np.array([4.0, -3.0]), rng)
    found = tie(own(points), stars, YEAR, TieOptions(search_arcsec=8.0))
    assert found.matches > 60
    assert found.why_not == "the frame would be moved by 5.00 arcsec"
    assert found.as_json()["moved_east_arcsec"] == pytest.approx(4.0, abs=0.01)


def test_the_error_covers_the_worst_corner_where_the_catalogue_has_a_strip():
    """It was counted from the middle of our own stars, not from the stars that say it."""
    said, off = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        corners = HALF * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
        known = rng.uniform([-HALF, -HALF], [-HALF / 2, HALF], (40, 2))
        seen = known + rng.normal(0, ERROR_MAS / 1000, known.shape)
        points = np.concatenate([corners, seen, rng.uniform(-HALF, HALF, (500, 2))])
        stars = absolute(known, rng, 0.0)
        found = tie(own(points, ERROR_MAS), stars, EPOCH, TieOptions(floor_mas=0.01))
        there = found.catalogue.ra_deg[:4], found.catalogue.dec_deg[:4]
        off.append(1000 * (np.stack(to_tangent_plane(*there, *CENTRE), axis=1) - corners))
        said.append(found.error_mas)
    scatter = np.sqrt(np.mean(np.sum(np.square(off), axis=2), axis=0)).max()
    assert np.mean(said) == pytest.approx(scatter, rel=0.15)
