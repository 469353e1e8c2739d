"""Where stars are whose cores were saturated or left out: by what is left around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hst123r.sources.wings import Wings

Floats = NDArray[np.float64]
REACH_PIX: Final = 2.5
"""How far from the middle of a star the edge of its hole can be found, native pixels."""
RING_PIX: Final = (1.5, 6.0)
"""Where light is compared with the wings of the PSF, native pixels from the middle."""
STEPS_PIX: Final = (0.5, 0.25, 0.125)
"""Distances of the places that are tried, each time around the best so far, native pixels."""
PLACE_PIX: Final = 0.25
"""Standard error of such a place along an axis, native pixels; simulated stars have 0.2."""
MOST_SPREAD: Final = 0.5
"""Median deviation of the logarithm above which light is not that of wings; bright stars of a
crowded field have 0.3 to 0.46, stars whose wings are lost in the noise more."""
_LEAST: Final = 20
"""Fewer pixels than this say nothing."""


def by_wings(
    residual: NDArray[np.floating],
    weight: Floats,
    x: Floats,
    y: Floats,
    wings: Wings,
    scale_arcsec: float,
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return where the light around some sources is most like the wings of a star.

    The place is that at which the ratio of light to wings varies least, in the median of its
    logarithm, so that neighbours and a brightness that is not known have no part in it.

    Parameters
    ----------
    residual : (ny, nx) ndarray
        The image less its sky.
    weight : (ny, nx) ndarray of float64
        Weight map, zero where there are no data.
    x, y : (n,) ndarray of float64
        Zero-based pixels where the sources were found.
    wings : Wings
        Of the PSF.
    scale_arcsec : float
        Size of a pixel of the image.

    Returns
    -------
    x, y : (n,) ndarray of float64
        Zero-based pixels, within :data:`REACH_PIX` of those given.
    told : (n,) ndarray of bool
        Whether the light is that of wings; elsewhere the place is the given one.
    """
    places = [
        _place(residual, weight, float(east), float(north), wings, scale_arcsec)
        for east, north in zip(x, y, strict=True)
    ]
    east, north, spread = np.reshape(places, (-1, 3)).T
    told = spread < MOST_SPREAD
    return np.where(told, east, x), np.where(told, north, y), told


def once(x: Floats, y: Floats, coreless: NDArray[np.bool_], near_pix: float) -> NDArray[np.bool_]:
    """Tell what is to be kept where edges of one hole were found as several sources.

    Parameters
    ----------
    x, y : (n,) ndarray of float64
        Places, the best source first.
    coreless : (n,) ndarray of bool
        Which have no core.
    near_pix : float
        Two of those nearer than this are one.

    Returns
    -------
    (n,) ndarray of bool
        False for a source without a core that an earlier one is, too.
    """
    kept = np.ones(x.size, bool)
    rows = np.flatnonzero(coreless)
    for place, row in enumerate(rows):
        before = rows[:place][kept[rows[:place]]]
        kept[row] = not np.any(np.hypot(x[before] - x[row], y[before] - y[row]) < near_pix)
    return kept


def _place(
    residual: NDArray[np.floating],
    weight: Floats,
    x: float,
    y: float,
    wings: Wings,
    scale_arcsec: float,
) -> tuple[float, float, float]:
    native = wings.native_arcsec / scale_arcsec
    low, high = (radius * native for radius in RING_PIX)
    reach = int(np.ceil(high + REACH_PIX * native))
    rows, columns = (
        slice(max(round(at) - reach, 0), max(round(at) + reach + 1, 0)) for at in (y, x)
    )
    values = residual[rows, columns]
    # light below the sky has no logarithm, and tells nothing of a star's wings
    lit = (weight[rows, columns] > 0) & (np.nan_to_num(values, nan=0.0) > 0)
    dy, dx = np.nonzero(lit)
    across, up = dx + columns.start - x, dy + rows.start - y
    light = np.log(values[lit].astype(np.float64))
    best, place = np.inf, (0.0, 0.0)
    reached = REACH_PIX
    for step in STEPS_PIX:
        count = round(reached / step)
        tried = np.arange(-count, count + 1) * step * native
        middle = place
        for east in middle[0] + tried:
            for north in middle[1] + tried:
                distance = np.hypot(across - east, up - north)
                ring = (distance > low) & (distance < high)
                if np.hypot(east, north) > REACH_PIX * native or ring.sum() < _LEAST:
                    continue
                level = wings.level(distance[ring] * scale_arcsec)
                ratio = light[ring] - np.log(np.maximum(level, np.finfo(np.float64).tiny))
                spread = float(np.median(np.abs(ratio - np.median(ratio))))
                if spread < best:
                    best, place = spread, (float(east), float(north))
        reached = step
    return x + place[0], y + place[1], best
