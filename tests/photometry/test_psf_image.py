from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r.errors import StageError
from hst123r.photometry.measure import measure
from hst123r.photometry.psf_image import image_psf

SHAPE = (400, 400)


@pytest.fixture(scope="module")
def field(make_frame, grid, make_psf):
    """A frame whose stars are wider than its PSF says."""
    x, y = grid(20.0, SHAPE)
    flux = 10 ** np.random.default_rng(1).uniform(3.3, 5, x.size)
    frame = make_frame(
        x, y, flux, shape=SHAPE, seed=2, with_psf=make_psf(1.0), used_psf=make_psf(0.9)
    )
    return frame, x, y, flux


def test_a_wrong_psf_is_corrected(field, make_psf):
    frame, x, y, flux = field
    before = measure(frame, x, y)
    result = image_psf(frame, x, y, before.background)
    after = measure(replace(frame, psf=result.psf), x, y)
    truth = make_psf(1.0)
    wrong = np.abs(frame.psf.data - truth.data).max()
    assert np.abs(result.psf.data - truth.data).max() < 0.1 * wrong
    assert result.error_before > 0.05
    assert result.error_after < 0.02
    assert np.abs(np.median(after.fluxes.flux / flux) - 1) < 0.004
    assert np.median(before.fluxes.flux / flux) < 0.99
    assert np.median(after.fluxes.chi) == pytest.approx(1.0, abs=0.05)


def test_the_normalisation_stays(field):
    frame, x, y, _ = field
    background = measure(frame, x, y).background
    result = image_psf(frame, x, y, background, radius_pix=6.0)
    for radius in (6.5, 8.0, 15.0):
        assert result.psf.encircled_energy(radius) == pytest.approx(
            frame.psf.encircled_energy(radius), abs=2e-3
        )
    outside = slice(0, 60)
    assert np.array_equal(result.psf.data[outside, outside], frame.psf.data[outside, outside])


def test_a_right_psf_stays(make_frame, grid, psf):
    x, y = grid(20.0, SHAPE)
    frame = make_frame(x, y, np.full(x.size, 2e4), shape=SHAPE, seed=2)
    result = image_psf(frame, x, y, measure(frame, x, y).background)
    assert np.abs(result.psf.data - psf.data).max() < 0.01 * psf.central_fraction


def test_too_few_stars(make_frame):
    frame = make_frame([60.0, 62.0], [60.0, 60.0], [1e5, 1e5], seed=1)
    background = measure(frame, [60.0, 62.0], [60.0, 60.0]).background
    with pytest.raises(StageError, match="only 0 bright isolated stars"):
        image_psf(frame, [60.0, 62.0], [60.0, 60.0], background)
    with pytest.raises(StageError, match="only 0"):
        image_psf(frame, [], [], background)
