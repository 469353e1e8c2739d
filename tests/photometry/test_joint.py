from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.flags import Flag
from hst123r.photometry.joint import common_positions

SHAPE = (200, 210)


@pytest.fixture(scope="module")
def truth():
    """Sky positions of stars, and fluxes in two filters."""
    rng = np.random.default_rng(8)
    east, north = np.meshgrid(np.arange(-4.2, 4.3, 0.8), np.arange(-4.0, 4.1, 0.8))
    east = east.ravel() + rng.uniform(-0.1, 0.1, east.size)
    north = north.ravel() + rng.uniform(-0.1, 0.1, north.size)
    flux = 10 ** rng.uniform(2.2, 4.5, east.size)
    return 150.0 + east / 3600 / np.cos(np.radians(2.0)), 2.0 + north / 3600, flux


@pytest.fixture(scope="module")
def make_frames(make_frame, make_wcs, make_psf, truth):
    """Return a maker of dithered frames, every other through a filter with a wider PSF."""
    ra, dec, flux = truth
    psfs = make_psf(0.9), make_psf(1.2)

    def make(count=4, seed=1, wrong=None):
        frames = []
        for k in range(count):
            rng = np.random.default_rng([seed, k])
            wcs = make_wcs(SHAPE)
            wcs.wcs.crpix += rng.uniform(-5, 5, 2)
            angle = np.radians(20.0 * k)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            wcs.wcs.cd = turn @ wcs.wcs.cd
            wcs.wcs.set()
            x, y = wcs.all_world2pix(ra, dec, 0)
            if wrong is not None:
                x, y = x + wrong[k][0], y + wrong[k][1]
            frames.append(
                make_frame(
                    x,
                    y,
                    flux * (1 + k % 2),
                    shape=SHAPE,
                    seed=100 * seed + k,
                    wcs=wcs,
                    with_psf=psfs[k % 2],
                )
            )
        return frames

    return make


def moved(truth, seed=5, sigma=0.015):
    ra, dec, _ = truth
    east, north = np.random.default_rng(seed).normal(0, sigma, (2, ra.size))
    return ra + east / 3600 / np.cos(np.radians(2.0)), dec + north / 3600, east, north


def test_positions_and_fluxes_have_right_errors(make_frames, truth):
    flux = truth[2]
    places, pulls = [], []
    for seed in range(1, 5):
        ra, dec, east, north = moved(truth, seed)
        joint = common_positions(make_frames(4, seed), ra, dec, prior_arcsec=0.05)
        away = joint.offset_arcsec + np.column_stack([east, north])
        places.append(away / np.sqrt(joint.covariance[:, [0, 1], [0, 1]]))
        pulls.append([(f.flux - flux * (1 + k % 2)) / f.error for k, f in enumerate(joint.fluxes)])
        bright = flux > 5000
        assert np.abs(away[bright]).max() < 0.002
    assert np.std(places) == pytest.approx(1.0, abs=0.08)
    assert np.nanstd(pulls) == pytest.approx(1.0, abs=0.06)
    assert abs(np.nanmean(pulls)) < 0.08


def test_many_frames_know_better_than_one(make_frames, truth):
    ra, dec, _, _ = moved(truth)
    frames = make_frames(4)
    one = common_positions(frames[:1], ra, dec)
    four = common_positions([frames[0]] * 4, ra, dec)
    bright = truth[2] > 3000
    ratio = one.covariance[bright, 0, 0] / four.covariance[bright, 0, 0]
    assert np.median(ratio) == pytest.approx(4.0, rel=0.02)
    assert ratio == pytest.approx(4.0, rel=0.2)


def test_positions_stay_without_rounds_and_without_light(make_frames, truth):
    ra, dec, _ = truth
    frames = make_frames(2)
    joint = common_positions(frames, ra, dec, rounds=0)
    assert joint.offset_arcsec.tolist() == np.zeros((ra.size, 2)).tolist()
    assert joint.ra_deg == pytest.approx(ra, abs=1e-12)
    # an empty place among them is held by the prior
    joint = common_positions(
        frames, np.append(ra, 150.00006), np.append(dec, 2.00007), prior_arcsec=0.02
    )
    assert np.hypot(*joint.offset_arcsec[-1]) < 0.08
    assert joint.covariance[-1, 0, 0] ** 0.5 == pytest.approx(0.02, rel=0.5)
    assert abs(joint.fluxes[0].flux[-1]) < 4 * joint.fluxes[0].error[-1]


def test_shifted_frames_are_registered(make_frames, truth):
    wrong = [(0.2, -0.1), (-0.2, 0.1), (0.15, 0.1), (-0.15, -0.1)]
    ra, dec, flux = truth
    frames = make_frames(4, 1, wrong)
    joint = common_positions(frames, ra, dec, register=True, rounds=5)
    apart = np.diff(joint.shift_pix, axis=0)
    assert np.abs(joint.shift_pix - np.array(wrong)).max() < 0.08
    assert np.isfinite(apart).all()
    chi = [np.nanmedian(f.chi[flux > 5000]) for f in joint.fluxes]
    loose = common_positions(frames, ra, dec, register=False)
    assert np.mean(chi) < np.mean([np.nanmedian(f.chi[flux > 5000]) for f in loose.fluxes])
    assert np.mean(chi) == pytest.approx(1.0, abs=0.1)


def test_stars_on_some_frames_only(make_frames, truth):
    ra, dec, _ = truth
    joint = common_positions(make_frames(2), np.append(ra, 150.1), np.append(dec, 2.0))
    for fluxes in joint.fluxes:
        assert np.isnan(fluxes.flux[-1])
        assert fluxes.flags[-1] == Flag.OFF_FRAME | Flag.NO_PIXELS
    assert joint.ra_deg[-1] == pytest.approx(150.1)


def test_frames_are_loaded_one_after_another(make_frames, truth):
    frames, loads = make_frames(2), []

    class Loading:
        def __iter__(self):
            for number, frame in enumerate(frames):
                loads.append(number)
                yield frame

    joint = common_positions(Loading(), truth[0], truth[1], rounds=2)
    assert loads == [0, 1] * 3
    assert len(joint.backgrounds) == 2


def test_what_cannot_be_done_is_refused(make_frames, truth):
    ra, dec, _ = truth
    with pytest.raises(InputError, match="several times"):
        common_positions(iter(make_frames(1)), ra, dec)
    with pytest.raises(InputError, match="no frames"):
        common_positions([], ra, dec)
    with pytest.raises(InputError, match="positions of shapes"):
        common_positions(make_frames(1), ra, dec[:-1])
