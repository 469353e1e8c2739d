from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.forced import forced
from hst123r.photometry.sky import Background


def sky_of(frame, level=50.0, rms=np.nan):
    return Background.flat(level, frame.shape, rms)


def test_without_noise_fluxes_are_exact(make_frame, grid):
    x, y = grid()
    flux = 10 ** np.random.default_rng(1).uniform(2, 5, x.size)
    frame = make_frame(x, y, flux, seed=None)
    result = forced(frame, x, y, sky_of(frame))
    assert result.flux == pytest.approx(flux, rel=2e-4)
    assert np.all(result.flags == 0)
    assert np.all(result.rejected == 0)
    assert result.usable == pytest.approx(1.0)


@pytest.mark.parametrize("area", [0.93, 1.0, 1.08])
def test_fluxes_are_true_electrons_whatever_the_pixel_area(make_frame, grid, area):
    x, y = grid()
    frame = make_frame(x, y, np.full(x.size, 5000.0), area=area, seed=None)
    result = forced(frame, x, y, sky_of(frame))
    assert result.flux == pytest.approx(5000.0, rel=2e-4)


@pytest.mark.parametrize("area", [1.0, 1.1])
def test_errors_are_those_of_repeated_exposures(make_frame, grid, area):
    x, y = grid(20.0)
    flux = np.full(x.size, 400.0)
    results = [
        forced(frame, x, y, sky_of(frame))
        for frame in (make_frame(x, y, flux, seed=seed, area=area) for seed in range(40))
    ]
    pull = np.concatenate([(item.flux - flux) / item.error for item in results])
    assert abs(pull.mean()) < 0.12
    assert pull.std() == pytest.approx(1.0, abs=0.06)
    chi2 = np.mean([item.chi2.mean() / (item.pixels.mean() - 1) for item in results])
    assert chi2 == pytest.approx(1.0, abs=0.03)


def test_faint_and_absent_stars_are_not_biased(make_frame, grid):
    x, y = grid(20.0)
    for truth in (0.0, 60.0):
        found = np.array(
            [
                forced(frame, x, y, sky_of(frame)).flux
                for frame in (
                    make_frame(x, y, np.full(x.size, truth), seed=seed) for seed in range(40)
                )
            ]
        )
        assert (found < 0).any()
        assert abs(found.mean() - truth) < 3 * found.std() / np.sqrt(found.size) + 0.3


def test_neighbours_are_told_apart(make_frame):
    x, y, flux = [60.0, 63.0], [60.2, 60.2], [20_000.0, 8_000.0]
    pull = []
    for seed in range(30):
        frame = make_frame(x, y, flux, seed=seed)
        result = forced(frame, x, y, sky_of(frame))
        pull.append((result.flux - flux) / result.error)
    assert np.abs(np.mean(pull, axis=0)).max() < 0.6
    assert np.std(pull) == pytest.approx(1.0, abs=0.25)
    assert result.crowding_mag[1] > result.crowding_mag[0] > 0


def test_wings_beyond_the_fit_radius_are_taken_off(make_frame, make_psf):
    wide = make_psf(2.5)
    x, y, flux = [60.0, 67.5], [60.0, 60.0], [1e6, 1000.0]
    frame = make_frame(x, y, flux, seed=None, with_psf=wide)
    result = forced(frame, x, y, sky_of(frame), FitOptions(fit_radius_pix=4.0, model_error=0.01))
    assert result.flux == pytest.approx(flux, rel=5e-3)


def test_masked_pixels(make_frame):
    x, y = np.array([30.0, 60.0, 90.0]), np.array([40.0, 40.0, 40.0])
    mask = np.zeros((120, 130), bool)
    mask[:, 61] = True  # a column beside the second star
    mask[30:50, 80:100] = True  # all of the third
    frame = make_frame(x, y, [3000.0] * 3, seed=None, mask=mask)
    frame.data[mask] = 1e6
    result = forced(frame, x, y, sky_of(frame))
    assert result.flux[:2] == pytest.approx([3000.0] * 2, rel=1e-3)
    assert result.error[1] > 1.1 * result.error[0]
    assert result.flags.tolist() == [0, Flag.PARTLY_MASKED, Flag.PARTLY_MASKED | Flag.NO_PIXELS]
    assert np.isnan([result.flux[2], result.error[2], result.chi2[2]]).all()
    assert 0.5 < result.usable[1] < 0.9
    assert result.usable[2] == 0


def test_saturated_stars(make_frame):
    x, y = [30.0, 60.0], [40.0, 40.0]
    saturated = np.zeros((120, 130), bool)
    saturated[39:42, 29:32] = True
    frame = make_frame(x, y, [50_000.0, 500.0], seed=None, saturated=saturated)
    frame.data[saturated] = 70_000
    result = forced(frame, x, y, sky_of(frame))
    assert result.flags[0] & Flag.SATURATED
    assert not result.flags[1] & Flag.SATURATED
    # what is left around the core still tells the flux
    assert result.flux[0] == pytest.approx(50_000, rel=5e-3)


def test_stars_at_and_beyond_the_edge(make_frame):
    x, y = [0.0, -1.5, -40.0, np.nan], [40.0, 80.0, 40.0, 40.0]
    frame = make_frame(x[:3], y[:3], [9000.0] * 3, seed=None)
    result = forced(frame, x, y, sky_of(frame))
    assert result.flux[:2] == pytest.approx([9000.0] * 2, rel=2e-3)
    assert np.isnan(result.flux[2:]).all()
    assert (result.flags & Flag.OFF_FRAME > 0).tolist() == [False, True, True, True]
    assert (result.flags & Flag.PARTLY_MASKED > 0).all()


def test_a_cosmic_ray_is_rejected_and_said(make_frame, grid):
    x, y = grid(20.0)
    flux = np.full(x.size, 600.0)
    frame = make_frame(x, y, flux, seed=4)
    column, row = np.round(x).astype(int), np.round(y).astype(int)
    for k, (dx, dy, charge) in enumerate([(0, 0, 3000), (1, 0, 800), (0, -1, 400), (-2, 1, 300)]):
        frame.data[row[k] + dy, column[k] + dx] += charge
        frame.data[row[k] + dy, column[k] + dx + 1] += charge / 4
    result = forced(frame, x, y, sky_of(frame))
    hit = slice(0, 4)
    assert np.all(result.flags[hit] & Flag.OUTLIERS)
    assert np.all(result.rejected[hit] > 0)
    assert np.abs((result.flux - flux) / result.error)[hit].max() < 3.5
    assert not np.any(result.flags[4:] & Flag.OUTLIERS)


def test_a_cosmic_ray_on_a_bright_star_is_seen(make_frame, grid):
    x, y = grid(20.0)
    flux = np.full(x.size, 2e5)
    frame = make_frame(x, y, flux, seed=5)
    frame.data[round(y[7]) + 2, round(x[7])] += 6000
    result = forced(frame, x, y, sky_of(frame))
    assert result.flags[7] & Flag.OUTLIERS
    assert result.flux[7] == pytest.approx(2e5, rel=0.01)
    assert result.model_error == pytest.approx(0.01, abs=0.01)


def test_a_wrong_psf_does_not_make_outliers_of_bright_stars(make_frame, grid, make_psf):
    x, y = grid(20.0)
    frame = make_frame(x, y, np.full(x.size, 2e5), seed=5, used_psf=make_psf(0.95))
    result = forced(frame, x, y, sky_of(frame))
    assert result.model_error > 0.03
    assert np.all(result.usable > 0.9)


def test_something_that_is_no_star_is_a_poor_fit(make_frame):
    x, y = [60.0, 30.0], [60.0, 30.0]
    frame = make_frame(x, y, [0.0, 1000.0], seed=2)
    yy, xx = np.mgrid[:120, :130]
    frame.data[...] += 120 * np.exp(-0.5 * ((xx - 60) ** 2 + (yy - 60) ** 2) / 16)
    options = FitOptions(reject_sigma=50.0)
    result = forced(frame, x, y, sky_of(frame), options)
    assert result.flags[0] & Flag.POOR_FIT
    assert result.flags[1] == 0
    assert result.chi[0] > 2 * result.chi[1]


def test_two_stars_at_one_place_are_said_to_be_blended(make_frame):
    frame = make_frame([60.0], [60.0], [5000.0], seed=None)
    result = forced(frame, [60.0, 60.0, 20.0], [60.0, 60.0, 20.0], sky_of(frame))
    assert np.all(result.flags[:2] & Flag.BLENDED)
    assert result.flags[2] == 0
    assert result.flux[:2].sum() == pytest.approx(5000.0, rel=1e-3)


def test_the_photon_slope_tells_the_error_of_another_flux(make_frame, grid):
    x, y = grid(20.0)
    results = {}
    for flux in (0.0, 300.0, 3000.0):
        frame = make_frame(x, y, np.full(x.size, flux), seed=None)
        results[flux] = forced(frame, x, y, sky_of(frame))
    empty = results[0.0].error
    for flux in (300.0, 3000.0):
        predicted = np.sqrt(results[flux].error ** 2 - results[flux].photon_slope * flux)
        assert results[flux].background_error == pytest.approx(predicted, rel=1e-3)
        # weights change with the flux, so far from it this is an upper bound
        assert predicted == pytest.approx(empty, rel=0.02 if flux < 1000 else 0.3)
    assert np.all(results[300.0].photon_slope > 0.9)


def test_errors_grow_with_measured_noise(make_frame, grid):
    x, y = grid(20.0)
    frame = make_frame(x, y, np.zeros(x.size), seed=None)
    theory = forced(frame, x, y, sky_of(frame)).error
    assert forced(frame, x, y, sky_of(frame, rms=2 * np.sqrt(66.0))).error == pytest.approx(
        2 * theory
    )


def test_no_stars(make_frame):
    frame = make_frame([60.0], [60.0], [5000.0])
    result = forced(frame, [], [], sky_of(frame))
    assert result.flux.shape == (0,)


def test_rows_of_a_longer_list(make_frame):
    frame = make_frame([60.0, 30.0], [60.0, 30.0], [5000.0, 100.0])
    short = forced(frame, [60.0, 30.0], [60.0, 30.0], sky_of(frame))
    long = short.scattered(np.array([3, 1]), 5)
    assert long.flux[[3, 1]].tolist() == short.flux.tolist()
    assert np.isnan(long.flux[[0, 2, 4]]).all()
    assert np.all(long.flags[[0, 2, 4]] == Flag.OFF_FRAME | Flag.NO_PIXELS)


@pytest.mark.parametrize(
    ("x", "y", "shape", "words"),
    [
        ([1.0], [1.0, 2.0], (120, 130), "positions of shapes"),
        ([[1.0]], [[1.0]], (120, 130), "positions of shapes"),
        ([1.0], [1.0], (3, 3), "the sky has the shape"),
    ],
)
def test_what_does_not_fit_is_refused(make_frame, x, y, shape, words):
    frame = make_frame([60.0], [60.0], [5000.0])
    with pytest.raises(InputError, match=words):
        forced(frame, x, y, Background.flat(0.0, shape))


def test_everything_masked(make_frame):
    frame = make_frame([60.0], [60.0], [5000.0])
    frame = replace(frame, mask=np.ones(frame.shape, bool))
    result = forced(frame, [60.0], [60.0], sky_of(frame))
    assert np.isnan(result.flux).all()
    assert result.flags[0] & Flag.NO_PIXELS
