from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r.algorithms.merge import StarList, merge
from hst123r.algorithms.sphere import from_tangent_plane, separation_arcsec
from hst123r.errors import InputError

RA, DEC = 0.001, -60.0
HALF = 25.0


def exposures(seed=1, count=3, stars=200, rays=150, shift=0.03, step=10.0):
    """Star lists of dithered exposures, the true places, and the shift of each list."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(-40, 40, (stars, 2))
    flux = 10 ** rng.uniform(1, 3, stars)
    lists, moves = [], rng.normal(0, shift, (count, 2))
    for k in range(count):
        middle = np.array([step * (k - 1), 0.0])
        seen = np.all(np.abs(place - middle) < HALF, axis=1)
        error = 0.1 / np.sqrt(flux[seen])
        xy = place[seen] + error[:, None] * rng.standard_normal((seen.sum(), 2)) + moves[k]
        false = middle + rng.uniform(-HALF, HALF, (rays, 2))
        xy = np.concatenate([xy, false])
        corners = middle + HALF * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        sigma = np.concatenate([error, np.full(rays, 0.01)])
        light = np.concatenate([flux[seen], np.full(rays, 100.0)])
        ra, dec = from_tangent_plane(*xy.T, RA, DEC)
        footprint = np.column_stack(from_tangent_plane(*corners.T, RA, DEC))
        lists.append(StarList(ra, dec, light, np.sqrt(light), sigma, (footprint,), f"exposure {k}"))
    return lists, place, moves


def true_sky(place):
    return from_tangent_plane(*place.T, RA, DEC)


def test_cosmic_rays_stay_out_and_stars_come_in():
    lists, place, _ = exposures(rays=40)
    result = merge(lists, 0.15)
    ra, dec = true_sky(place)
    away = separation_arcsec(result.ra_deg[:, None], result.dec_deg[:, None], ra, dec)
    several = result.covering >= 2
    assert np.all(result.detections[several] >= 2)
    # by chance two cosmic rays may be at one place
    assert np.count_nonzero(away.min(axis=1)[several] > 0.2) <= 1
    inside = np.sum(
        [np.all(np.abs(place - [10.0 * (k - 1), 0]) < HALF, axis=1) for k in range(3)], 0
    )
    assert np.all(away.min(axis=0)[inside >= 2] < 0.2)
    assert not result.problems


def test_where_one_exposure_sees_one_detection_is_enough():
    lists, _, _ = exposures(rays=0)
    result = merge(lists, 0.15)
    single = result.covering == 1
    assert single.any()
    assert np.all(result.detections[single] == 1)


def test_shifts_are_taken_out_and_their_mean_is_kept():
    lists, _, moves = exposures()
    result = merge(lists, 0.15)
    expected = -(moves - moves.mean(axis=0))
    assert result.shift_arcsec == pytest.approx(expected, abs=0.005)
    assert result.shift_arcsec.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)


def test_errors_of_means():
    pull = []
    for seed in range(8):
        lists, place, moves = exposures(seed, rays=0, step=0.0)
        result = merge(lists, 0.15, floor_arcsec=0.0)
        ra, dec = true_sky(place + moves.mean(axis=0))
        away = separation_arcsec(result.ra_deg[:, None], result.dec_deg[:, None], ra, dec)
        row = away.argmin(axis=1)
        faint = result.position_error_arcsec > 0.008
        north = (result.dec_deg - dec[row]) * 3600
        pull.append((north / result.position_error_arcsec)[faint & (result.detections == 3)])
    assert np.std(np.concatenate(pull)) == pytest.approx(1.0, abs=0.12)


def test_fluxes_are_weighted_means_and_the_brightest_come_first():
    lists, _, _ = exposures(rays=0, step=0.0, shift=0.0)
    twice = replace(lists[1], flux=2 * lists[1].flux, flux_error=2 * lists[1].flux_error)
    result = merge([lists[0], twice], 0.15)
    assert np.all(np.diff(result.flux) <= 0)
    brightest = lists[0].flux.max()
    expected = brightest * (1 + 2 / 4) / (1 + 1 / 4)
    assert result.flux[0] == pytest.approx(expected, rel=1e-6)
    assert np.all(result.detections == 2)


def test_a_list_that_cannot_be_matched_is_said():
    lists, _, _ = exposures(rays=0)
    few = replace(
        lists[2],
        **{
            name: getattr(lists[2], name)[:3]
            for name in ("ra_deg", "dec_deg", "flux", "flux_error", "position_error_arcsec")
        },
    )
    result = merge([lists[0], lists[1], few], 0.15)
    assert list(result.problems) == ["exposure 2"]
    assert result.shift_arcsec[2].tolist() == [0.0, 0.0]


def test_no_shifts_when_none_are_asked_for():
    lists, _, _ = exposures()
    assert not merge(lists, 0.15, shifts=None).shift_arcsec.any()


def test_one_exposure_is_its_own_catalogue():
    lists, _, _ = exposures(count=1)
    result = merge(lists, 0.15)
    assert len(result.ra_deg) == len(lists[0].ra_deg)
    assert np.all(result.covering == 1)


def test_empty_lists_and_entries_that_are_not_finite():
    lists, _, _ = exposures(rays=0)
    bad = lists[0].ra_deg.copy()
    bad[0] = np.nan
    empty = StarList(*(np.empty(0) for _ in range(5)), lists[0].footprints, "empty")
    result = merge([replace(lists[0], ra_deg=bad), lists[1], empty], 0.15)
    assert np.isfinite(result.ra_deg).all()
    assert merge([empty], 0.15).ra_deg.size == 0


def test_the_same_every_time():
    lists, _, _ = exposures()
    one, two = merge(lists, 0.15), merge(lists, 0.15)
    assert np.array_equal(one.ra_deg, two.ra_deg)
    assert np.array_equal(one.flux, two.flux)


@pytest.mark.parametrize(("count", "radius"), [(0, 0.1), (1, 0.0), (1, np.nan)])
def test_what_cannot_be_merged_is_refused(count, radius):
    with pytest.raises(InputError):
        merge(exposures()[0][:count], radius)
