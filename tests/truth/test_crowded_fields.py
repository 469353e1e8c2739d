"""Crowded simulated fields of every detector: fluxes and errors against the truth."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from star_frames import DEC, OUTLIER, SETUPS, TIME, observe

from hst123r.photometry.combine import combine
from hst123r.photometry.joint import common_positions

pytestmark = [pytest.mark.truth, pytest.mark.heavy]

EXPOSURES = 4
PIXELS_PER_STAR = 90
"""So many pixels a star: half of the stars have another within six pixels."""
CLOSEST_PIX = 2.0


def crowd(name):
    """Return places and magnitudes of a natural field, with as many stars as pixels allow."""
    _, bright, faint, spacing = SETUPS[name]
    pixel, rng = spacing / 48, np.random.default_rng(8)
    places = []
    for place in rng.uniform(-120, 120, (2 * 240**2 // PIXELS_PER_STAR, 2)):
        # closer pairs no detection would separate
        if all(np.hypot(*(place - other)) > CLOSEST_PIX for other in places):
            places.append(place)
    east, north = np.array(places[: 240**2 // PIXELS_PER_STAR]).T * pixel
    count = east.size
    # d log10 N / d magnitude of 0.25
    low, high = 10 ** (0.25 * bright), 10 ** (0.25 * faint)
    return pixel, east, north, np.log10(rng.uniform(low, high, count)) / 0.25


@pytest.mark.parametrize("name", SETUPS)
def test_crowded_field(name):
    """Places a tenth of a pixel off to begin with; fluxes of four exposures combined."""
    pixel, east, north, magnitude = crowd(name)
    field = observe(name, SETUPS[name][0], east, north, magnitude, EXPOSURES, size=420)
    on = np.isfinite(field.x).all(axis=0)
    assert on.sum() > 450
    ra, dec = field.frames[0].wcs.all_pix2world(field.x[0, on], field.y[0, on], 0)
    wrong = np.random.default_rng(9).normal(0, 0.1 * pixel, (2, on.sum()))
    joint = common_positions(
        field.frames,
        ra + wrong[0] / 3600 / np.cos(np.radians(DEC)),
        dec + wrong[1] / 3600,
        prior_arcsec=0.1 * pixel,
    )
    flux, error, slope, flags = (
        np.array([getattr(item, key) for item in joint.fluxes])
        for key in ("flux", "error", "photon_slope", "flags")
    )
    result = combine(flux, error, np.arange(EXPOSURES), TIME, slope, use=(flags & ~OUTLIER) == 0)
    true = field.flux[on]
    seen = result.exposures >= 3
    snr = true / result.error_weights
    bright = seen & (snr > 20)
    assert bright.sum() > 60
    away = -2.5 * np.log10(result.flux[bright] / true[bright])
    assert abs(np.median(away)) < 0.01
    pull = (result.flux - true) / result.error
    for low, high in pairwise((3, 10, 20, 50, 1e9)):
        part = seen & (snr >= low) & (snr < high)
        if part.sum() > 50:
            spread = np.diff(np.percentile(pull[part], [15.87, 84.13]))[0] / 2
            # what the sample itself leaves uncertain: 0.93 / sqrt(n) for a normal distribution
            allowed = 0.15 + 2 * 0.93 / np.sqrt(part.sum())
            assert spread == pytest.approx(1.0, abs=allowed), (low, part.sum())
            assert abs(np.median(pull[part])) < 0.25
    single = ((flux - true) / error)[:, bright]
    good = ((flags & ~OUTLIER) == 0)[:, bright]
    assert 0.8 < np.median(single[good] ** 2) / 0.455 < 1.3
