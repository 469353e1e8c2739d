"""Which sources of a stack are narrower than a star, as only what is left of cosmic rays is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.optics.psf import EffectivePSF

Floats = NDArray[np.float64]

REACH_PIX: Final = 2.5
"""Radius of the pixels that are compared, native ones: as of the sharpness of single exposures."""
STEP_PIX: Final = 0.5
"""Step of the differences that stand for derivatives of the PSF."""
MODEL_ERROR: Final = 0.1
"""Relative error of the PSF of a stack, whose pixels differ in what was dropped on them: 0.05 to
0.15 of the light of a pixel in stacks of two to four exposures (measured by us, simulated)."""
_HALF_PIX: Final = 8
_OUT: Final = 1e-30
"""Weight of pixels that are not there, so that a star without any has no singular matrix."""


@dataclass(frozen=True, slots=True, eq=False)
class Narrowness:
    """By how much sources are broader than a star, in the direction in which they are least so.

    Parameters
    ----------
    variance, error : (n,) ndarray of float64
        The lesser eigenvalue of the variance, native pix², of the Gaussian with which a star would
        have to be convolved, and its standard error: about 0 for stars, pairs of them and
        streaks as wide as a star, above 0 for galaxies, below for hits of single pixels.
    """

    variance: Floats
    error: Floats

    @property
    def significance(self) -> Floats:
        """How many errors it is above zero; 0 where nothing is known."""
        known = np.isfinite(self.variance) & (self.error > 0)
        return np.divide(self.variance, self.error, out=np.zeros(known.size), where=known)


def stacked_psf(psf: EffectivePSF, drop_pix: float = 1.0) -> EffectivePSF:
    """Return the PSF of a stack: round, because exposures have any orientation, and broader.

    Parameters
    ----------
    psf : EffectivePSF
        Of the exposures.
    drop_pix : float
        Side of the square, native pixels, over which drizzling spreads a pixel.

    Returns
    -------
    EffectivePSF
        Within 8 pixels.
    """
    from scipy.ndimage import uniform_filter

    step = psf.oversampling
    data = uniform_filter(psf.data, max(1, round(step * drop_pix)))
    index = np.arange(data.shape[0]) - psf.middle
    bins = np.round(np.hypot(*np.meshgrid(index, index))).astype(np.int64).ravel()
    profile = np.bincount(bins, data.ravel()) / np.bincount(bins)
    half = min(_HALF_PIX, psf.half_pix) * step
    near = np.arange(-half, half + 1)
    distance = np.hypot(*np.meshgrid(near, near))
    return EffectivePSF(np.interp(distance, np.arange(profile.size), profile), step)


def narrowness(
    image: NDArray[Any], noise: NDArray[Any], x: Floats, y: Floats, psf: EffectivePSF, scale: float
) -> Narrowness:
    """Compare sources with a star.

    A star that is convolved with a narrow Gaussian of covariance C changes by ``C_ij / 2`` times
    the second derivatives of its PSF, whatever its shape (the heat equation). Flux, place and the
    three elements of C are fitted to the pixels within 2.5 native pixels.

    Parameters
    ----------
    image : (ny, nx) ndarray
        Sky-subtracted.
    noise : (ny, nx) ndarray
        Standard deviation of its pixels, infinite without data; that they are correlated is in it.
    x, y : (n,) ndarray of float64
        Zero-based positions of sources.
    psf : EffectivePSF
        Of the stack, by native pixels.
    scale : float
        Native pixels in one of the image.

    Returns
    -------
    Narrowness
        NaN where there is no light or no pixel.
    """
    value, spread, across, up = _pixels(image, noise, x, y, scale)
    terms = _terms(psf, across, up)
    weight = spread**-2.0
    own = terms[:, :, 0]
    flux = _ratio((weight * own * value).sum(axis=1), (weight * own**2).sum(axis=1))
    weight = 1.0 / (spread**2 + (MODEL_ERROR * flux[:, None] * own) ** 2)
    normal = np.einsum("npi,npj,np->nij", terms, terms, weight) + _OUT * np.eye(6)
    covariance = np.linalg.pinv(normal, hermitian=True)
    found = np.einsum("nij,npj,np->ni", covariance, terms, weight * value)
    light = np.where(found[:, 0] > 0, found[:, 0], np.nan)
    matrix = found[:, [3, 4, 4, 5]].reshape(-1, 2, 2) / light[:, None, None]
    known = np.isfinite(light)
    values, vectors = np.linalg.eigh(np.where(known[:, None, None], matrix, 0.0))
    one = vectors[:, :, 0]
    direction = np.stack([one[:, 0] ** 2, 2 * one[:, 0] * one[:, 1], one[:, 1] ** 2], axis=1)
    square = np.einsum("ni,nij,nj->n", direction, covariance[:, 3:, 3:], direction)
    least = np.where(known, values[:, 0], np.nan)
    return Narrowness(least, np.sqrt(np.maximum(square, 0.0)) / light)


def _pixels(
    image: NDArray[Any], noise: NDArray[Any], x: Floats, y: Floats, scale: float
) -> Sequence[Floats]:
    """Return values, noise and offsets, in native pixels, of the pixels around each source."""
    half = int(np.ceil(REACH_PIX / scale + 0.5))
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1].reshape(2, -1)
    columns = np.floor(x + 0.5).astype(np.int64)[:, None] + dx
    rows = np.floor(y + 0.5).astype(np.int64)[:, None] + dy
    height, width = image.shape
    place = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    value, spread = (np.asarray(array[place], np.float64) for array in (image, noise))
    across, up = scale * (columns - x[:, None]), scale * (rows - y[:, None])
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    inside &= (np.hypot(across, up) <= REACH_PIX) & np.isfinite(value) & (spread > 0)
    return np.where(inside, value, 0.0), np.where(inside, spread, np.inf), across, up


def _terms(psf: EffectivePSF, across: Floats, up: Floats) -> Floats:
    """Return what flux, place and broadening add to each pixel, (n, pixels, 6)."""
    step = STEP_PIX
    at = {(i, j): psf.at(across + i * step, up + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    middle = at[0, 0]
    along_x, along_y = at[1, 0] - at[-1, 0], at[0, 1] - at[0, -1]
    twice_x = at[1, 0] + at[-1, 0] - 2 * middle
    twice_y = at[0, 1] + at[0, -1] - 2 * middle
    mixed = at[1, 1] + at[-1, -1] - at[-1, 1] - at[1, -1]
    half = 0.5 / step**2
    return np.stack(
        [middle, along_x, along_y, half * twice_x, 0.5 * half * mixed, half * twice_y], axis=2
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)
