"""Pixels that no star explains: cosmic rays and defects nobody has masked."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.photometry.design import Design

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

UNKNOWN_MODEL_ERROR: Final = 0.03
"""Relative error of a PSF where no star is bright enough to measure it."""
SMALLEST_MODEL_ERROR: Final = 0.01
LARGEST_MODEL_ERROR: Final = 0.3
_BRIGHT_SIGMA: Final = 30.0
_ENOUGH: Final = 30
_WORST_FIRST: Final = 0.5
_BESIDE_SIGMA: Final = 2.0
_GROWTH: Final = 2
_AROUND: Final = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


def measured_model_error(residual: Floats, light: Floats, variance: Floats) -> float:
    """Measure by how much the PSF is wrong, relative to itself.

    Parameters
    ----------
    residual, light, variance : (p,) ndarray of float64
        Data less model, light of the stars, and variance of each pixel.

    Returns
    -------
    float
        Robust scatter of residual over light in pixels where the light is 30 times its noise,
        their noise taken off; between 0.01 and 0.3, and 0.03 where there are fewer than 30.
    """
    bright = light > _BRIGHT_SIGMA * np.sqrt(variance)
    if np.count_nonzero(bright) < _ENOUGH:
        return UNKNOWN_MODEL_ERROR
    relative = residual[bright] / light[bright]
    total = 1.4826 * float(np.median(np.abs(relative)))
    noise = float(np.median(variance[bright] / light[bright] ** 2))
    error = np.sqrt(max(total**2 - noise, 0.0))
    return float(np.clip(error, SMALLEST_MODEL_ERROR, LARGEST_MODEL_ERROR))


def find(design: Design, significance: Floats, already: Booleans, reject_sigma: float) -> Booleans:
    """Return the pixels to leave out.

    The worst pixels of a star come first: in one call only those with at least half of the
    largest residual of any star they belong to, since a wrong pixel makes good ones look bad.
    A pixel that was left out stays out while its residual is above the limit. The pixels
    around one that is too bright are left out from 2 sigma: the charge of a cosmic ray has
    edges.

    Parameters
    ----------
    design : Design
        The pixels and their stars.
    significance : (p,) ndarray of float64
        Residual over its standard deviation, model errors included.
    already : (p,) ndarray of bool
        Pixels left out so far.
    reject_sigma : float
        The limit.

    Returns
    -------
    (p,) ndarray of bool
        True for pixels to leave out.
    """
    size = np.abs(significance)
    open_size = np.where(already, 0.0, size)
    worst = design.largest(open_size[design.place])
    limit = np.zeros(size.size)
    np.maximum.at(limit, design.place, worst[design.star])
    out = (size > reject_sigma) & (already | (open_size >= _WORST_FIRST * limit))
    for _ in range(_GROWTH):
        out |= beside(design, out & (significance > 0)) & (significance > _BESIDE_SIGMA)
    return out


def beside(design: Design, hit: Booleans) -> Booleans:
    """Return the numbered pixels that touch one of the given ones.

    Parameters
    ----------
    design : Design
        The pixels.
    hit : (p,) ndarray of bool
        Some of them.

    Returns
    -------
    (p,) ndarray of bool
        True for their neighbours, diagonal ones too.
    """
    ny, nx = design.frame.shape
    result = np.zeros(hit.size, np.bool_)
    column, row = design.column[hit], design.row[hit]
    for dx, dy in _AROUND:
        inside = (column + dx >= 0) & (column + dx < nx) & (row + dy >= 0) & (row + dy < ny)
        flat = (row[inside] + dy) * nx + column[inside] + dx
        at = np.minimum(np.searchsorted(design.pixels, flat), design.pixels.size - 1)
        found = design.pixels[at] == flat
        result[at[found]] = True
    return result
