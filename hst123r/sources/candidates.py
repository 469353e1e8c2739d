"""Which detections could be stars at all, before they are fitted.

A long exposure has several times more cosmic rays than stars, and a fit that lets them wander to
the end spends most of its time on them. The pixels around the peak tell most of them: a star
lights them in the proportions of the PSF, wherever in a pixel it stands.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.photometry.frame import Frame

Floats = NDArray[np.float64]

TOLERANCE: Final = 0.2
"""Relative error that the PSF may have in a pixel."""
WORST_CHI_SQUARE: Final = 3.0
"""Highest chi-square by degree of freedom. Of a simulated ACS/WFC exposure of 400 s it keeps 1 of
20 detections that are no stars, and loses 4 of 3123 stars that the fit would keep; 2 loses 28."""
_REACH: Final = 1
_FINEST: Final = 17
"""Positions tried along each axis, from one pixel before the peak to one after."""
_BLOCK: Final = 4000
"""Detections at a time, which need 14 kB each."""
_FITTED: Final = 4
"""Flux, background and two coordinates."""


def could_be_stars(
    frame: Frame, sky: NDArray[np.float32], x: Floats, y: Floats
) -> NDArray[np.bool_]:
    """Tell detections that no star can explain, by the 3 by 3 pixels around them.

    For every place in the pixel, flux and a constant background are fitted in closed form; the
    best chi-square counts. The background takes the wings of neighbours; the relative error keeps
    bright stars of an imperfect PSF. Galaxies stay or go.

    Parameters
    ----------
    frame : Frame
        The chip.
    sky : (ny, nx) ndarray of float32
        Its sky.
    x, y : (n,) ndarray of float64
        Zero-based pixels of the detections.

    Returns
    -------
    (n,) ndarray of bool
        False for cosmic rays and hot pixels; some of them remain.
    """
    rows, columns = frame.shape
    steps = np.arange(-_REACH, _REACH + 1)
    column = np.round(x).astype(np.int64)[:, None] + np.tile(steps, steps.size)
    row = np.round(y).astype(np.int64)[:, None] + np.repeat(steps, steps.size)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    place = np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)
    used = inside & ~frame.bad[place]
    light = frame.data[place].astype(np.float64) - sky[place]
    empty = np.maximum(sky[place], 0) + frame.dark_e + frame.read_noise_e**2
    variance = empty + np.maximum(light, 0) + (TOLERANCE * light) ** 2
    weight = np.where(used, 1.0 / variance, 0.0)
    light = np.where(used, light, 0.0)
    templates = _templates(frame)
    parts = [slice(start, start + _BLOCK) for start in range(0, len(light), _BLOCK)]
    chi_square = np.concatenate(
        [np.empty(0), *(_best_chi_square(light[part], weight[part], templates) for part in parts)]
    )
    freedom = np.maximum(used.sum(axis=1) - _FITTED, 1)
    return np.asarray(chi_square <= WORST_CHI_SQUARE * freedom)


def _templates(frame: Frame) -> Floats:
    """Return the nine pixels of stars at all places around the peak, shape (places, 9)."""
    tried = np.linspace(-1.0, 1.0, _FINEST)
    dx, dy = np.meshgrid(tried, tried)
    middle = 2 * _REACH + 1
    stamps, x0, y0 = frame.psf.stamps(dx.ravel(), dy.ravel(), middle)
    size = 2 * _REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(stamps, (size, size), axis=(1, 2))
    places = np.arange(x0.size)
    return np.array(windows[places, -_REACH - y0, -_REACH - x0].reshape(x0.size, -1))


def _best_chi_square(light: Floats, weight: Floats, templates: Floats) -> Floats:
    """Return the least chi-square of flux, background and place, shape (n,)."""
    total = weight.sum(axis=1)[:, None]
    level = (weight * light).sum(axis=1)[:, None]
    squares = (weight * light**2).sum(axis=1)[:, None]
    shape = weight @ templates.T
    breadth = weight @ (templates**2).T
    product = (weight * light) @ templates.T
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.maximum(product - shape * level / total, 0.0) ** 2 / (breadth - shape**2 / total)
        chi_square = squares - level**2 / total - np.nan_to_num(gain)
    return np.asarray(np.where(total[:, 0] > 0, chi_square.min(axis=1), 0.0))
