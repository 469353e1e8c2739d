"""Frames whose PSF changes over the chip otherwise than the model, corrected by their stars."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.wcs import WCS

from hst123r import instruments
from hst123r.optics.stdpsf import PSFGrid
from hst123r.optics.telescope import effective_psf
from hst123r.photometry.chipfit import FitOptions
from hst123r.photometry.frame import Frame
from hst123r.photometry.measure import measure
from hst123r.photometry.psf_hybrid import hybrid_psf
from hst123r.photometry.psf_image import image_psf

pytestmark = [pytest.mark.truth, pytest.mark.heavy]
DETECTOR, BAND = instruments.get("WFC3/UVIS"), "F555W"
SIZE, SKY, READ, HALF = 700, 30.0, 3.0, 24
BLUR = DETECTOR.optics.blur.value


def computed(focus_nm, blur_pix):
    return effective_psf(DETECTOR, BAND, half_pix=HALF, focus_nm=focus_nm, blur_pix=blur_pix)


def truth(bend):
    """Return PSFs whose focus and charge diffusion change over the frame, linearly or curved."""
    nodes = np.linspace(0, SIZE - 1, 5)
    u = np.linspace(-1, 1, 5)
    psfs = [
        [computed(16.0 + 8.0 * i - 4.0 * bend * (i**2 + j**2), BLUR + 0.03 * j).data for i in u]
        for j in u
    ]
    return PSFGrid(nodes, nodes, np.array(psfs), 5)


def frame_of(grid, spacing, seed=3):
    """Return a frame and its stars: each drawn with the one PSF of its own place."""
    rng = np.random.default_rng(seed)
    steps = np.arange(spacing / 2, SIZE - spacing / 3, spacing)
    x, y = (a.ravel() + rng.uniform(-0.5, 0.5, a.size) for a in np.meshgrid(steps, steps))
    flux = 10 ** rng.uniform(4.2, 5.2, x.size)
    light = np.zeros((SIZE, SIZE))
    for star_x, star_y, one in zip(x, y, flux, strict=True):
        psf = grid.at(star_x, star_y)
        ((stamp,), (x0,), (y0,)) = psf.stamps([star_x], [star_y], psf.half_pix)
        left, low = max(x0, 0), max(y0, 0)
        right, high = min(x0 + stamp.shape[1], SIZE), min(y0 + stamp.shape[0], SIZE)
        light[low:high, left:right] += one * stamp[low - y0 : high - y0, left - x0 : right - x0]
    data = rng.poisson(np.maximum(light + SKY, 0.0)) + rng.normal(0, READ, light.shape)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1e-5, 1e-5]
    nothing = np.zeros(light.shape, bool)
    frame = Frame(
        data=data, mask=nothing, saturated=nothing, read_noise_e=READ, exposure_time_s=1.0,
        wcs=wcs, psf=computed(0.0, BLUR), area=np.ones(light.shape), label="truth",
    )  # fmt: skip
    return frame, x, y, flux


def by_place(frame, x, y, flux, cells=3):
    """Return the mean magnitude difference in cells of the frame."""
    found = measure(frame, x, y, FitOptions(fit_radius_pix=3.0)).fluxes
    difference = -2.5 * np.log10(found.flux / flux)
    cell = (y * cells // SIZE).astype(int) * cells + (x * cells // SIZE).astype(int)
    return np.bincount(cell, difference, cells**2) / np.bincount(cell, minlength=cells**2)


@pytest.fixture
def alike_everywhere(monkeypatch):
    """Return what makes the corrections of a module the same at all places."""

    def forbid(module):
        monkeypatch.setattr(f"hst123r.photometry.{module}.order_for", lambda *_: 0)

    return forbid


@pytest.mark.parametrize(("spacing", "bend", "order"), [(80, 0.0, 1), (40, 1.0, 2)])
def test_the_hybrid_follows_focus_and_diffusion(spacing, bend, order, alike_everywhere):
    frame, x, y, flux = frame_of(truth(bend), spacing)
    sky = measure(frame, x, y).background
    found = hybrid_psf(frame, x, y, sky, computed, BLUR)
    assert found.order == order
    after = by_place(replace(frame, psf=found.psf), x, y, flux)
    alike_everywhere("psf_hybrid")
    alike = hybrid_psf(frame, x, y, sky, computed, BLUR)
    assert (alike.order, alike.focus_over_frame_nm) == (0, 0.0)
    before = by_place(replace(frame, psf=alike.psf), x, y, flux)
    assert np.ptp(before) > 0.02
    assert np.ptp(after) < 0.25 * np.ptp(before)
    assert np.abs(after).max() < 0.006
    assert found.error_after < alike.error_after < found.error_before
    assert 12.0 < found.focus_over_frame_nm < 24.0


@pytest.mark.parametrize(("spacing", "bend", "order"), [(50, 0.0, 1), (28, 1.0, 2)])
def test_samples_follow_the_place(spacing, bend, order, alike_everywhere):
    """The light within six pixels stays the model's, which all places share as an error."""
    frame, x, y, flux = frame_of(truth(bend), spacing)
    sky = measure(frame, x, y).background
    found = image_psf(frame, x, y, sky)
    assert found.order == order
    after = by_place(replace(frame, psf=found.psf), x, y, flux)
    alike_everywhere("psf_image")
    alike = image_psf(frame, x, y, sky)
    before = by_place(replace(frame, psf=alike.psf), x, y, flux)
    assert np.ptp(before) > 0.02
    assert np.ptp(after) < 0.5 * np.ptp(before)
    assert found.error_after < alike.error_after < found.error_before
