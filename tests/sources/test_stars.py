"""The stars of one chip: found, fitted, and told from what only looks like one."""

import numpy as np
import pytest

from hst123r.sources.stars import find_chip_stars, star_list

OPTIONS = {"threshold_sigma": 5.0, "min_snr": 10.0, "brightest": 200, "fit_radius_pix": 3.0}


@pytest.fixture
def field(grid):
    x, y = grid()
    return x, y, np.geomspace(2000, 60000, x.size)


def test_places_and_rates_are_right_within_their_errors(make_frame, field):
    x, y, flux = field
    found = find_chip_stars(make_frame(x, y, flux), **OPTIONS)
    assert found.x.size == x.size
    nearest = np.hypot(found.x[:, None] - x, found.y[:, None] - y).argmin(axis=1)
    for measured, true in ((found.x, x), (found.y, y)):
        pull = (measured - true[nearest]) / found.error_pix
        assert 0.7 < np.std(pull) < 1.4
    assert np.std((500 * found.rate - flux[nearest]) / (500 * found.rate_error)) < 1.5
    assert np.all(np.diff(found.rate) <= 0)
    assert found.error_arcsec == pytest.approx(0.05 * found.error_pix, rel=1e-3)


def test_cosmic_rays_and_galaxies_are_left_out(make_frame, make_psf, light, field):
    x, y, flux = field
    spots = [(20, 25 + 15 * n, 4000.0) for n in range(6)]
    frame = make_frame(x, y, flux, spots=spots)
    wide = light([60.0], [66.0], [60000.0], frame.shape, make_psf(sigma=3.0, half=20))
    frame.data[:] += wide
    found = find_chip_stars(frame, **OPTIONS)
    for row, column, _ in spots:
        assert np.hypot(found.x - column, found.y - row).min() > 1.5
    assert np.hypot(found.x - 60, found.y - 66).min() > 1.5
    assert found.x.size >= x.size - 3


def test_the_limits_are_the_callers(make_frame, field):
    frame = make_frame(*field)
    few = find_chip_stars(frame, **{**OPTIONS, "brightest": 7})
    every = find_chip_stars(frame, **OPTIONS)
    assert few.rate == pytest.approx(every.rate[:7], rel=0.02)
    clear = find_chip_stars(frame, **{**OPTIONS, "min_snr": 100.0})
    assert 0 < clear.x.size < every.x.size
    assert np.all(clear.rate / clear.rate_error >= 100)


def test_corners_are_the_outer_edges_of_the_chip(make_frame, field):
    frame = make_frame(*field)
    found = find_chip_stars(frame, **OPTIONS)
    x, y = frame.wcs.all_world2pix(found.corners, 0).T
    assert np.allclose(x, [-0.5, 129.5, 129.5, -0.5], atol=1e-6)
    assert np.allclose(y, [-0.5, -0.5, 119.5, 119.5], atol=1e-6)


def test_an_empty_chip_has_no_stars_and_joins_the_others(make_frame, field):
    empty = find_chip_stars(make_frame([], [], []), **OPTIONS)
    full = find_chip_stars(make_frame(*field), **OPTIONS)
    assert empty.x.size == empty.ra_deg.size == empty.error_arcsec.size == 0
    both = star_list([empty, full], "x")
    assert both.ra_deg.size == full.ra_deg.size
    assert len(both.footprints) == 2
    assert star_list([], "x").ra_deg.size == 0
