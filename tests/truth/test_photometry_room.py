"""The photometry room measures simulated frames, and gives the truth back with honest errors."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from star_frames import (
    DEC,
    OUTLIER,
    PARAMS,
    SETUPS,
    TIME,
    cramer_rao,
    lattice,
    observe,
    sky_of,
)

from hst123r import instruments
from hst123r.photometry.combine import combine
from hst123r.photometry.flags import Flag
from hst123r.photometry.free import free
from hst123r.photometry.joint import common_positions
from hst123r.photometry.limits import limiting_magnitude
from hst123r.photometry.magnitudes import magnitude_ab, njy_per_unit
from hst123r.photometry.measure import measure
from hst123r.simulation.render import conversion

pytestmark = [pytest.mark.truth, pytest.mark.heavy]


@pytest.fixture(scope="module", params=PARAMS)
def isolated(request):
    """Eight exposures of some 250 isolated stars, and what is measured in them."""
    filter_name, bright, faint, spacing = SETUPS[request.param]
    east, north = lattice(spacing, 9.5 * spacing)
    magnitudes = np.random.default_rng(2).permutation(np.linspace(bright, faint, east.size))
    field = observe(request.param, filter_name, east, north, magnitudes, 8)
    measured = [
        measure(frame, x, y) for frame, x, y in zip(field.frames, field.x, field.y, strict=True)
    ]
    return request.param, field, measured


@pytest.fixture(scope="module")
def table(isolated):
    """Fluxes, errors and flags of the exposures measured together, (exposures, stars)."""
    name, field, _ = isolated
    # as the engine does: ramps have no cosmic rays left
    scales = None if instruments.get(name).noise.cosmic_rays is None else np.ones(8)
    joint = common_positions(field.frames, field.ra, field.dec, rounds=0, scales=scales)
    return tuple(
        np.array([getattr(item, name) for item in joint.fluxes])
        for name in ("flux", "error", "flags", "photon_slope")
    )


def near_a_hit(field, k, within_pix=4):
    """Return which stars have a pixel that a cosmic ray has hit near them in an exposure."""
    result = np.zeros(field.flux.size, bool)
    hit = field.cosmic_rays[k]
    for star in np.flatnonzero(np.isfinite(field.x[k])):
        column, row = round(field.x[k, star]), round(field.y[k, star])
        low, left = max(0, row - within_pix), max(0, column - within_pix)
        result[star] = hit[low : row + within_pix + 1, left : column + within_pix + 1].any()
    return result


def bins(field, count=4):
    edges = np.linspace(field.magnitude.min(), field.magnitude.max() + 1e-9, count + 1)
    return [(field.magnitude >= a) & (field.magnitude < b) for a, b in pairwise(edges)]


def test_there_are_stars_enough(isolated):
    _, field, _ = isolated
    assert np.count_nonzero(np.isfinite(field.x).all(axis=0)) >= 200


def test_magnitudes_are_not_biased(isolated, table):
    _, field, _ = isolated
    flux, error, flags, slope = table
    result = combine(flux, error, np.arange(8), TIME, slope, use=(flags & ~OUTLIER) == 0)
    away = -2.5 * np.log10(result.flux / field.flux)
    good = result.exposures >= 4
    assert abs(np.median(away[good])) < 0.003
    for chosen in bins(field):
        assert abs(np.median(away[good & chosen])) < 0.01


def test_chi2_per_star_and_quoted_errors(isolated, table):
    _, field, _ = isolated
    flux, error, flags, _ = table
    pull = np.where((flags & ~OUTLIER) == 0, (flux - field.flux) / error, np.nan)
    seen = np.isfinite(pull).sum(axis=0) >= 4
    chi2, spread = np.full((2, seen.size), np.nan)
    chi2[seen] = np.nanmean(pull[:, seen] ** 2, axis=0)
    spread[seen] = np.nanstd(np.where(np.isnan(pull), np.nan, flux)[:, seen], axis=0, ddof=1)
    assert 0.8 < np.nanmedian(chi2) < 1.3
    for chosen in (part & seen for part in bins(field)):
        assert 0.8 < np.nanmean(chi2[chosen]) < 1.3
        assert np.nanstd(pull[:, chosen]) == pytest.approx(1.0, abs=0.15)
        ratio = spread[chosen] / np.nanmedian(error[:, chosen], axis=0)
        assert np.nanmedian(ratio) == pytest.approx(0.96, abs=0.15)  # 8 give 0.96 on average


def test_pixels_fit_as_well_as_noise_allows(isolated):
    _, _, measured = isolated
    chi = np.array([item.fluxes.chi for item in measured])
    assert np.nanmedian(chi) == pytest.approx(1.0, abs=0.03)


def test_nothing_is_silently_wrong(isolated, table):
    """Stars hit by cosmic rays, on bad columns or saturated are right, or flagged."""
    name, field, _ = isolated
    flux, error, flags, slope = table
    pull = np.abs(flux - field.flux) / error
    wrong = (flags == 0) & (pull > 5.0)
    # of 2000 fluxes one may be in the others: a hit adds 2 % to a star of S/N 250, no more than its
    # pixels are allowed to differ from the PSF
    rays = instruments.get(name).noise.cosmic_rays is not None
    assert np.count_nonzero(wrong) <= (1 if rays and name != "ACS/WFC" else 0)
    for k, star in np.argwhere(wrong):
        assert near_a_hit(field, k)[star]
    assert np.all(np.abs(flux / field.flux - 1)[wrong] < 0.025)
    result = combine(flux, error, np.arange(8), TIME, slope, use=(flags & ~OUTLIER) == 0)
    assert np.nanmax(np.abs(result.flux - field.flux) / result.error) < 5.0
    hits = 0
    for k, frame in enumerate(field.frames):
        on = np.flatnonzero(np.isfinite(field.x[k]))
        column, row = np.round(field.x[k, on]).astype(int), np.round(field.y[k, on]).astype(int)
        masked = frame.mask[row, column]
        assert np.all(flags[k, on[masked]] & (Flag.PARTLY_MASKED | Flag.NO_PIXELS))
        assert np.all(flags[k, on[frame.saturated[row, column]]] & Flag.SATURATED)
        hit = field.cosmic_rays[k][row, column]
        hits += np.count_nonzero(hit)
    if name == "ACS/WFC":
        assert hits > 10
        outliers = (flags & OUTLIER) > 0
        assert np.nanmedian(pull[outliers]) < 1.2


def test_a_star_on_a_bad_column_is_flagged(isolated):
    _, field, _ = isolated
    frame, x, y = field.frames[0], field.x[0].copy(), field.y[0]
    mask = frame.mask.copy()
    star = int(np.flatnonzero(np.isfinite(x) & (np.abs(field.magnitude - 22) < 1))[0])
    mask[:, round(x[star])] = True
    data = frame.data.copy()
    data[:, round(x[star])] = 0
    fluxes = measure(replace(frame, mask=mask, data=data), x, y).fluxes
    assert fluxes.flags[star] & Flag.PARTLY_MASKED
    assert abs(fluxes.flux[star] - field.flux[star]) < 4 * fluxes.error[star]


def test_errors_shrink_with_the_square_root(isolated, table):
    _, _, _ = isolated
    flux, error, flags, slope = table
    use = (flags & ~OUTLIER) == 0
    whole = use.all(axis=0)
    errors = [
        combine(flux[:n], error[:n], np.arange(n), TIME, slope[:n]).error_weights[whole]
        for n in (2, 8)
    ]
    assert np.median(errors[0] / errors[1]) == pytest.approx(2.0, rel=0.03)


def test_the_scatter_is_the_least_possible(isolated, table):
    """Errors of single fluxes are within a twentieth of the bound of Cramer and Rao."""
    name, field, _ = isolated
    flux, error, flags, _ = table
    sky, scatter, quoted = sky_of(name, SETUPS[name][0], field.frames[0]), [], []
    for k, frame in enumerate(field.frames):
        good = flags[k] == 0
        x, y, true = field.x[k, good], field.y[k, good], field.flux[good]
        area = frame.area_at(x, y)
        bound = cramer_rao(frame, x, y, true / area, sky, places_known=True)[0] * area
        scatter.append((flux[k, good] - true) / bound)
        quoted.append(error[k, good] / bound)
    away, ratio = np.concatenate(scatter), np.concatenate(quoted)
    assert away.size > 800
    assert np.median(ratio) < 1.05
    # the 16th to the 84th percentile: a hit that was not found is no matter of efficiency
    width = np.diff(np.percentile(away, [15.87, 84.13]))[0] / 2
    assert width < 1.05


def test_free_positions(isolated):
    name, field, measured = isolated
    sky = sky_of(name, SETUPS[name][0], field.frames[0])
    rng = np.random.default_rng(4)
    away, bound, pull = [], [], []
    for k in range(4):
        frame, x, y = field.frames[k], field.x[k], field.y[k]
        start = rng.normal(0, 0.15, (2, x.size))
        stars = free(frame, x + start[0], y + start[1], measured[k].background)
        good = (stars.fluxes.flags == 0) & (field.magnitude < SETUPS[name][2] - 0.5)
        offset = np.stack([stars.x - x, stars.y - y])[:, good]
        error = np.stack([stars.x_error, stars.y_error])[:, good]
        area = frame.area_at(x[good], y[good])
        limits = cramer_rao(frame, x[good], y[good], field.flux[good] / area, sky)
        away.append(offset)
        bound.append(offset / limits[1:])
        pull.append(offset / error)
    away, bound, pull = (np.concatenate(item, axis=1) for item in (away, bound, pull))
    assert np.abs(np.median(away, axis=1)).max() < 0.002
    assert np.abs(away.mean(axis=1)).max() < 0.01
    assert bound.std() < 1.15
    assert pull.std() == pytest.approx(1.0, abs=0.1)


def test_common_positions(isolated):
    _, field, _ = isolated
    truth = field.frames[0].wcs.all_pix2world(field.x[0], field.y[0], 0)
    on = np.isfinite(field.x).all(axis=0)
    ra, dec = truth[0][on], truth[1][on]
    east, north = np.random.default_rng(5).normal(0, 0.01, (2, on.sum()))
    joint = common_positions(
        field.frames[:4], ra + east / 3600 / np.cos(np.radians(DEC)), dec + north / 3600
    )
    away = joint.offset_arcsec + np.column_stack([east, north])
    pull = away / np.sqrt(joint.covariance[:, [0, 1], [0, 1]])
    assert 1.4826 * np.median(np.abs(pull)) == pytest.approx(1.0, abs=0.12)
    for fluxes in joint.fluxes:
        good = (fluxes.flags & ~OUTLIER) == 0
        flux_pull = ((fluxes.flux - field.flux[on]) / fluxes.error)[good]
        assert 1.4826 * np.median(np.abs(flux_pull)) == pytest.approx(1.0, abs=0.2)


def signal_to_noise(name, filter_name, magnitude, frame):
    """Return the median S/N that theory gives a star anywhere within a pixel."""
    flux = conversion(instruments.get(name), filter_name, TIME).electrons(np.full(99, magnitude))
    x, y = 500 + np.random.default_rng(9).random((2, 99))
    errors = cramer_rao(frame, x, y, flux, sky_of(name, filter_name, frame), places_known=True)
    return float(np.median(flux / errors[0]))


def magnitude_of(name, filter_name, wanted, frame):
    low, high = 20.0, 32.0
    for _ in range(60):
        middle = (low + high) / 2
        if signal_to_noise(name, filter_name, middle, frame) > wanted:
            low = middle
        else:
            high = middle
    return low


@pytest.fixture(scope="module", params=PARAMS)
def faint(request):
    """Eight exposures of stars that have S/N 2 in each."""
    name = request.param
    filter_name, _, _, spacing = SETUPS[name]
    east, north = lattice(spacing / 2.4, 9.5 * spacing)
    # the chip that the field is on: chips differ
    probe = observe(name, filter_name, east, north, np.full(east.size, 26.0), 1).frames[0]
    magnitude = magnitude_of(name, filter_name, 2.0, probe)
    field = observe(
        name, filter_name, east, north, np.full(east.size, magnitude), 8, bad_pixels=False
    )
    measured = [
        measure(frame, x, y).fluxes
        for frame, x, y in zip(field.frames, field.x, field.y, strict=True)
    ]
    return name, field, measured


def test_eight_faint_exposures_combine_without_bias(faint):
    _, field, measured = faint
    flux, error, slope, flags = (
        np.array([getattr(item, name) for item in measured])
        for name in ("flux", "error", "photon_slope", "flags")
    )
    assert np.nanmedian(field.flux / error) == pytest.approx(2.0, rel=0.03)
    result = combine(flux, error, np.arange(8), TIME, slope, use=(flags & ~OUTLIER) == 0)
    good = result.exposures == 8
    assert good.sum() > 700
    assert abs(-2.5 * np.log10(np.median(result.flux[good]) / field.flux[0])) < 0.02
    assert abs(-2.5 * np.log10(np.mean(result.flux[good]) / field.flux[0])) < 0.02
    assert abs(np.median(magnitude_ab(result.flux[good] / field.flux[0])) - 31.4) < 0.03
    pull = (result.flux - field.flux)[good] / result.error_weights[good]
    assert pull.std() == pytest.approx(1.0, abs=0.08)


def test_limits_are_the_magnitude_with_that_signal_to_noise(faint):
    name, field, measured = faint
    filter_name = SETUPS[name][0]
    three = magnitude_of(name, filter_name, 3.0, field.frames[0])
    unit = njy_per_unit(field.zeropoint) / TIME
    if not instruments.get(name).products.unit.endswith("/S"):
        unit /= instruments.get(name).noise.gain.value
    for item in measured:
        limits = limiting_magnitude(item.flux * unit, item.error * unit, item.photon_slope * unit)
        good = item.flags == 0
        assert np.median(limits[good]) == pytest.approx(three, abs=0.02)
        assert np.std(limits[good]) < 0.05


@pytest.mark.parametrize("name", PARAMS)
def test_blends(name):
    """A star one magnitude fainter than its neighbour three pixels away."""
    filter_name, _, _, spacing = SETUPS[name]
    scale = instruments.get(name).pixel_scale.value
    east, north = lattice(spacing, 9.5 * spacing)
    angle = np.random.default_rng(6).uniform(0, 2 * np.pi, east.size)
    bright = np.full(east.size, 23.0 if name == "ACS/WFC" else 22.0)
    field = observe(
        name,
        filter_name,
        np.append(east, east + 3 * scale * np.sin(angle)),
        np.append(north, north + 3 * scale * np.cos(angle)),
        np.append(bright, bright + 1.0),
        2,
    )
    near, wrong = 0, 0
    for k, frame in enumerate(field.frames):
        x, y = field.x[k], field.y[k]
        measured = measure(frame, x, y)
        # what a user sees, who does not know where the hits are
        hit = (measured.fluxes.flags == 0) & near_a_hit(field, k)
        pull = (measured.fluxes.flux - field.flux) / measured.fluxes.error
        near += np.count_nonzero(hit)
        wrong += np.count_nonzero(hit & (np.abs(pull) > 5))
        stars = free(frame, x + 0.1, y - 0.1, measured.background)
        for fluxes in (measured.fluxes, stars.fluxes):
            # a hit in a core is told by other exposures, which a single frame does not have
            good = (fluxes.flags == 0) & ~near_a_hit(field, k)
            pull = ((fluxes.flux - field.flux) / fluxes.error)[good]
            assert good.sum() > 200
            assert np.mean(np.abs(pull) < 2) > 0.9
            assert pull.std() == pytest.approx(1.0, abs=0.12)
            for part in (slice(0, east.size), slice(east.size, None)):
                ratio = (fluxes.flux / field.flux)[part][good[part]]
                assert abs(np.median(ratio) - 1) < 0.01
    if name == "ACS/WFC":
        # measured: 1 of 25 (of isolated stars in eight exposures none of 46)
        assert near > 15
        assert wrong <= 0.1 * near
