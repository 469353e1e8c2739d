"""Crowded simulated fields of every detector: fluxes and errors against the truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from star_frames import DEC, OUTLIER, SETUPS, TIME, lattice, observe
from tiers import these

from hst123r.photometry.combine import combine
from hst123r.photometry.flags import Flag
from hst123r.photometry.free import free
from hst123r.photometry.joint import common_positions

pytestmark = [pytest.mark.truth, pytest.mark.heavy]

EXPOSURES = 4
PIXELS_PER_STAR = 90
"""So many pixels a star: half of the stars have another within six pixels."""
SEEDS = {"ACS/HRC": (1, 2, 3, 4)}
"""Noises of a field; two where none are given. ACS/HRC has 68 stars of S/N 10 to 20 in each, whose
spread differs by 0.12 from noise to noise: that of twelve noises of 260 stars alone is 0.98."""
CLOSEST_PIX = 2.0


def crowd(name):
    """Return places and magnitudes of a natural field, with as many stars as pixels allow."""
    _, bright, faint, spacing = SETUPS[name]
    pixel, rng = spacing / 48, np.random.default_rng(8)
    wanted = 240**2 // PIXELS_PER_STAR
    places = np.empty((0, 2))
    for place in rng.uniform(-120, 120, (2 * wanted, 2)):
        # closer pairs have a test of their own
        if np.all(np.hypot(*(place - places).T) > CLOSEST_PIX) and len(places) < wanted:
            places = np.append(places, [place], axis=0)
    east, north = places.T * pixel
    count = east.size
    # d log10 N / d magnitude of 0.25
    low, high = 10 ** (0.25 * bright), 10 ** (0.25 * faint)
    return pixel, east, north, np.log10(rng.uniform(low, high, count)) / 0.25


@pytest.mark.parametrize("name", these(SETUPS, "ACS/WFC"))
def test_crowded_field(name):
    """Places a tenth of a pixel off to begin with; fluxes of four exposures combined."""
    pixel, east, north, magnitude = crowd(name)
    true, snr, pull, used, single, clean = ([] for _ in range(6))
    for seed in SEEDS.get(name, (1, 2)):
        field = observe(
            name, SETUPS[name][0], east, north, magnitude, EXPOSURES, size=420, seed=seed
        )
        # stars that only some exposures have are fitted, too: they are light
        wrong = np.random.default_rng([9, seed]).normal(0, 0.1 * pixel, (2, east.size))
        joint = common_positions(
            field.frames,
            field.ra + wrong[0] / 3600 / np.cos(np.radians(DEC)),
            field.dec + wrong[1] / 3600,
            prior_arcsec=0.1 * pixel,
            scales=np.ones(EXPOSURES),
        )
        flux, error, fixed, slope, flags = (
            np.array([getattr(item, key) for item in joint.fluxes])
            for key in ("flux", "error", "fixed_error", "photon_slope", "flags")
        )
        good = (flags & ~OUTLIER) == 0
        mean = combine(flux, error, np.arange(EXPOSURES), TIME, slope, fixed_error=fixed, use=good)
        true.append(mean.flux / field.flux)
        snr.append(field.flux / mean.error_weights)
        pull.append((mean.flux - field.flux) / mean.error)
        used.append(mean.exposures >= 3)
        single.append((flux - field.flux) / error)
        clean.append(good)
    ratio, snr, pull, seen = (np.concatenate(item) for item in (true, snr, pull, used))
    single, clean = (np.concatenate(item, axis=1) for item in (single, clean))
    assert seen.sum() > 900
    bright = seen & (snr > 20)
    assert bright.sum() > 280
    assert abs(np.median(2.5 * np.log10(ratio[bright]))) < 0.01
    for low, high in pairwise((3, 10, 20, 50, 1e9)):
        part = seen & (snr >= low) & (snr < high)
        if part.sum() > 100:
            spread = np.diff(np.percentile(pull[part], [15.87, 84.13]))[0] / 2
            assert spread == pytest.approx(1.0, abs=0.15), (low, part.sum())
            assert abs(np.median(pull[part])) < 0.25
            one = single[:, part][clean[:, part]]
            assert 0.8 < np.mean(one[np.abs(one) < 10] ** 2) < 1.3, low
            assert np.mean(np.abs(one) >= 10) < 0.002


@pytest.mark.parametrize("name", these(SETUPS, "ACS/WFC"))
def test_close_pairs(name):
    """Stars 1.5 to 2 pixels apart, the fainter one up to 2.5 mag fainter, places not known."""
    filter_name, bright, faint, spacing = SETUPS[name]
    pixel, rng = spacing / 48, np.random.default_rng(6)
    east, north = lattice(spacing, 6.5 * spacing)
    count = east.size
    if name == "WFPC2":
        pixel = 0.0996  # the field is on a wide chip
    apart, angle = rng.uniform(1.5, 2.0, count) * pixel, rng.uniform(0, 2 * np.pi, count)
    first = rng.uniform(bright + 2, faint - 1, count)
    field = observe(
        name,
        filter_name,
        np.append(east, east + apart * np.sin(angle)),
        np.append(north, north + apart * np.cos(angle)),
        np.append(first, first + rng.uniform(0, 2.5, count)),
        EXPOSURES,
        size=720,
    )
    wrong = rng.normal(0, 0.1 * pixel, (2, 2 * count))
    places = field.ra + wrong[0] / 3600 / np.cos(np.radians(DEC)), field.dec + wrong[1] / 3600
    scales = np.ones(EXPOSURES)
    joint = common_positions(field.frames, *places, prior_arcsec=0.1 * pixel, scales=scales)
    flux, error, fixed, slope, flags, crowding = (
        np.array([getattr(item, key) for item in joint.fluxes])
        for key in ("flux", "error", "fixed_error", "photon_slope", "flags", "crowding_mag")
    )
    mean = combine(
        flux, error, np.arange(EXPOSURES), TIME, slope, fixed_error=fixed,
        use=(flags & ~(OUTLIER | Flag.BLENDED)) == 0,
    )  # fmt: skip
    seen, snr = mean.exposures >= 3, field.flux / mean.error_weights
    pull = (mean.flux - field.flux) / mean.error
    for part in (slice(0, count), slice(count, None)):
        chosen = np.zeros(2 * count, bool)
        chosen[part] = True
        chosen &= seen & (snr > 20)
        assert chosen.sum() > 50
        assert abs(np.median(-2.5 * np.log10((mean.flux / field.flux)[chosen]))) < 0.01
        assert pull[chosen].std() == pytest.approx(1.0, abs=0.2)
        # what exposures differ by is their own noise, without the error of the common places
        degrees, chi2 = (mean.exposures - 1)[chosen], mean.chi2[chosen]
        # a hit on a star in one exposure is not noise; chance has 1 in 80 000 beyond
        hit = chi2 > 25
        assert np.mean(hit) < 0.03
        assert np.sum(chi2[~hit]) / np.sum(degrees[~hit]) == pytest.approx(1.0, abs=0.2)
    # what is published beside the flux says that there is a neighbour
    assert np.nanmedian(crowding[:, count:]) > 0.2

    # only one source of each pair is known: it is broader than a star, and pixels do not fit
    alone = common_positions(
        field.frames, field.ra[:count], field.dec[:count], prior_arcsec=0.5 * pixel, scales=scales
    )
    one = free(field.frames[0], alone.fluxes[0].x, alone.fluxes[0].y, alone.backgrounds[0])
    companion = (seen & (snr > 50))[count:] & np.isfinite(one.sharpness)
    broad = one.sharpness > 4 * one.sharpness_error
    told = np.array([(item.flags & OUTLIER) > 0 for item in alone.fluxes]).any(axis=0)
    assert companion.sum() > 15
    assert np.mean(broad[companion]) > 0.85
    assert np.mean((broad | told)[companion]) > 0.95
