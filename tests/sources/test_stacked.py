"""Sources of a stack, and one list of several."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from hst123r.sources.stacked import Sources, StackImage, find_sources, merge_sources, nearest_arcsec
from hst123r.sources.wings import Wings

SHAPE = (200, 220)


@pytest.fixture
def make_stack(light, psf, make_wcs):
    """Return a stack of some stars with noise of 1 at the full weight."""

    def make(x, y, flux, *, weight=None, seed=1):
        weight = np.full(SHAPE, 400.0, "f4") if weight is None else weight
        rng = np.random.default_rng(seed)
        with np.errstate(divide="ignore"):
            noise = np.where(weight > 0, np.sqrt(400.0 / weight), np.nan)
        science = light(x, y, flux, SHAPE) + noise * rng.standard_normal(SHAPE) + 0.3
        return StackImage(
            science=science.astype("f4"), weight=weight.astype("f4"), wcs=make_wcs(SHAPE),
            compared=None, scale_arcsec=0.05,
            fwhm_arcsec=0.05 * psf.fwhm_pix, wings=Wings.of(psf, 0.05), full=1e9,
        )  # fmt: skip

    return make


def sources(*places, snr=10.0):
    ra, dec = np.array(places, float).reshape(-1, 2).T
    ones = np.ones(ra.size)
    return Sources(ra, dec, 0.01 * ones, snr * ones, ones, ones, np.zeros(ra.size, np.int64))


def test_stars_are_found_where_they_are_and_the_noise_is_measured(make_stack, grid):
    x, y = grid(step=22, shape=SHAPE)
    image = make_stack(x, y, np.geomspace(100, 20000, x.size))
    search = find_sources(image, 5.0, number=3)
    assert search.noise == pytest.approx(1.0, rel=0.1)
    assert not search.sky_cut
    found = search.sources
    assert found.count == x.size
    there = np.stack(image.wcs.all_world2pix(found.ra_deg, found.dec_deg, 0), axis=1)
    nearest = np.hypot(there[:, 0, None] - x, there[:, 1, None] - y).argmin(axis=1)
    apart = np.hypot(there[:, 0] - x[nearest], there[:, 1] - y[nearest]) * 0.05
    assert np.all(apart < 3.5 * found.error_arcsec)
    assert np.all(found.snr >= 5.0)
    assert set(found.image) == {3}


def test_noise_alone_holds_next_to_nothing(make_stack):
    counts = [find_sources(make_stack([], [], [], seed=s), 5.0).sources.count for s in range(5)]
    assert sum(counts) <= 1


def test_the_noise_follows_the_weight(make_stack):
    """A quarter of the exposure time has twice the noise: no more false sources there."""
    weight = np.full(SHAPE, 400.0, "f4")
    weight[:, 110:] = 100.0
    image = make_stack([50.0, 170.0], [100.0, 100.0], [110.0, 110.0], weight=weight)
    found = find_sources(image, 5.0).sources
    assert found.count <= 3
    x, _ = image.wcs.all_world2pix(found.ra_deg, found.dec_deg, 0)
    deep, shallow = (found.snr[np.argmin(np.abs(x - column))] for column in (50, 170))
    assert deep / shallow == pytest.approx(2.0, rel=0.25)


def test_a_stack_without_data_has_no_sources(make_stack):
    image = make_stack([50.0], [50.0], [5000.0], weight=np.zeros(SHAPE, "f4"))
    search = find_sources(image, 5.0)
    assert search.sources.count == 0
    assert np.isnan(search.noise)


def test_pixels_without_weight_are_no_sources(make_stack):
    weight = np.full(SHAPE, 400.0, "f4")
    weight[:, :30] = 0
    image = make_stack([100.0], [100.0], [3000.0], weight=weight)
    image.science[:, :30] = 500.0
    found = find_sources(image, 5.0).sources
    assert found.count == 1


def test_where_no_exposures_were_compared_nothing_is_found(make_stack):
    image = make_stack([50.0, 150.0], [100.0, 100.0], [3000.0, 3000.0])
    compared = np.full(SHAPE, 2, np.uint8)
    compared[:, :100] = 1
    image = replace(image, compared=compared)
    (x,), _ = image.wcs.all_world2pix(*_places(find_sources(image, 5.0)), 0)
    assert x == pytest.approx(150.0, abs=0.5)
    assert find_sources(image, 5.0, least_compared=1).sources.count == 2


def test_a_star_beyond_the_border_is_no_source_on_this_side(make_stack):
    """Its core lies where nothing was compared, its wings reach over."""
    image = make_stack([98.0, 160.0], [100.0, 60.0], [2e5, 3000.0])
    compared = np.full(SHAPE, 2, np.uint8)
    compared[:, :100] = 1
    (x,), _ = image.wcs.all_world2pix(
        *_places(find_sources(replace(image, compared=compared), 5)), 0
    )
    assert x == pytest.approx(160.0, abs=0.5)


def test_a_star_with_a_hit_in_one_exposure_is_found(make_stack):
    """Where a pixel was left out for a hit, fewer exposures are left, but they were compared."""
    image = make_stack([50.0], [100.0], [3000.0])
    compared = np.full(SHAPE, 2, np.uint8)
    compared[97:103, 49:52] = 1
    assert find_sources(replace(image, compared=compared), 5.0).sources.count == 1


def _places(search):
    return search.sources.ra_deg, search.sources.dec_deg


def test_noise_that_pixels_share_makes_no_sources(make_stack):
    """A drizzled sky: each pixel the mean of four of a grid that is twice as fine."""
    rng = np.random.default_rng(3)
    counts = []
    for _ in range(4):
        shared = uniform_filter(rng.standard_normal(SHAPE), 2).astype("f4")
        image = replace(make_stack([], [], []), science=shared / shared.std())
        search = find_sources(image, 5.0)
        assert search.growth > 1.3
        counts.append(search.sources.count)
    assert sum(counts) <= 2


def test_a_sky_of_one_value_is_told(make_stack):
    image = make_stack([50.0], [50.0], [5000.0])
    cut = np.where(image.science < 3.0, np.float32(0.0), image.science)
    object.__setattr__(image, "science", cut)
    search = find_sources(image, 5.0)
    assert search.sky_cut
    assert search.noise > 0
    assert search.sources.count >= 1


def test_later_lists_add_only_what_is_new():
    step = 1 / 3600
    first = sources((150.0, 2.0), (150.0, 2.0 + step))
    second = sources((150.0, 2.0 + 0.05 * step), (150.0, 2.0 + 5 * step), snr=99.0)
    merged = merge_sources([first, second, sources()], [0.1, 0.1, 0.1])
    assert merged.count == 3
    assert merged.snr.tolist() == [10.0, 10.0, 99.0]
    assert merge_sources([sources(), second], [0.1, 0.1]).count == 2
    assert merge_sources([first, second], [0.1, 0.01]).count == 4


def test_the_nearest_source_is_so_far_away():
    step = 1 / 3600
    found = nearest_arcsec(np.array([150.0]), np.array([2.0]), sources((150.0, 2.0 + 2 * step)))
    assert found == pytest.approx([2.0], abs=1e-6)
    assert np.isinf(nearest_arcsec(np.array([150.0]), np.array([2.0]), sources()))
    # across the meridian of right ascension zero
    over = nearest_arcsec(np.array([359.9999]), np.array([0.0]), sources((0.0001, 0.0)))
    assert over == pytest.approx([0.72], abs=1e-4)
