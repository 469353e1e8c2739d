"""Limits from artificial stars."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy.special import erf

from hst123r import instruments
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.frame import Frame
from hst123r.photometry.joint import common_positions
from hst123r.photometry.magnitudes import flux_njy, magnitude_ab
from hst123r.sources.artificial import artificial_stars, crossing, scatter
from hst123r.sources.measured import FrameNote, mean_fluxes
from hst123r.sources.transfer_losses import Readout, Transfer

OPTIONS = FitOptions(fit_radius_pix=3.0, reject_sigma=5.0)
RA, DEC, TIME, SKY, READ_NOISE = 150.0, 2.0, 500.0, 60.0, 5.0
MJD, TIMES = np.arange(4.0), np.full(4, TIME)


def gaussian(sigma=0.9, half=20, oversampling=5):
    """Return a Gaussian integrated over pixels."""
    offset = np.arange(-half * oversampling, half * oversampling + 1) / oversampling
    edge = 1 / (np.sqrt(2) * sigma)
    profile = (erf((offset + 0.5) * edge) - erf((offset - 0.5) * edge)) / 2
    return EffectivePSF(np.outer(profile, profile), oversampling)


def empty_frame(number):
    """Return an empty frame of 60 electrons of sky and a read noise of 5."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [RA, DEC], [70.5, 70.5]
    wcs.wcs.cd = np.array([[-0.05, 0], [0, 0.05]]) / 3600
    rng = np.random.default_rng(40 + number)
    data = rng.poisson(np.full((140, 140), SKY)) + READ_NOISE * rng.standard_normal((140, 140))
    none = np.zeros(data.shape, bool)
    return Frame(
        data, none, none, READ_NOISE, TIME, wcs, gaussian(), np.ones(data.shape), f"f{number}"
    )


def theory(exposures):
    """Return the flux in electrons of S/N 3 in the mean: weights of the PSF within 3 pixels."""
    step = np.arange(-8.0, 9.0)
    edge = 1 / (np.sqrt(2) * 0.9)
    profile = (erf((step + 0.5) * edge) - erf((step - 0.5) * edge)) / 2
    psf = np.outer(profile, profile)[np.hypot(*np.meshgrid(step, step)) <= 3.0]
    empty = (SKY + READ_NOISE**2) / np.sum(psf**2) / exposures
    slope = np.sum(psf**3) / np.sum(psf**2) ** 2 / exposures
    return 4.5 * slope + np.sqrt((4.5 * slope) ** 2 + 9 * empty)


@pytest.fixture(scope="module")
def field():
    """Return a field of four exposures whose S/N 3 is at magnitude 27 by construction."""
    frames = [empty_frame(number) for number in range(4)]
    joint = common_positions(frames, [RA], [DEC], OPTIONS, prior_arcsec=0.001)
    zeropoint = 27.0 + 2.5 * np.log10(theory(4) / TIME)
    return frames, joint, [FrameNote(k, 1, float(zeropoint), TIME) for k in range(4)]


def stars(field, number=1000, **more):
    limits = flux_njy(np.array([27.0, 26.25]))
    return artificial_stars(
        *field, 4, (RA, DEC), limits, OPTIONS, number=number, radius_arcsec=2.0, **more
    )


@pytest.fixture(scope="module")
def made(field):
    return stars(field)


def test_hits_are_taken_from_them_as_from_real_stars(field):
    """One frame of four has hits everywhere; the stars are looked at beside the other three."""
    frames, joint, notes = field
    hits, rng = np.zeros(frames[1].data.shape), np.random.default_rng(3)
    (row, column), charge = rng.integers(2, 137, (2, 800)), rng.uniform(30, 45, 800)
    # three pixels of 3 to 5 sigma, which one exposure alone does not tell from light
    for down, right in ((0, 0), (0, 1), (1, 0)):
        hits[row + down, column + right] = charge
    spoiled = [*frames]
    spoiled[1] = replace(frames[1], data=frames[1].data + hits)
    field = spoiled, joint, notes
    more = {"scales": [note.scale for note in notes], "epochs": [0, 0, 0, 0]}
    plain, compared = stars(field, 300), stars(field, 300, **more)
    off = [(made.found.flux[1] - made.flux_njy) / made.found.error[1] for made in (plain, compared)]
    good = [(made.found.flags[1] & Flag.POSSIBLE_HIT) == 0 for made in (plain, compared)]
    silent = [np.count_nonzero(o[g] > 3) for o, g in zip(off, good, strict=True)]
    assert silent[0] > 30
    assert silent[1] < 0.4 * silent[0]
    # nothing is taken from stars of frames that agree, but from one in a hundred
    assert np.mean(np.isclose(plain.found.flux[0], compared.found.flux[0], rtol=1e-6)) > 0.99
    # with each exposure an epoch of its own nothing is left out
    alone = stars(field, 300, scales=more["scales"], epochs=[0, 1, 2, 3])
    assert np.array_equal(alone.found.flux, plain.found.flux, equal_nan=True)
    assert np.any(alone.found.flags[1] & Flag.POSSIBLE_HIT)


def limit(made, rows):
    mean = mean_fluxes(made.found, rows, MJD, TIMES, 3.0).combined
    return crossing(made.flux_njy, mean.flux, mean.error, 3.0)


def test_signal_to_noise_three_at_27_by_construction(made):
    found = limit(made, range(4))
    assert magnitude_ab(found.flux_njy) == pytest.approx(27.0, abs=0.05)
    assert found.error < 0.025
    assert found.stars == 1000
    assert found.recovered == pytest.approx(0.5, abs=0.12)
    single = magnitude_ab(limit(made, [0]).flux_njy)
    # four exposures go 0.75 mag deeper, a little more for the photons of the star
    assert 27.0 - single == pytest.approx(0.78, abs=0.08)


def test_every_run_draws_the_same_stars(field):
    one, two = stars(field, 100), stars(field, 100)
    assert np.array_equal(one.flux_njy, two.flux_njy)
    assert np.array_equal(one.found.flux, two.found.flux, equal_nan=True)
    other = stars(field, 100, seed=5)
    assert not np.array_equal(one.flux_njy, other.flux_njy)


def test_they_are_measured_without_bias(made):
    mean = mean_fluxes(made.found, range(4), MJD, TIMES, 3.0).combined
    pull = (mean.flux - made.flux_njy) / mean.error
    assert abs(np.mean(pull)) < 0.15
    assert np.std(pull) == pytest.approx(1.0, abs=0.15)


def test_limits_are_less_deep_by_what_charge_transfer_takes(field, made):
    """Far from the amplifier of an old exposure: the stars lose light, and it is made good."""
    detector = instruments.get("ACS/WFC")
    readouts = [
        Readout(f"f{k}", "flt", False, False, 54000.0, TIME, {1: 2}, {1: (0.0, 1800.0)})
        for k in range(4)
    ]
    transfer = Transfer(detector, readouts, range(4))
    lossy = stars(field, loss=transfer)
    assert np.array_equal(lossy.flux_njy, made.flux_njy)
    # the light that is left of a star at the limit, for which the limit is 27.0 without a loss
    place, sky = np.array([70.0]), np.array([SKY])
    loss = float(transfer.loss(0, 1, np.array([theory(4)]), sky, place, place)[0])
    assert 0.1 < loss < 0.3
    found, without = limit(lossy, range(4)), limit(made, range(4))
    deeper = magnitude_ab(without.flux_njy) - magnitude_ab(found.flux_njy)
    assert deeper == pytest.approx(loss, abs=0.03)
    mean = mean_fluxes(lossy.found, range(4), MJD, TIMES, 3.0).combined
    pull = (mean.flux - lossy.flux_njy) / mean.error
    assert abs(np.mean(pull)) < 0.15
    assert np.all(lossy.found.cte > 0)
    # where they are is said in pixels of the whole frame
    assert np.nanmedian(lossy.found.x) == pytest.approx(69.5, abs=2.0)


def test_limits_are_less_deep_by_the_light_that_the_psf_of_the_fit_has_too_much(field, made):
    frames, joint, notes = field
    other = [replace(note, aperture_factor=1.2) for note in notes]
    found = stars((frames, joint, other))
    mean = mean_fluxes(found.found, range(4), MJD, TIMES, 3.0).combined
    assert abs(np.mean((mean.flux - found.flux_njy) / mean.error)) < 0.15
    less = magnitude_ab(limit(made, range(4)).flux_njy) - magnitude_ab(
        limit(found, range(4)).flux_njy
    )
    assert less == pytest.approx(2.5 * np.log10(1.2), abs=0.04)


def test_a_place_off_the_frame_has_no_limit(field):
    made = artificial_stars(
        *field, 4, (RA + 0.1, DEC), flux_njy(np.array([27.0])), OPTIONS, number=50,
        radius_arcsec=2.0,
    )  # fmt: skip
    found = limit(made, range(4))
    assert np.isnan(found.flux_njy)
    assert found.stars == 0


def test_nothing_known_of_the_depth_makes_no_stars(field):
    made = artificial_stars(
        *field, 4, (RA, DEC), np.array([np.nan]), OPTIONS, number=50, radius_arcsec=2.0
    )
    assert made.flux_njy.size == 0


def test_stars_of_one_turn_stay_apart_and_within_the_radius():
    turns = scatter(RA, DEC, 2.0, 0.6, 100, 1)
    assert sum(ra.size for ra, _ in turns) == 100
    for ra, dec in turns:
        east = (ra - RA) * 3600 * np.cos(np.radians(DEC))
        north = (dec - DEC) * 3600
        assert np.hypot(east, north).max() <= 2.0 + 1e-6
        gaps = np.hypot(east[:, None] - east, north[:, None] - north)
        assert gaps[~np.eye(ra.size, dtype=bool)].min() > 0.6 - 1e-6


@pytest.mark.parametrize(("radius", "apart"), [(0.05, 1.56), (0.1, 0.6), (0.34, 0.6), (0.35, 0.6)])
def test_a_radius_below_the_spacing_needs_no_more_turns_than_stars(radius, apart):
    turns = scatter(RA, DEC, radius, apart, 400, 1)
    assert sum(ra.size for ra, _ in turns) == 400
    assert len(turns) <= 400
    assert all(ra.size for ra, _ in turns)
    ra, dec = (np.concatenate([turn[k] for turn in turns]) for k in (0, 1))
    away = np.hypot((ra - RA) * np.cos(np.radians(DEC)), dec - DEC) * 3600
    assert away.max() <= radius + 1e-6
    # evenly over the circle: half of the square of the radius in the mean
    assert np.mean(away**2) == pytest.approx(radius**2 / 2, rel=0.12)


def test_faults_of_single_stars_do_not_count():
    rng = np.random.default_rng(3)
    true = flux_njy(rng.uniform(25.5, 28, 1000))
    sigma = float(flux_njy(27.0)) / 3
    flux = true + rng.normal(0, sigma, true.size)
    clean = crossing(true, flux, np.full(true.size, sigma), 3.0)
    assert magnitude_ab(clean.flux_njy) == pytest.approx(27.0, abs=0.04)
    flux[::25] += 50 * sigma
    faulty = crossing(true, flux, np.full(true.size, sigma), 3.0)
    assert magnitude_ab(faulty.flux_njy) == pytest.approx(27.0, abs=0.06)


def test_pixels_without_a_value_around_the_place_give_no_limit_and_no_error(field):
    """One frame is blank there, so only the others count; where all are, there is no limit."""
    frames, joint, notes = field
    blank = frames[0].data.copy()
    blank[20:120, 20:120] = np.nan
    holed = replace(frames[0], data=blank)
    some = stars(([holed, *frames[1:]], joint, notes), 200)
    assert limit(some, [0]).stars == 0
    assert np.isnan(limit(some, [0]).flux_njy)
    assert magnitude_ab(limit(some, range(4)).flux_njy) == pytest.approx(26.84, abs=0.15)
    none = stars(([holed] * 4, joint, notes), 50)
    assert np.isnan(limit(none, range(4)).flux_njy)
