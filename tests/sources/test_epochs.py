"""A visit of another year brought to the time of the reference by the motions of its stars."""

from dataclasses import replace

import numpy as np
import pytest

from hst123r.algorithms.matching import MatchOptions, match
from hst123r.algorithms.merge import StarList
from hst123r.algorithms.proper_motion import modified_julian_date
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.products.reference_table import read_reference, write_reference
from hst123r.sources.absolute import AbsoluteStars, TieOptions
from hst123r.sources.chain import group, grow
from hst123r.sources.chain_link import ChainOptions
from hst123r.sources.epochs import carrier

RA, DEC = 0.001, -30.0
SIDE, NOISE = 100.0, 0.001
THEN, NOW = 2005.0, 2017.0
HEADER = np.array([0.3, -0.2])


def sky(place):
    return from_tangent_plane(place[:, 0], place[:, 1], RA, DEC)


def seen(stars, motions, east, year, name, header=0.0):
    """Return a visit of two exposures in a year."""
    rng = np.random.default_rng(round(east))
    middle = np.array([east, 0.0])
    there = stars + motions / 1000 * (year - THEN)
    there = there[np.all(np.abs(stars - middle) < SIDE / 2, axis=1)]
    corners = middle + SIDE / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) + header
    lists = []
    for k in range(2):
        ones = np.ones(len(there))
        ra, dec = sky(there + header + rng.normal(0, NOISE, there.shape))
        footprint = np.column_stack(sky(corners))
        lists.append(StarList(ra, dec, 100 * ones, ones, NOISE * ones, (footprint,), f"{name}{k}"))
    return replace(group(lists, 0.1, name), year=year)


@pytest.fixture
def field():
    """Stars of a field that drifts by 3 mas a year to the east, each with a motion of its own."""
    rng = np.random.default_rng(4)
    stars = rng.uniform((-60, -50), (140, 50), (250, 2))
    motions = np.array([3.0, 0.0]) + rng.normal(0, 3.0, stars.shape)
    ra, dec = sky(stars)
    ones = np.ones(len(stars))
    known = AbsoluteStars(
        ra, dec, 0.3 * ones, motions[:, 0], motions[:, 1], 0.05 * ones, THEN * ones
    )
    return stars, motions, known


def off(catalogue, stars, links):
    here = np.stack(to_tangent_plane(catalogue.ra_deg, catalogue.dec_deg, RA, DEC), axis=1)
    here = here[catalogue.links == links]
    away = np.hypot(*(here[:, None] - stars[None]).transpose(2, 0, 1))
    return 1000 * (here - stars[away.argmin(axis=1)])


def test_stars_that_are_added_stand_where_they_were_at_the_time_of_the_reference(field):
    stars, motions, known = field
    first = seen(stars, motions, 0.0, THEN, "first")
    later = seen(stars, motions, 70.0, NOW, "later", HEADER)
    rms = {}
    for carry in (None, carrier(known, TieOptions())):
        catalogue, (link,) = grow(
            first, [later], ChainOptions(max_rms_mas=80.0, max_error_mas=60.0), carry
        )
        assert link.why_not == ""
        assert link.years == NOW - THEN
        rms[carry is None] = float(np.sqrt(np.mean(off(catalogue, stars, 1) ** 2)))
    assert link.carried > 0.9 * link.stars
    # 3 mas a year each for twelve years, and errors of a mas
    assert rms[True] > 20.0
    assert rms[False] < 3.0


def test_what_is_not_known_to_move_stays_and_errors_grow(field):
    stars, motions, known = field
    half = np.where(np.arange(len(stars)) % 2, np.nan, known.pm_ra_mas_yr)
    later = seen(stars, motions, 70.0, NOW, "later", HEADER)
    moved, count = carrier(replace(known, pm_ra_mas_yr=half), TieOptions())(later, THEN)
    still = moved.catalogue.ra_deg == later.catalogue.ra_deg
    assert count == np.count_nonzero(~still)
    assert 0.3 < np.mean(still) < 0.7
    before, after = (g.catalogue.position_error_arcsec for g in (later, moved))
    assert after[still] == pytest.approx(np.hypot(before[still], 0.060), rel=1e-6)
    # 0.05 mas a year for twelve years
    expected = np.hypot(before[~still], 0.0006)
    assert after[~still] == pytest.approx(expected, rel=1e-3)


def test_a_catalogue_of_another_field_moves_nothing(field):
    stars, motions, known = field
    later = seen(stars, motions, 70.0, NOW, "later")
    other = replace(known, ra_deg=known.ra_deg + 1.0)
    assert carrier(other, TieOptions())(later, THEN) == (later, 0)


@pytest.mark.parametrize(("own", "share"), [(3.0, 1.0), (3.0, 0.6), (0.5, 1.0), (0.5, 0.6)])
def test_what_is_aligned_to_the_grown_catalogue_comes_out_at_the_truth(tmp_path, own, share):
    """A field that drifts by 36 mas; the exposures are those of the visit that was added."""
    rng = np.random.default_rng(4)
    stars = rng.uniform((-60, -50), (140, 50), (250, 2))
    motions = np.array([3.0, 0.0]) + rng.normal(0, own, stars.shape)
    measured = np.where((rng.random(len(stars)) < share)[:, None], motions, np.nan)
    ones = np.ones(len(stars))
    known = AbsoluteStars(*sky(stars), 0.3 * ones, *measured.T, 0.05 * ones, THEN * ones)
    first = seen(stars, motions, 0.0, THEN, "first")
    later = seen(stars, motions, 70.0, NOW, "later", HEADER)
    grown, (link,) = grow(first, [later], ChainOptions(), carrier(known, TieOptions()))
    assert link.why_not == ""
    assert (link.carried < link.stars) == (share < 1)
    write_reference(grown, tmp_path / "r.ecsv", {"mjd": modified_julian_date(THEN)})
    for year, visit, header in ((NOW, later, HEADER), (THEN, first, 0.0)):
        read = read_reference(tmp_path / "r.ecsv", modified_julian_date(year))
        here, there = (
            np.stack(to_tangent_plane(c.ra_deg, c.dec_deg, RA, DEC), axis=1)
            for c in (visit.catalogue, read)
        )
        found = match(
            here, there, MatchOptions(tolerance_arcsec=0.1, geometry="rshift"),
            first_error=visit.catalogue.position_error_arcsec, second_error=read.error_arcsec,
        )  # fmt: skip
        away = (found.transform(here) - (here - header)).mean(axis=0)
        assert np.abs(away).max() < 0.0015
