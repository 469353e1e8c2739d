from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.flags import Flag
from hst123r.photometry.forced import forced
from hst123r.photometry.hits import elsewhere
from hst123r.photometry.joint import common_positions
from hst123r.photometry.sky import Background

SHAPE = (200, 210)
SKY = Background.flat(50.0, (120, 130), 8.1)


@pytest.fixture
def fluxes(make_frame):
    one = forced(make_frame([60.0, 90.0], [50.0, 80.0], [2000.0, 900.0]), [60, 90], [50, 80], SKY)

    def of(*values):
        return replace(one, flux=np.array(values, float), error=np.full(len(values), 10.0))

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
    found = (after.flags[hit] & Flag.OUTLIERS) > 0
    assert np.median(((after.flux - flux) / after.error)[hit][found]) < 1.5


def test_a_real_change_is_kept(night, make_psf):
    from hst123r.photometry.paint import paint

    frames, ra, dec, x, y, flux = night
    error = common_positions(frames, ra, dec, rounds=0).fluxes[1].error
    for sigma in (6.0, 30.0):
        more = sigma * error
        drawn = paint(SHAPE, make_psf(0.6), x, y, more, 1.0)
        light = np.random.default_rng(3).poisson(np.maximum(drawn, 0))
        frames = changed(night, light)
        found = common_positions(frames, ra, dec, rounds=0, scales=np.ones(4)).fluxes
        pull = (found[1].flux - flux - more) / found[1].error
        assert abs(pull.mean()) < 0.35
        assert pull.std() == pytest.approx(1.0, abs=0.25)
        assert (found[1].flags & Flag.PARTLY_MASKED > 0).mean() < 0.05
        # nor are the exposures before and after the change touched
        assert abs(((found[0].flux - flux) / found[0].error).mean()) < 0.35


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
