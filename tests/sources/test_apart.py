"""Two groups of visits that do not overlap, each wrong by the header of its own first visit."""

from dataclasses import replace

import numpy as np
import pytest

from hst123r.algorithms.merge import Catalogue, StarList
from hst123r.algorithms.proper_motion import Motions
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.products.reference_table import group_meta, read_reference, write_reference
from hst123r.sources.absolute import AbsoluteStars, TieOptions, tie
from hst123r.sources.apart import Part, grown, joined, with_lost
from hst123r.sources.chain_link import ChainOptions
from hst123r.sources.reference_verdict import of_group

RA, DEC = 0.001, -30.0
SIDE, NOISE, ERROR_MAS = 100.0, 0.002, 0.5
PLACES = {"a": 0.0, "b": 70.0, "c": 400.0, "d": 470.0}
"""Of each visit to the east; the first two overlap, and so do the last two."""
HEADERS = {"a": (0.4, 0.1), "b": (0.1, 0.3), "c": (-0.5, 0.6), "d": (0.0, 0.2)}
GAIA = (0.8, -0.5)
"""Where the absolute catalogue has all stars."""


def sky(place):
    return from_tangent_plane(place[:, 0], place[:, 1], RA, DEC)


def plane(stars):
    return np.stack(to_tangent_plane(stars.ra_deg, stars.dec_deg, RA, DEC), axis=1)


def exposure(name, stars, rng, places):
    middle = np.array([places[name], 0.0])
    seen = stars[np.all(np.abs(stars - middle) < SIDE / 2, axis=1)]
    ones = np.ones(len(seen))
    corners = middle + SIDE / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    ra, dec = sky(seen + HEADERS[name] + rng.normal(0, NOISE, seen.shape))
    footprint = np.column_stack(sky(corners + HEADERS[name]))
    return StarList(ra, dec, 100 * ones, ones, NOISE * ones, (footprint,), name)


def plan(group, first, *others):
    links = [{"label": f"visit {name}", "exposures": [name]} for name in others]
    return {
        "group": group, "label": f"visit {first}", "exposures": [first], "links": links,
        "members": [first, *others],
    }  # fmt: skip


def made(places=PLACES):
    """Return the true stars, and both groups by their headers."""
    rng = np.random.default_rng(8)
    stars = rng.uniform((-60, -50), (540, 50), (400, 2))
    lists = {name: exposure(name, stars, rng, places) for name in places}
    plans = (plan(0, "a", "b"), plan(1, "c", "d"))
    return stars, [grown(item, lists, 0.1, ChainOptions()) for item in plans]


def moved(parts, stars, wrong=()):
    """Return groups tied to a catalogue, but for some that it does not know."""
    rng = np.random.default_rng(9)
    known = stars + GAIA + rng.normal(0, ERROR_MAS / 1000, stars.shape)
    for low, high in wrong:
        inside = (known[:, 0] > low) & (known[:, 0] < high)
        known[inside] = rng.uniform((low, -50), (high, 50), (inside.sum(), 2))
    ra, dec = sky(known)
    nothing = np.full(len(ra), np.nan)
    error = np.full(len(ra), ERROR_MAS)
    gaia = AbsoluteStars(ra, dec, error, nothing, nothing, nothing, nothing)
    return [replace(p, tied=tie(p.catalogue, gaia, 2019.0, TieOptions())) for p in parts]


def off(catalogue, stars, group):
    """Where a group has its stars less where they are, arcsec, on average."""
    here = plane(catalogue)[catalogue.group == group]
    away = here[:, None] - stars[None]
    nearest = np.hypot(*away.transpose(2, 0, 1)).argmin(axis=1)
    return (here - stars[nearest]).mean(axis=0)


def test_without_a_catalogue_each_stands_by_the_header_of_its_first_visit():
    stars, parts = made()
    found = joined(parts, 0.1)
    for group, name in ((0, "a"), (1, "c")):
        assert off(found, stars + HEADERS[name], group) == pytest.approx((0, 0), abs=0.003)
        assert set(found.links[found.group == group]) == {0, 1}
    frame = parts[1].frame_beside(parts[0], "")
    assert (frame.frame, frame.moved_arcsec) == (
        "header",
        pytest.approx(np.hypot(0.5, 0.4), abs=0.01),
    )
    _, caveats = of_group(parts[1], frame, 30)
    assert [(c.code, c.subject) for c in caveats] == [
        ("not_connected", "c"), ("not_connected", "d"), ("single_exposure", "group 1"),
    ]  # fmt: skip
    assert "not to the reference: it stands by the headers of visit c" in caveats[0].text


def test_with_a_catalogue_both_are_on_it_and_each_has_a_move_of_its_own():
    stars, parts = made()
    parts = moved(parts, stars)
    found = joined(parts, 0.1)
    for group in (0, 1):
        assert np.hypot(*off(found, stars + GAIA, group)) < 2 * ERROR_MAS / 1000
    ties = np.hypot(parts[0].tied.error_mas, parts[1].tied.error_mas) / np.sqrt(2) / 1000
    shared = found.frame_error_arcsec[found.links == 0]
    group = found.group[found.links == 0]
    assert set(shared[group == 0]) == {0.0}
    assert shared[group == 1] == pytest.approx(ties)
    frame = parts[1].frame_beside(parts[0], "gaia-dr3")
    assert (frame.frame, frame.why_not) == ("gaia-dr3", "")
    assert frame.moved_arcsec == pytest.approx(np.hypot(1.3, -1.1) + np.hypot(0.5, 0.4), abs=0.04)
    measured, caveats = of_group(parts[1], frame, 30)
    assert {c.code for c in caveats} == {"absolute_only", "single_exposure"}
    assert {m.subject for m in measured} == {"group 1"}


@pytest.mark.parametrize(("wrong", "says"), [
    ((300, 600), "it stands by the headers of visit c, and the reference is on gaia-dr3"),
    ((-100, 200), "it is on gaia-dr3, and the reference stands by its headers"),
])  # fmt: skip
def test_where_one_is_not_on_the_catalogue_that_is_said(wrong, says):
    stars, parts = made()
    parts = moved(parts, stars, [wrong])
    assert [part.is_absolute for part in parts] == [wrong[0] == 300, wrong[0] != 300]
    frame = parts[1].frame_beside(parts[0], "gaia-dr3")
    assert frame.why_not == says
    assert {c.code for c in of_group(parts[1], frame, 30)[1]} >= {"not_connected"}


def test_a_star_on_an_exposure_of_the_reference_is_there_once():
    """By a hair that the plan did not see."""
    stars, parts = made({**PLACES, "c": 165.0, "d": 235.0})
    found = joined(parts, 0.1)
    # by the headers, which are off by an arcsec
    assert plane(found)[found.group == 1][:, 0].min() > 70 + SIDE / 2 + HEADERS["b"][0] - 0.01
    parts = moved(parts, stars)
    found = joined(parts, 0.1)
    away = np.hypot(*(plane(found)[:, None] - plane(found)[None]).transpose(2, 0, 1))
    assert away[np.triu_indices(len(away), 1)].min() > 0.1


def test_the_file_says_the_group_of_every_star_and_how_far_each_was_moved(tmp_path):
    stars, parts = made()
    parts = moved(parts, stars)
    frames = [parts[1].frame_beside(parts[0], "gaia-dr3")]
    found = joined(parts, 0.1)
    meta = {"moved_arcsec": parts[0].moved_arcsec, **group_meta(frames)}
    write_reference(found, tmp_path / "r.ecsv", meta)
    again = read_reference(tmp_path / "r.ecsv")
    assert again.group.tolist() == found.group.tolist()
    assert again.groups == tuple(frames)
    assert again.seen_from(0).moved_arcsec == parts[0].moved_arcsec
    assert again.seen_from(1).moved_arcsec == parts[1].moved_arcsec
    assert again.seen_from(1).moved_arcsec > again.seen_from(0).moved_arcsec + 0.5


def test_alone_the_reference_is_as_it_is():
    _, parts = made()
    assert joined(parts[:1], 0.1) is parts[0].catalogue


def lost(far=6.0):
    """Return the reference and what could not be fitted to it: headers off beyond the search."""
    wide = {"a": 0.0, "b": 70.0, "c": 140.0}
    rng = np.random.default_rng(8)
    stars = rng.uniform((-60, -50), (540, 50), (400, 2))
    lists = {name: exposure(name, stars, rng, wide) for name in wide}
    # both far ones are off by the same, so that they fit one another
    for name in ("b", "c"):
        east = far / 3600 / np.cos(np.radians(DEC))
        item = lists[name]
        footprints = tuple(np.add(polygon, (east, 0.0)) for polygon in item.footprints)
        lists[name] = replace(item, ra_deg=item.ra_deg + east, footprints=footprints)
    whole = plan(0, "a", "b", "c")
    whole["links"][0]["reaches"] = ["b", "x"]
    return stars, with_lost([grown(whole, lists, 0.1, ChainOptions())], ChainOptions())


def test_visits_that_cannot_be_fitted_make_a_group_of_their_own():
    _, (reference, group) = lost()
    assert [bool(link.why_not) for link in reference.links] == [True, True]
    assert {link.instead for link in reference.links} == {"its exposures make group 1"}
    assert group.exposures == ("b",)
    assert [link.label for link in group.links] == ["visit c"]
    # what hangs on them goes with them
    assert group.members == ("b", "c", "x")
    assert group.why_apart.startswith("visit b could not be fitted to the reference: ")
    found = joined([reference, group], 0.1)
    assert set(found.group) == {0, 1}
    # the stars of the reference are all there, and theirs where it has none
    assert np.count_nonzero(found.group == 0) == reference.catalogue.ra_deg.size
    assert np.count_nonzero(found.group == 1) > 0.3 * group.catalogue.ra_deg.size
    _, caveats = of_group(group, group.frame_beside(reference, ""), 30)
    assert "x belongs to group 1, as visit b could not be fitted" in caveats[2].text


def test_such_a_group_has_a_tie_of_its_own():
    stars, parts = lost(far=2.0)
    parts = moved(parts, stars)
    assert all(part.is_absolute for part in parts)
    found = joined(parts, 0.1)
    for group in (0, 1):
        assert np.hypot(*off(found, stars + GAIA, group)) < 2 * ERROR_MAS / 1000


def test_groups_of_other_years_stand_where_they_were_at_the_time_of_the_reference():
    """36 mas a year to the north; the group was seen five years after the reference."""
    one, two = np.ones(1), np.ones(1, np.int64)
    zero = np.zeros(1, np.int64)
    parts = []
    for number, (dec, year) in enumerate(((0.0, 2000.0), (1.0, 2005.0))):
        moving = Motions(0 * one, 36 * one, 0.1 * one, year * one) if number else None
        stars = Catalogue(
            10 * one, dec * one, 0.001 * one, one, one, two, two, np.zeros((1, 2)), {},
            motions=moving, frame_error_arcsec=0 * one, links=zero,
        )  # fmt: skip
        parts.append(Part(number, "", ("a",), (), stars, (), [], year=year))
    whole = joined(parts, 0.1)
    assert whole.dec_deg == pytest.approx([0.0, 1.0 - 0.18 / 3600], abs=1e-9)
    assert whole.motions.north_mas_yr == pytest.approx([np.nan, 36.0], nan_ok=True)
    assert whole.position_error_arcsec[1] == pytest.approx(np.hypot(0.001, 0.0005))
    again = whole.at_year(2000.0, 2005.0)
    assert again.dec_deg == pytest.approx([0.0, 1.0], abs=1e-9)
    assert again.position_error_arcsec == pytest.approx([0.001, 0.001])
