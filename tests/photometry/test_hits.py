from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.optics.telescope import effective_psf
from hst123r.photometry import hits
from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.forced import forced
from hst123r.photometry.frame import Frame
from hst123r.photometry.hits import elsewhere
from hst123r.photometry.joint import common_positions
from hst123r.photometry.paint import paint
from hst123r.photometry.sky import Background

SHAPE = (200, 210)
SKY = Background.flat(50.0, (120, 130), 8.1)


@pytest.fixture
def fluxes(make_frame):
    one = forced(make_frame([60.0, 90.0], [50.0, 80.0], [2000.0, 900.0]), [60, 90], [50, 80], SKY)

    def of(*values):
        error = np.full(len(values), 10.0)
        return replace(one, flux=np.array(values, float), error=error, fixed_error=error)

    return of


def test_the_others_tell_their_lower_median(fluxes):
    frames = [fluxes(100, 10), fluxes(200, 20), fluxes(900, 30), fluxes(300, 40)]
    other = elsewhere(frames, np.ones(4))
    assert other[0].flux.tolist() == [300, 30]
    # two in the middle: the lower one
    other = elsewhere(frames[:3], np.ones(3))
    assert other[0].flux.tolist() == [200, 20]
    assert other[0].error == pytest.approx(10.0)
    assert elsewhere(frames, np.ones(4))[0].error == pytest.approx(12.5 / np.sqrt(3))


def test_other_epochs_are_asked_only_about_stars_that_no_exposure_of_the_same_has(fluxes):
    spoiled = replace(fluxes(400, 40), flags=np.array([0, int(Flag.SATURATED)]))
    frames = [fluxes(100, 10), fluxes(200, 20), fluxes(300, 30), spoiled]
    other = elsewhere(frames, np.ones(4), epochs=[0, 1, 0, 1])
    assert [one.flux.tolist() for one in other] == [[300, 30], [400, 10], [100, 10], [200, 20]]
    near = [[True, True], [True, False], [True, True], [True, True]]
    assert [one.near.tolist() for one in other] == near


def test_the_others_are_scaled_and_bad_ones_are_not_asked(fluxes):
    spoiled = replace(fluxes(5000, 20), flags=np.array([int(Flag.SATURATED), 0]))
    other = elsewhere([fluxes(100, 10), spoiled], np.array([1.0, 2.0]))
    assert np.isnan(other[0].flux[0])
    assert np.isnan(other[0].error[0])
    assert other[0].flux[1] == 40
    assert other[1].flux.tolist() == [50, 5]
    alone = elsewhere([fluxes(100, 10)], np.ones(1))
    assert np.isnan(alone[0].flux).all()


@pytest.fixture(scope="module")
def night(make_frame, make_wcs, make_psf):
    """Four frames of eighty stars, and where the stars are."""
    rng = np.random.default_rng(8)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(20.0, 190, 19), np.arange(20.0, 180, 19)))
    x, y = x + rng.uniform(-1, 1, x.size), y + rng.uniform(-1, 1, x.size)
    flux = 10 ** rng.uniform(2.7, 4.5, x.size)
    wcs = make_wcs(SHAPE)
    frames = [
        make_frame(x, y, flux, shape=SHAPE, seed=k, wcs=wcs, with_psf=make_psf(0.6))
        for k in range(4)
    ]
    return frames, *wcs.all_pix2world(x, y, 0), x, y, flux


def changed(night, light):
    """Return the frames with more light on the second of them."""
    frames = list(night[0])
    frames[1] = replace(frames[1], data=frames[1].data + light)
    return frames


def test_a_hit_in_a_core_is_found_by_the_other_exposures(night):
    frames, ra, dec, x, y, flux = night
    light, error = np.zeros(SHAPE), common_positions(frames, ra, dec, rounds=0).fluxes[1].error
    # as much as a star of 6 sigma would put there: nothing of one frame tells them apart
    hit = slice(None, None, 4)
    column, row = np.round(x[hit]).astype(int), np.round(y[hit]).astype(int)
    light[row, column] = 2.5 * error[hit]
    light[row, column + 1] = 1.2 * error[hit]
    spoiled = changed(night, light)
    before = common_positions(spoiled, ra, dec, rounds=0).fluxes[1]
    after = common_positions(spoiled, ra, dec, rounds=0, scales=np.ones(4)).fluxes[1]
    silent = [
        np.count_nonzero(((item.flux - flux) / item.error > 4) & (item.flags == 0))
        for item in (before, after)
    ]
    assert silent[0] >= 7
    assert silent[1] <= 2
    flags = after.flags[hit]
    found = ((flags & Flag.OUTLIERS) > 0) & ((flags & Flag.POSSIBLE_HIT) == 0)
    assert found.sum() >= 7
    assert np.median(((after.flux - flux) / after.error)[hit][found]) < 1.5


@pytest.fixture(scope="module", params=["WFC3/IR", "WFPC2"])
def undersampled(request, make_wcs):
    """Return a maker of frames of 576 stars, where these are, and the error of a faint one."""
    name = request.param
    detector = instruments.get(name)
    band, error = {"WFC3/IR": ("F160W", 45.0), "WFPC2": ("F606W", 27.0)}[name]
    psf = effective_psf(detector, band, chip=detector.chips[-1].number)
    size, noise = 500, detector.noise.read_noise.value
    rng = np.random.default_rng(5)
    places = np.arange(20.0, size - 19, 20)
    x, y = (a.ravel() + rng.uniform(-0.5, 0.5, a.size) for a in np.meshgrid(places, places))
    wcs = make_wcs((size, size))

    def make(flux, seed):
        own = np.random.default_rng(seed)
        light = np.maximum(paint((size, size), psf, x, y, flux, noise, lost_sigma=0.001), 0)
        data = own.poisson(light + 60.0) + own.normal(0, noise, light.shape)
        nothing = np.zeros(light.shape, bool)
        return Frame(
            data=data.astype("f4"), mask=nothing, saturated=nothing, read_noise_e=noise,
            exposure_time_s=500.0, wcs=wcs, psf=psf, area=np.ones(light.shape), label="test",
        )  # fmt: skip

    return make, *wcs.all_pix2world(x, y, 0), error


OPTIONS = FitOptions(fit_radius_pix=3.0, reject_sigma=5.0)


def new_sources(undersampled, others, snr, seed, epochs=None):
    """Return fluxes of a frame in which one star of ten is new, not compared and compared."""
    make, ra, dec, error = undersampled
    nothing = np.zeros(ra.size)
    flux = 0.5 * (snr**2 + np.sqrt(snr**4 + 4 * snr**2 * error**2))
    new = np.random.default_rng(seed).permutation(ra.size) < ra.size // 10
    frames = [make(nothing, 100 * seed + k) for k in range(others)]
    frames.append(make(np.where(new, flux, nothing), 100 * seed + 99))
    plain, compared = (
        common_positions(frames, ra, dec, OPTIONS, rounds=0, scales=scales, epochs=epochs)
        for scales in (None, np.ones(others + 1))
    )
    return plain.fluxes, compared.fluxes, new


@pytest.mark.parametrize("others", [1, 3])
def test_a_real_change_is_kept(undersampled, others):
    """Of new sources of S/N 5 one or two of a hundred are lost, in pairs and in four exposures."""
    lost = number = 0
    for seed in (1, 2):
        plain, compared, new = new_sources(undersampled, others, 5.0, seed)
        before, after = plain[-1], compared[-1]
        assert np.median((before.flux / before.error)[new]) == pytest.approx(5.0, abs=0.7)
        away = ~(np.abs(after.flux - before.flux) < 0.5 * before.error)
        away |= (after.flags & Flag.POSSIBLE_HIT) > 0
        lost, number = lost + np.count_nonzero(away & new), number + new.sum()
        # nor are those that did not change touched
        assert np.count_nonzero(away & ~new) <= 1
        for one, two in zip(plain[:-1], compared[:-1], strict=True):
            assert np.mean(~(np.abs(one.flux - two.flux) < 0.05 * one.error)) < 0.005
    assert number > 100
    assert lost / number < 0.03


@pytest.mark.parametrize("snr", [4.0, 6.0])
def test_no_new_source_of_an_epoch_of_its_own_loses_light(undersampled, snr, monkeypatch):
    # as if hits were taken for granted: what is left out does not hang on the odds
    monkeypatch.setattr(hits, "_CHANGE", 40.0)
    plain, compared, new = new_sources(undersampled, 3, snr, 1, epochs=[0, 0, 0, 1])
    assert np.array_equal(compared[3].flux, plain[3].flux)
    assert np.array_equal(compared[3].error, plain[3].error)
    suspect = (compared[3].flags & Flag.POSSIBLE_HIT) > 0
    assert suspect[new].mean() > 0.03
    assert suspect[~new].mean() < 0.03
    assert ((compared[3].flags ^ plain[3].flags) & ~Flag.POSSIBLE_HIT == 0).all()


def hit_in_cores(night, charge):
    """Return frames with charge in the cores of some stars of the second, and which stars."""
    _, _, _, x, y, flux = night
    light, hit = np.zeros(SHAPE), slice(None, None, 4)
    column, row = np.round(x[hit]).astype(int), np.round(y[hit]).astype(int)
    light[row, column] = charge
    return changed(night, light), np.isin(np.arange(flux.size), np.arange(flux.size)[hit])


def test_a_hit_that_other_epochs_betray_is_said_and_nothing_is_left_out(night):
    frames, hit = hit_in_cores(night, 250.0)
    places = night[1:3]
    plain = common_positions(frames, *places, rounds=0).fluxes[1]
    found = common_positions(
        frames, *places, rounds=0, scales=np.ones(4), epochs=[0, 1, 0, 0]
    ).fluxes[1]
    assert np.array_equal(found.flux, plain.flux)
    suspect = (found.flags & Flag.POSSIBLE_HIT) > 0
    assert suspect[hit].sum() >= 4
    assert suspect[~hit].sum() <= 1


def test_a_hit_never_leaves_a_star_without_a_flux(night):
    frames, hit = hit_in_cores(night, 250.0)
    places = night[1:3]
    plain = common_positions(frames, *places, rounds=0).fluxes[1]
    found = common_positions(frames, *places, rounds=0, scales=np.ones(4)).fluxes[1]
    assert (found.usable >= 0.5)[plain.usable >= 0.5].all()
    assert np.isfinite(found.flux).all()
    both = int(Flag.OUTLIERS | Flag.POSSIBLE_HIT)
    kept = (found.flags & both) == both
    assert kept[hit].any()
    assert np.array_equal(found.flux[kept], plain.flux[kept])


def test_hits_are_as_many_as_the_exposure_is_long():
    # -2 ln 10: a tenth of the hits
    assert hits._first(50.0) - hits._first(500.0) == pytest.approx(4.605, abs=1e-3)
    assert hits._first(1e6) == hits._MORE


def test_frames_that_agree_are_left_as_they_are(night):
    frames, ra, dec, *_ = night
    plain = common_positions(frames, ra, dec, rounds=0)
    compared = common_positions(frames, ra, dec, rounds=0, scales=np.ones(4))
    away = [(a.flux - b.flux) / a.error for a, b in zip(plain.fluxes, compared.fluxes, strict=True)]
    assert np.mean(np.abs(away) > 0.05) < 0.01


def test_scales_are_checked(night):
    frames, ra, dec, *_ = night
    for scales in (np.ones(3), np.zeros(4), [1, 1, 1, np.nan]):
        with pytest.raises(InputError, match="scales"):
            common_positions(frames, ra, dec, rounds=0, scales=scales)
