"""A catalogue that grows along a strip of visits, each wrong by its own offset."""

from dataclasses import replace

import numpy as np
import pytest

from hst123r.algorithms.merge import StarList
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.sources.absolute import AbsoluteStars, TieOptions, tie
from hst123r.sources.chain import group, groups, grow
from hst123r.sources.chain_link import ChainOptions

RA, DEC = 0.001, -30.0
SIDE, STEP = 100.0, 70.0
ERROR = 0.002
OPTIONS = ChainOptions()
ERRORS = ((0.0, 0.0, 0.0), (0.3, -0.2, 0.02), (-0.25, 0.4, -0.03), (0.1, 0.5, 0.01))
"""Arcsec to the east and north, and degrees, of the header of each visit."""


def sky(place):
    return from_tangent_plane(place[:, 0], place[:, 1], RA, DEC)


def visit(number, stars, rng, *, error=None, noise=ERROR):
    """Return a visit of two exposures of the strip, by its header."""
    east, north, turn = ERRORS[number] if error is None else error
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    middle = np.array([STEP * number, 0.0])

    def header(place):
        return (place - middle) @ np.array([[c, s], [-s, c]]) + middle + (east, north)

    corners = middle + SIDE / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    seen = stars[np.all(np.abs(stars - middle) < SIDE / 2, axis=1)]
    lists = []
    for k in range(2):
        place = header(seen + rng.normal(0, noise, seen.shape))
        ones = np.ones(len(seen))
        ra, dec = sky(place)
        footprint = np.column_stack(sky(header(corners)))
        lists.append(
            StarList(ra, dec, 100 * ones, ones, noise * ones, (footprint,), f"{number}{k}")
        )
    return group(lists, 0.1, f"visit {number}")


def strip(seed=3, density=0.006, visits=4, **options):
    rng = np.random.default_rng(seed)
    area = (SIDE + STEP * (visits - 1)) * SIDE
    low = -SIDE / 2
    stars = rng.uniform([low, low], [low + SIDE + STEP * (visits - 1), -low],
                        (round(density * area), 2))  # fmt: skip
    return stars, [visit(number, stars, rng, **options) for number in range(visits)]


def off(catalogue, stars):
    """Where the catalogue has the stars less where they are, arcsec."""
    here = np.stack(to_tangent_plane(catalogue.ra_deg, catalogue.dec_deg, RA, DEC), axis=1)
    away = np.hypot(*(here[:, None] - stars[None]).transpose(2, 0, 1))
    assert away.min(axis=1).max() < 0.1
    return here - stars[away.argmin(axis=1)]


def test_each_visit_hands_the_frame_on():
    stars, (first, *others) = strip()
    catalogue, links = grow(first, others, OPTIONS)
    assert [link.why_not for link in links] == ["", "", ""]
    assert [link.links for link in links] == [1, 2, 3]
    assert [link.through for link in links] == ["visit 0", "visit 1", "visit 2"]
    for link, (east, north, turn) in zip(links, ERRORS[1:], strict=True):
        assert link.rotation_deg == pytest.approx(-turn, abs=0.008)
        assert link.moved_arcsec == pytest.approx((-east, -north), abs=0.02)
    assert catalogue.ra_deg.size == pytest.approx(len(stars), abs=3)
    error = off(catalogue, stars)
    assert np.abs(error).max() < 0.03
    # the stars of the reference are as they were
    mine = catalogue.links == 0
    assert np.count_nonzero(mine) == first.catalogue.ra_deg.size
    assert set(catalogue.ra_deg[mine]) == set(first.catalogue.ra_deg)
    assert not catalogue.frame_error_arcsec[mine].any()


def test_errors_grow_along_the_chain_as_they_say():
    """In forty strips the visits lie on the true frame as well as they say."""
    pulls = {links: [] for links in (1, 2, 3)}
    sizes = {links: [] for links in (1, 2, 3)}
    for seed in range(40):
        stars, (first, *others) = strip(seed, density=0.008)
        catalogue, links = grow(first, others, OPTIONS)
        assert not any(link.why_not for link in links)
        error = off(catalogue, stars)
        for number, found in pulls.items():
            mine = catalogue.links == number
            size = np.sqrt(np.mean(catalogue.frame_error_arcsec[mine] ** 2))
            sizes[number].append(size)
            # the noise of the stars themselves goes out in the mean
            found.append(error[mine].mean(axis=0) / size)
    assert np.mean(sizes[1]) < np.mean(sizes[2]) < np.mean(sizes[3])
    for found in pulls.values():
        assert 0.7 < np.std(np.concatenate(found)) < 1.3


def test_one_absolute_move_takes_all_that_is_connected():
    stars, (first, *others) = strip()
    catalogue, _ = grow(first, others, OPTIONS)
    rng = np.random.default_rng(1)
    shift = np.array([0.8, -0.5])
    ra, dec = sky(stars + shift + rng.normal(0, 0.0005, stars.shape))
    count = len(stars)
    error, nothing = np.full(count, 0.5), np.full(count, np.nan)
    known = AbsoluteStars(ra, dec, error, nothing, nothing, nothing, nothing)
    tied = tie(catalogue, known, 2019.0, TieOptions())
    assert tied.is_good
    assert tied.matches > 0.9 * count
    for links in range(4):
        mine = tied.catalogue.links == links
        error = off(tied.catalogue, stars + shift)[mine]
        said = np.sqrt(np.mean(catalogue.frame_error_arcsec[mine] ** 2))
        # all of it is used, so that the reference itself is not better than the rest
        assert np.hypot(*error.mean(axis=0)) < 3 * np.hypot(said, 0.002)


def test_the_order_does_not_matter_where_one_visit_needs_another():
    stars, (first, *others) = strip()
    catalogue, links = grow(first, others[::-1], OPTIONS)
    assert [link.links for link in links] == [3, 2, 1]
    assert np.abs(off(catalogue, stars)).max() < 0.03


def test_what_does_not_belong_adds_nothing():
    stars, (first, *others) = strip()
    # the second visit shows other stars, so that the third has nothing to hold on to
    rng = np.random.default_rng(8)
    other = visit(1, rng.uniform(-SIDE, 3 * SIDE, stars.shape), rng)
    catalogue, links = grow(first, [other, *others[1:]], OPTIONS)
    assert all(link.why_not for link in links)
    assert catalogue.ra_deg.size == first.catalogue.ra_deg.size
    assert not catalogue.links.any()


@pytest.mark.parametrize(
    ("limit", "says"), [({"max_rms_mas": 0.5}, "residuals"), ({"max_error_mas": 0.2}, "uncertain")]
)
def test_a_fit_that_is_not_good_adds_nothing_and_says_why(limit, says):
    _, (first, second, *_) = strip()
    catalogue, (link,) = grow(first, [second], replace(OPTIONS, **limit))
    assert says in link.why_not
    assert link.as_json()["matches"] > 8
    assert catalogue.ra_deg.size == first.catalogue.ra_deg.size


def test_a_header_that_is_off_by_more_than_the_search_is_refused():
    rng = np.random.default_rng(5)
    stars, (first, *_) = strip()
    away = visit(1, stars, rng, error=(4.0, 0.0, 0.0))
    _, (link,) = grow(first, [away], OPTIONS)
    assert link.why_not


def test_empty_lists_are_no_error():
    _, (first, *_) = strip()
    empty = StarList(*(np.empty(0) for _ in range(5)), first.footprints, "empty")
    _, (link,) = grow(first, [group([empty], 0.1, "empty")], OPTIONS)
    assert link.why_not == "there are no stars to compare"
    catalogue, _ = grow(group([empty], 0.1, "empty"), [first], OPTIONS)
    assert catalogue.ra_deg.size == 0


def test_a_visit_without_stars_is_told_of_and_does_not_vanish():
    _, (first, *_) = strip()
    empty = StarList(*(np.empty(0) for _ in range(5)), first.footprints, "empty")
    _, told = grow(first, groups([empty, empty], 0.1, "in between"), OPTIONS)
    assert [(link.label, link.why_not) for link in told] == [
        ("in between", "there are no stars to compare")
    ]


def test_where_a_fit_fails_the_next_best_visit_is_tried():
    """It reaches what the first was to reach, which is then fitted after all to what it adds."""
    stars, (first, second, *_) = strip()
    rng = np.random.default_rng(8)
    wrong = visit(1, rng.uniform(-SIDE, 3 * SIDE, stars.shape), rng)
    spares = tuple(replace(wrong, label=f"spare {k}") for k in range(2))
    good = replace(second, label="another filter")
    other = replace(wrong, spares=(spares[0], good, spares[1]))
    catalogue, links = grow(first, [other], OPTIONS)
    assert [(link.label, not link.why_not) for link in links] == [
        ("visit 1", False), ("spare 0", False), ("another filter", True),
    ]  # fmt: skip
    assert [link.instead for link in links] == ["another filter was added in its place", "", ""]
    assert np.count_nonzero(catalogue.links == 1) > 30


def test_a_spare_is_not_needed_where_the_visit_can_be_added():
    _, (first, second, third, _) = strip()
    _, links = grow(first, [replace(second, spares=(third,))], OPTIONS)
    assert [link.label for link in links] == ["visit 1"]
