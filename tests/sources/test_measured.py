"""Fluxes by exposure, and which of them take part in means."""

import numpy as np
import pytest

from hst123r.photometry.flags import Flag
from hst123r.photometry.forced import Fluxes
from hst123r.photometry.joint import Joint
from hst123r.photometry.magnitudes import magnitude_ab
from hst123r.sources.measured import AS_LIGHT, FrameNote, collect, mean_fluxes


class Sky:
    """A sky of one level."""

    def __init__(self, level):
        self.level = level

    def at(self, x, y):
        return np.full(np.shape(x), self.level)


def fluxes(flux, error=10.0, usable=1.0, flags=0):
    flux = np.asarray(flux, float)
    every = np.ones(flux.size)
    return Fluxes(
        x=every, y=2 * every, flux=flux, error=error * every,
        fixed_error=error * every, photon_slope=every, chi2=9 * every,
        pixels=np.full(flux.size, 10), rejected=np.zeros(flux.size, int),
        usable=np.broadcast_to(np.asarray(usable, float), flux.shape).copy(),
        crowding_mag=0 * every, flags=np.broadcast_to(np.asarray(flags), flux.shape).copy(),
        model_error=0.0,
    )  # fmt: skip


def joint(*frames):
    count = frames[0].flux.size
    return Joint(
        np.full(count, 150.0), np.full(count, 2.0), np.zeros((count, 2, 2)), np.zeros((count, 2)),
        frames, tuple(Sky(50.0 + n) for n in range(len(frames))), np.zeros((len(frames), 2)),
    )  # fmt: skip


def note(exposure, extver=1, zeropoint=26.5, time=100.0):
    return FrameNote(exposure, extver, zeropoint, time)


def test_electrons_become_nanojansky_by_zeropoint_and_time():
    found = collect(joint(fluxes([1000.0])), [note(0)], 1)
    # 10 electrons per second with a zeropoint of 26.5 are 24 mag, 31.4 - 2.5 log10 of the nJy
    assert found.rate[0, 0] == 10.0
    assert found.flux[0, 0] == pytest.approx(10 ** (0.4 * (31.4 - 24.0)), rel=1e-3)
    assert found.error[0, 0] / found.flux[0, 0] == pytest.approx(0.01)
    assert found.sky[0, 0] == 50.0


def test_the_light_that_the_psf_of_the_fit_lacks_is_made_good():
    plain = collect(joint(fluxes([1000.0])), [note(0)], 1)
    brighter = FrameNote(0, 1, 26.5, 100.0, aperture_factor=1.02)
    found = collect(joint(fluxes([1000.0])), [brighter], 1)
    for name in AS_LIGHT:
        assert getattr(found, name) == pytest.approx(1.02 * getattr(plain, name)), name
    assert found.sky == pytest.approx(plain.sky)


def test_without_a_zeropoint_there_is_a_rate_and_no_flux():
    found = collect(joint(fluxes([1000.0])), [note(0, zeropoint=np.nan)], 1)
    assert found.rate[0, 0] == 10.0
    assert np.isnan(found.flux[0, 0])


def test_of_two_chips_the_one_that_holds_more_of_a_source_counts():
    one, two = fluxes([100.0, 200.0], usable=[0.9, 0.2]), fluxes([111.0, 222.0], usable=[0.3, 0.8])
    found = collect(joint(one, two), [note(0, 1), note(0, 2)], 1)
    assert found.extver[0].tolist() == [1, 2]
    assert found.rate[0].tolist() == [1.0, 2.22]
    assert found.usable[0].tolist() == [0.9, 0.8]
    assert found.sky[0].tolist() == [50.0, 51.0]


def test_a_source_on_no_chip_is_not_good():
    found = collect(joint(fluxes([np.nan, 100.0])), [note(0)], 1)
    assert found.good[0].tolist() == [False, True]
    assert found.flags[0, 0] & Flag.NO_PIXELS
    assert not found.flags[0, 0] & Flag.SATURATED
    assert found.usable[0, 0] == 0.0


@pytest.mark.parametrize(
    ("flag", "usable", "good"),
    [
        (0, 1.0, True),
        (Flag.SATURATED, 1.0, False),
        (Flag.OFF_FRAME, 1.0, False),
        (Flag.OUTLIERS, 1.0, True),
        (Flag.BLENDED, 1.0, True),
        (0, 0.49, False),
        (0, 0.5, True),
    ],
)
def test_which_fluxes_are_good(flag, usable, good):
    found = collect(joint(fluxes([100.0], usable=usable, flags=int(flag))), [note(0)], 1)
    assert found.good[0, 0] == good


def measured(flags, values=(100.0, 100.0, 400.0)):
    frames = [fluxes([value], flags=int(flag)) for value, flag in zip(values, flags, strict=True)]
    return collect(joint(*frames), [note(n) for n in range(3)], 3)


MJD, TIMES = np.array([1.0, 2.0, 3.0]), np.full(3, 100.0)


def test_a_suspect_flux_counts_only_where_there_is_no_clean_one():
    found = mean_fluxes(measured([0, 0, Flag.OUTLIERS]), range(3), MJD, TIMES, 3.0)
    assert found.combined.exposures[0] == 2
    assert found.combined.flux[0] == pytest.approx(measured([0, 0, 0]).flux[0, 0], rel=1e-6)
    assert found.flags[0] == 0
    alone = mean_fluxes(measured([0, 0, Flag.OUTLIERS]), [2], MJD, TIMES, 3.0)
    assert alone.combined.exposures[0] == 1
    assert alone.flags[0] == Flag.OUTLIERS


def test_a_mean_has_the_time_and_date_of_what_is_in_it():
    found = mean_fluxes(measured([0, Flag.SATURATED, 0], (100.0,) * 3), range(3), MJD, TIMES, 3.0)
    assert found.combined.exposure_time_s[0] == 200.0
    assert found.combined.mjd[0] == pytest.approx(2.0)


def test_below_the_snr_there_is_a_limit_and_no_magnitude():
    bright, faint = (
        mean_fluxes(measured([0, 0, 0], (value,) * 3), range(3), MJD, TIMES, 3.0)
        for value in (100.0, 5.0)
    )
    assert np.isfinite(bright.mag[0])
    assert bright.snr[0] > 3
    assert np.isnan(faint.mag[0])
    assert np.isnan(faint.mag_error[0])
    assert np.isfinite(faint.limit[0])


def test_the_limit_of_a_mean_is_that_of_the_combination_where_the_scatter_sets_the_error():
    """One per cent of scatter of a bright star: its photons are no noise of the empty sky."""
    found = measured([0, 0, 0], (99000.0, 100000.0, 101000.0))
    found.photon_slope[:] = 0.9 * found.error**2 / found.flux
    means = mean_fluxes(found, range(3), MJD, TIMES, 3.0)
    combined = means.combined
    assert combined.error[0] > combined.error_weights[0]
    assert means.limit[0] == pytest.approx(float(magnitude_ab(combined.limit(3.0)[0])), abs=1e-9)
    # by hand: background and photons both grow by the ratio of the variances
    ratio = (combined.error[0] / combined.error_weights[0]) ** 2
    slope = combined.photon_slope[0] * ratio
    empty = combined.error_weights[0] ** 2 * ratio - slope * combined.flux[0]
    limit = 4.5 * slope + np.sqrt((4.5 * slope) ** 2 + 9 * empty)
    assert means.limit[0] == pytest.approx(float(magnitude_ab(limit)), abs=1e-6)


def test_nothing_good_is_no_mean():
    found = mean_fluxes(measured([Flag.SATURATED] * 3), range(3), MJD, TIMES, 3.0)
    assert np.isnan(found.combined.flux[0])
    assert np.isnan(found.mag[0])
    assert found.combined.exposures[0] == 0
