"""How well an exposure stands on the reference."""

import math

import numpy as np
import pytest

from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.algorithms.transform import fit
from hst123r.sources.alignment import Frame, ReferenceStars, compare, compare_positions
from hst123r.sources.stars import ChipStars

SHAPE = (1000, 1000)
FRAME = Frame(scale_arcsec=0.05, search_pix=20.0, tolerance_pix=1.0, geometry="rscale")


@pytest.fixture
def case(make_wcs):
    """Return stars of two chips, their WCS moved by some pixels, and the catalogue."""

    def make(dx=0.0, dy=0.0, count=60, error_pix=0.02, seed=1):
        rng = np.random.default_rng(seed)
        right, wcs = make_wcs(SHAPE), make_wcs(SHAPE, dx, dy)
        chips, places = {}, []
        for version in (1, 2):
            x, y = rng.uniform(10, 490, count) + 500 * (version - 1), rng.uniform(10, 990, count)
            places.append(right.all_pix2world(np.stack([x, y], axis=1), 0))
            seen_x, seen_y = (v + rng.normal(0, error_pix, count) for v in (x, y))
            ones = np.ones(count)
            chips[version] = ChipStars(
                seen_x, seen_y, ones, ones, ones, 0.1 * ones, error_pix * ones,
                0.05 * error_pix * ones, np.zeros((4, 2)),
            )  # fmt: skip
        ra, dec = np.concatenate(places).T
        reference = ReferenceStars(ra, dec, np.full(ra.size, 0.0005), np.ones(ra.size))
        return compare(chips, {1: wcs, 2: wcs}, reference, FRAME)

    return make


def test_stars_that_agree_leave_their_noise(case):
    found = case()
    assert (found.stars, found.pairs) == (120, 120)
    # 0.02 pixel of 50 mas
    assert found.rms_mas == pytest.approx((1.0, 1.0), rel=0.25)
    assert found.offset_mas < 0.5
    assert found.is_aligned


def test_an_offset_is_measured_and_not_fitted_away(case):
    found = case(dx=4.0, dy=-3.0)
    assert found.pairs == 120
    # where the WCS has crpix 4 pixels to the right, stars seem 4 pixels to the east
    assert np.mean(found.east_mas) == pytest.approx(-200, abs=1)
    assert np.mean(found.north_mas) == pytest.approx(-150, abs=1)
    assert found.offset_mas == pytest.approx(250, abs=1)
    assert found.correction_mas == pytest.approx(250, abs=3)
    assert not found.is_aligned


@pytest.mark.parametrize(("shift", "aligned"), [(0.0, True), (0.03, False), (0.2, False)])
def test_only_a_correction_that_can_be_measured_is_one(case, shift, aligned):
    """With 120 stars the solution is known to about 0.005 pixel at the edge."""
    assert case(dx=shift).is_aligned is aligned


def test_an_uncertain_solution_still_corrects_what_is_large(case):
    found = case(dx=0.3, count=12, error_pix=0.2)
    assert found.correction_mas > 0.05 * found.scale_mas
    assert not found.is_aligned


def test_without_a_match_there_is_a_reason_and_no_number(case, make_wcs):
    found = case(dx=60.0)
    assert found.pairs == 0
    assert found.why_not
    assert all(map(math.isnan, found.rms_mas))
    assert not found.is_aligned
    as_json = found.as_json()
    assert as_json["rms_east_mas"] is None
    assert as_json["why_not"] == found.why_not


def test_no_stars_at_all(make_wcs):
    nothing = np.zeros(0)
    empty = ReferenceStars(nothing, nothing, nothing, nothing)
    found = compare({}, {}, empty, FRAME)
    assert (found.stars, found.pairs) == (0, 0)
    assert found.why_not == "there are no stars to compare"


def test_the_rms_in_pixels_and_of_some_stars(case):
    found = case()
    assert found.rms_pix == pytest.approx(0.02, rel=0.25)
    assert found.rms_of(found.star) == pytest.approx(1000 * 0.05 * found.rms_pix)
    assert found.rms_of(found.star[:10]) != found.rms_of(found.star)
    assert math.isnan(found.rms_of(np.zeros(0, np.int64)))


@pytest.mark.parametrize("share", [(0.25, 1.0), (0.5, 0.5)])
def test_the_error_covers_the_worst_corner_where_few_of_the_stars_are_matched(share):
    """A strip or a quarter of the frame; counted from its middle the error was 0.6 of the truth."""
    half = 100.0
    corners = half * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    off, said = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        stars = np.concatenate([corners, rng.uniform(-half, half, (496, 2))])
        known = rng.uniform(-half, 2 * half * np.array(share) - half, (40, 2))
        seen = np.concatenate([stars, known + rng.normal(0, 0.01, known.shape)])
        ra, dec = from_tangent_plane(*seen.T, 150.0, 2.0)
        there = from_tangent_plane(*known.T, 150.0, 2.0)
        reference = ReferenceStars(*there, np.full(40, 1e-4), np.ones(40))
        found = compare_positions(ra, dec, np.full(ra.size, 0.01), reference, FRAME)
        pairing = found.pairing
        fitted = fit(pairing.star, pairing.reference, pairing.error_arcsec**-2, "rscale")
        here = np.stack(to_tangent_plane(ra[:4], dec[:4], *pairing.centre_deg), axis=1)
        off.append(fitted.transform(here) - here)
        said.append(found.error_mas)
    scatter = 1000 * np.sqrt(np.mean(np.sum(np.square(off), axis=2), axis=0))
    assert np.mean(said) == pytest.approx(scatter.max(), rel=0.15)
