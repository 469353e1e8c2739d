from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy.special import erf

from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.frame import Frame

SCALE = 0.05


def gaussian_psf(sigma: float = 0.9, half: int = 20, oversampling: int = 5) -> EffectivePSF:
    """A Gaussian integrated over pixels, which is known in closed form."""
    offset = np.arange(-half * oversampling, half * oversampling + 1) / oversampling
    edge = 1 / (np.sqrt(2) * sigma)
    profile = (erf((offset + 0.5) * edge) - erf((offset - 0.5) * edge)) / 2
    return EffectivePSF(np.outer(profile, profile), oversampling)


def plane_wcs(shape: tuple[int, int], ra: float = 150.0, dec: float = 2.0) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cd = np.array([[-SCALE, 0], [0, SCALE]]) / 3600
    return wcs


@pytest.fixture(scope="session")
def psf() -> EffectivePSF:
    return gaussian_psf()


@pytest.fixture(scope="session")
def make_psf():
    return gaussian_psf


@pytest.fixture(scope="session")
def make_frame(psf):
    """Return a maker of frames with stars of known flux, and noise unless seed is None."""

    def make(
        x,
        y,
        flux,
        *,
        shape=(120, 130),
        sky=50.0,
        read_noise=4.0,
        seed=1,
        area=1.0,
        with_psf=None,
        wcs=None,
        mask=None,
        saturated=None,
        used_psf=None,
    ) -> Frame:
        truth = with_psf or psf
        light = np.zeros(shape)
        half = truth.half_pix
        for one_x, one_y, one_flux in zip(
            np.atleast_1d(x), np.atleast_1d(y), np.atleast_1d(flux), strict=True
        ):
            (stamp,), (x0,), (y0,) = truth.stamps(one_x, one_y, half)
            rows = np.arange(y0, y0 + stamp.shape[0])
            columns = np.arange(x0, x0 + stamp.shape[1])
            j = (rows >= 0) & (rows < shape[0])
            i = (columns >= 0) & (columns < shape[1])
            light[np.ix_(rows[j], columns[i])] += one_flux * stamp[np.ix_(j, i)]
        light += sky * area
        if seed is not None:
            rng = np.random.default_rng(seed)
            light = rng.poisson(light) + read_noise * rng.standard_normal(shape)
        nothing = np.zeros(shape, bool)
        return Frame(
            data=light / area,
            mask=nothing if mask is None else mask,
            saturated=nothing if saturated is None else saturated,
            read_noise_e=read_noise,
            exposure_time_s=500.0,
            wcs=wcs or plane_wcs(shape),
            psf=used_psf or truth,
            area=np.full(shape, area),
            label="test",
        )

    return make


@pytest.fixture(scope="session")
def make_wcs():
    return plane_wcs


@pytest.fixture(scope="session")
def grid():
    """Return positions on a grid, each moved by a random part of a pixel."""

    def make(step=15.0, shape=(120, 130), seed=3):
        rng = np.random.default_rng(seed)
        x, y = np.meshgrid(
            np.arange(12.0, shape[1] - 10, step), np.arange(12.0, shape[0] - 10, step)
        )
        x, y = x.ravel(), y.ravel()
        return x + rng.uniform(-0.5, 0.5, x.size), y + rng.uniform(-0.5, 0.5, y.size)

    return make
