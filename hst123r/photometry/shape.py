"""Whether a source is a star: how much broader or narrower than the PSF it is."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.chipfit import ChipFit

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_CORE_PIX: Final = 2.5
"""Radius within which shapes are compared."""


@lru_cache(maxsize=16)
def broadened(psf: EffectivePSF) -> EffectivePSF:
    """Return how a PSF changes when it is blurred: half its Laplacian.

    A convolution with a narrow Gaussian of variance s² per axis adds ``s² / 2`` times the
    Laplacian, whatever the shape of the PSF (the heat equation).

    Parameters
    ----------
    psf : EffectivePSF
        The PSF.

    Returns
    -------
    EffectivePSF
        Change of its values per pix² of variance along each axis.
    """
    frequency = np.fft.fftfreq(psf.data.shape[0], 1.0 / psf.oversampling)
    square = frequency[:, None] ** 2 + frequency[None, :] ** 2
    laplacian = np.fft.ifft2(np.fft.fft2(psf.data) * (-4 * np.pi**2 * square)).real
    return EffectivePSF(laplacian / 2, psf.oversampling)


def sharpness(fit: ChipFit) -> tuple[Floats, Floats]:
    """Return by how much stars are broader than the PSF.

    Flux and broadening of each star are fitted, neighbours and sky taken off, to all unmasked
    pixels within 2.5 pixels of its place, those rejected as outliers included: a cosmic ray or
    hot pixel is sharper than any star.

    Parameters
    ----------
    fit : ChipFit
        A fit that has settled.

    Returns
    -------
    sharpness, error : (n,) ndarray of float64
        Variance per axis, in pix², of the Gaussian with which the PSF would have to be
        convolved: 0 for stars, above for galaxies and blends, below for cosmic rays and hot
        pixels. Statistical error; neither is finite without light or pixels.
    """
    design = fit.design
    blur, _, _ = broadened(fit.frame.psf).stamps(design.x, design.y, design.half)
    place = design.place
    dx = design.column[place] - design.x[design.star]
    dy = design.row[place] - design.y[design.star]
    near = dx**2 + dy**2 <= _CORE_PIX**2
    weight = np.where(near, 1.0 / fit.variance()[place], 0.0)
    own, change = fit.values, design.select(blur)
    # the star's own light is put back
    data = fit.residual()[place] + fit.flux[design.star] * own
    a = design.per_star(weight * own**2)
    b = design.per_star(weight * own * change)
    c = design.per_star(weight * change**2)
    p = design.per_star(weight * own * data)
    q = design.per_star(weight * change * data)
    with np.errstate(invalid="ignore", divide="ignore"):
        determinant = a * c - b**2
        flux = (c * p - b * q) / determinant
        amount = (a * q - b * p) / determinant
        # amount is flux times variance
        error = np.sqrt(a / determinant) / np.abs(flux)
        return np.where(flux > 0, amount / flux, np.nan), np.where(flux > 0, error, np.nan)
