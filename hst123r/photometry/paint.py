"""The light of stars painted on a frame: whole, or only what falls beyond the fit radius."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.optics.psf import EffectivePSF

Floats = NDArray[np.float64]

_HALVES: Final = (8, 12, 24, 40)
"""Half sizes of stamps below the whole PSF."""
LOST_SIGMA: Final = 0.01
"""A stamp ends where the star is below this fraction of the noise in every pixel."""
_FAR_PIX: Final = 3.0
"""Light beyond this from its star is painted as wings are: quickly, and right to a hundredth."""
_BLOCK: Final = 4_000_000
"""Pixels of stamps held at a time."""


def paint(
    shape: tuple[int, int],
    psf: EffectivePSF,
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    noise: float,
    *,
    beyond_pix: float = 0.0,
    lost_sigma: float = LOST_SIGMA,
) -> NDArray[np.float32]:
    """Return the light of stars on a frame.

    Parameters
    ----------
    shape : (ny, nx)
        Size of the frame.
    psf : EffectivePSF
        The effective PSF.
    x, y : array_like of float, shape (n,)
        Zero-based positions; stars off the frame count with what falls on it.
    flux : array_like of float, shape (n,)
        Light of each star in an infinite aperture, in frame units (true electrons over the
        pixel area); not finite means none. Negative fluxes are painted.
    noise : float
        Noise of an empty pixel, which decides how large the stamps are.
    beyond_pix : float
        Pixels nearer than this to their star do not get its light.
    lost_sigma : float
        What is left out is below this fraction of the noise in every pixel.

    Returns
    -------
    (ny, nx) ndarray of float32
        Light per pixel.
    """
    image = np.zeros(shape, np.float32)
    star_x, star_y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    light = np.atleast_1d(np.asarray(flux, np.float64))
    halves = [half for half in _HALVES if beyond_pix < half < psf.half_pix] + [psf.half_pix]
    limit = lost_sigma * noise
    known = np.isfinite(light) & np.isfinite(star_x) & np.isfinite(star_y)
    size = np.abs(np.where(known, light, 0.0))
    needed = known & (size * psf.brightest_beyond(beyond_pix) > limit)
    tier = np.full(light.shape, len(halves) - 1)
    for index in range(len(halves) - 2, -1, -1):
        tier[size * psf.brightest_beyond(halves[index]) <= limit] = index
    for index, half in enumerate(halves):
        chosen = np.flatnonzero(needed & (tier == index))
        step = max(1, _BLOCK // (2 * half + 1) ** 2)
        for start in range(0, chosen.size, step):
            part = chosen[start : start + step]
            stamps = psf.wings if beyond_pix >= _FAR_PIX else psf.stamps
            values, x0, y0 = stamps(star_x[part], star_y[part], half)
            values *= light[part, None, None]
            if beyond_pix > 0:
                values[_within(star_x[part] - x0, star_y[part] - y0, half, beyond_pix)] = 0.0
            _add_all(image, values, x0, y0)
    return image


def _within(dx: Floats, dy: Floats, half: int, radius: float) -> NDArray[np.bool_]:
    """Return the pixels of stamps nearer to their star than a radius, shape (n, k, k)."""
    steps = np.arange(2 * half + 1, dtype=np.float64)
    square = (steps - dx[:, None])[:, None, :] ** 2 + (steps - dy[:, None])[:, :, None] ** 2
    return np.asarray(square <= radius**2)


def _add_all(image: NDArray[Any], stamps: Floats, x0: NDArray[Any], y0: NDArray[Any]) -> None:
    ny, nx = image.shape
    size = stamps.shape[1]
    for stamp, left, low in zip(stamps, x0.tolist(), y0.tolist(), strict=True):
        right, high = min(left + size, nx), min(low + size, ny)
        first, bottom = max(left, 0), max(low, 0)
        if first < right and bottom < high:
            image[bottom:high, first:right] += stamp[
                bottom - low : high - low, first - left : right - left
            ]
