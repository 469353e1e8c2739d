from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy.special import erf

SCALE = 0.05
RA, DEC = 150.0, 2.0


def gaussian_psf(sigma=0.9, half=20, oversampling=5):
    """A Gaussian integrated over pixels, which is known in closed form."""
    from hst123r.optics.psf import EffectivePSF

    offset = np.arange(-half * oversampling, half * oversampling + 1) / oversampling
    edge = 1 / (np.sqrt(2) * sigma)
    profile = (erf((offset + 0.5) * edge) - erf((offset - 0.5) * edge)) / 2
    return EffectivePSF(np.outer(profile, profile), oversampling)


@pytest.fixture(scope="session")
def psf():
    return gaussian_psf()


@pytest.fixture(scope="session")
def make_psf():
    return gaussian_psf


@pytest.fixture(scope="session")
def make_wcs():
    """Return a tangent plane with its tangent point in the middle, moved by some pixels."""

    def make(shape, dx=0.0, dy=0.0):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [RA, DEC]
        wcs.wcs.crpix = [(shape[1] + 1) / 2 + dx, (shape[0] + 1) / 2 + dy]
        wcs.wcs.cd = np.array([[-SCALE, 0], [0, SCALE]]) / 3600
        return wcs

    return make


@pytest.fixture(scope="session")
def light(psf):
    """Return an image of stars of known flux."""

    def paint(x, y, flux, shape, with_psf=None):
        truth = with_psf or psf
        image = np.zeros(shape)
        half = truth.half_pix
        for one_x, one_y, one_flux in zip(
            np.atleast_1d(x), np.atleast_1d(y), np.atleast_1d(flux), strict=True
        ):
            (stamp,), (x0,), (y0,) = truth.stamps(one_x, one_y, half)
            rows = np.arange(y0, y0 + stamp.shape[0])
            columns = np.arange(x0, x0 + stamp.shape[1])
            j, i = (rows >= 0) & (rows < shape[0]), (columns >= 0) & (columns < shape[1])
            image[np.ix_(rows[j], columns[i])] += one_flux * stamp[np.ix_(j, i)]
        return image

    return paint


@pytest.fixture(scope="session")
def make_frame(light, psf, make_wcs):
    """Return a maker of frames with stars, a sky, and noise."""
    from hst123r.photometry.frame import Frame

    def make(x, y, flux, *, shape=(120, 130), sky=50.0, seed=1, true_psf=None, spots=()):
        rng = np.random.default_rng(seed)
        image = rng.poisson(light(x, y, flux, shape, true_psf) + sky)
        image = image + 4.0 * rng.standard_normal(shape)
        for row, column, value in spots:
            image[row, column] += value
        nothing = np.zeros(shape, bool)
        return Frame(
            data=image, mask=nothing, saturated=nothing, read_noise_e=4.0, exposure_time_s=500.0,
            wcs=make_wcs(shape), psf=psf, area=np.ones(shape), label="test",
        )  # fmt: skip

    return make


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
