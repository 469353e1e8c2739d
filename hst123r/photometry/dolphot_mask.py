"""Pixels made ready for DOLPHOT: bad ones below a limit, saturated ones above another.

DOLPHOT knows no data quality. What it must not use has a value that it is told to leave out, and
light is that of pixels of equal area. This is what its mask programs do, for whole images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError

Singles = NDArray[np.float32]
_ROOM: Final = 1e-5
"""Relative distance of the values of unusable pixels from the limits; 1 unit is added."""

_MARGIN: Final = 1.5
"""The limits are widened by this, because areas of pixels are up to some per cent above one."""


@dataclass(frozen=True, slots=True)
class MaskRules:
    """Which bits of the data quality count.

    Parameters
    ----------
    bad : int
        Bits of pixels to leave out.
    saturated : int
        Bits of saturated pixels; they count before all others.
    cosmic_rays : int
        Bits of pixels hit by cosmic rays, left out too unless they are kept.
    widen : float
        The limits of the header are multiplied by this before they are used for values of
        unusable pixels.
    ceiling : float or None
        Pixels above this value are saturated.
    trim : bool
        Whether the last row and column are bad.
    """

    bad: int
    saturated: int
    cosmic_rays: int
    widen: float = 1.0
    ceiling: float | None = None
    trim: bool = False


@dataclass(frozen=True, eq=False)
class Masked:
    """An image ready for DOLPHOT.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        The image; unusable pixels are outside the two limits, all others within.
    low, high : float
        What DOLPHOT is told as BADPIX and SATURATE.
    bad, saturated : int
        How many pixels are below and above.
    """

    data: Singles
    low: float
    high: float
    bad: int
    saturated: int


def below(value: float) -> np.float32:
    """Return a value that is safely below another, in single precision as the programs do."""
    single = np.float32(value)
    return np.float32(float(single) - _ROOM * abs(float(single)) - 1)


def above(value: float) -> np.float32:
    """Return a value that is safely above another."""
    single = np.float32(value)
    return np.float32(float(single) + _ROOM * abs(float(single)) + 1)


def mask_pixels(
    data: Singles,
    quality: NDArray[np.int32],
    rules: MaskRules,
    limits: tuple[float, float],
    area: NDArray[np.floating] | float = 1.0,
    scale: float = 1.0,
    divide: float = 1.0,
    *,
    keep_cosmic_rays: bool = False,
) -> Masked:
    """Mask the pixels of one chip and correct their areas.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        Calibrated pixels; not changed.
    quality : (ny, nx) ndarray of int
        Data quality.
    rules : MaskRules
        What its bits mean.
    limits : (float, float)
        Least and largest good value as the header has them.
    area : (ny, nx) ndarray of float or float
        Relative areas of the pixels, by which their light is multiplied.
    scale : float
        Factor for the unit, after the limits were applied: the exposure time for rates.
    divide : float
        What the pixels are divided by with their areas.
    keep_cosmic_rays : bool
        Whether pixels hit by cosmic rays stay as they are.

    Returns
    -------
    Masked
        A new image. Pixels that are not finite are bad.

    Raises
    ------
    InputError
        If shapes differ, or the limits leave no good pixel.
    """
    _check(data, quality, area, limits)
    low, high = below(limits[0]), above(limits[1])
    finite = np.isfinite(data)
    saturated = (quality & rules.saturated) != 0
    if rules.ceiling is not None:
        saturated |= finite & (data > rules.ceiling)
    bits = rules.bad | (0 if keep_cosmic_rays else rules.cosmic_rays)
    bad = ~saturated & (((quality & bits) != 0) | ~finite)
    if rules.trim:
        bad[-1] |= ~saturated[-1]
        bad[:, -1] |= ~saturated[:, -1]
    saturated |= ~bad & (data >= high)
    bad |= ~saturated & (data <= low)
    low, high = _widened(low, high, rules.widen)
    low, high = _widened(low, high, _MARGIN, zero=True)
    result = data * (np.asarray(area, np.float64) / divide)
    masked = result.astype(np.float32)
    masked[saturated], masked[bad] = above(float(high)), below(float(low))
    return _scaled(masked, bad, saturated, (low, high), scale)


def mask_stack(
    data: Singles, covered: NDArray[np.bool_], exposure_time_s: float, divide: float = 1.0
) -> Masked:
    """Mask the pixels of a drizzled image in rates, which DOLPHOT takes for its reference.

    The limits are the least and the largest value, so that these two pixels are unusable too,
    as by the mask programs.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        Counts per second; not changed.
    covered : (ny, nx) ndarray of bool
        Pixels that an exposure contributes to.
    exposure_time_s : float
        What rates are multiplied by.
    divide : float
        What the pixels are divided by.

    Returns
    -------
    Masked
        A new image. Pixels that are not finite count as not covered.

    Raises
    ------
    InputError
        If shapes differ, or no pixel is finite.
    """
    finite = np.isfinite(data)
    if covered.shape != data.shape or not finite.any():
        raise InputError(
            f"an image of shape {data.shape} cannot be a reference", hint="Is it blank?"
        )
    low, high = np.float32(data[finite].min()), np.float32(data[finite].max())
    bad = ~(covered & finite)
    result = np.where(bad, below(float(low)), data).astype(np.float32)
    saturated = ~bad & (data >= high)
    scale = exposure_time_s / divide
    return _scaled(result, bad | (~saturated & (result <= low)), saturated, (low, high), scale)


def _scaled(
    result: Singles,
    bad: NDArray[np.bool_],
    saturated: NDArray[np.bool_],
    limits: tuple[np.float32, np.float32],
    scale: float,
) -> Masked:
    low, high = limits
    if scale != 1.0:
        result = (result.astype(np.float64) * scale).astype(np.float32)
        low, high = np.float32(float(low) * scale), np.float32(float(high) * scale)
    counts = int(np.count_nonzero(bad)), int(np.count_nonzero(saturated))
    return Masked(result, float(low), float(high), *counts)


def _widened(
    low: np.float32, high: np.float32, factor: float, *, zero: bool = False
) -> tuple[np.float32, np.float32]:
    """Return limits further apart; one on the wrong side of zero becomes nearer to it, or zero."""
    inward = 0.0 if zero else 1 / factor
    return (
        np.float32(float(low) * (factor if low < 0 else inward)),
        np.float32(float(high) * (factor if high > 0 else inward)),
    )


def _check(
    data: Singles,
    quality: NDArray[np.int32],
    area: NDArray[np.floating] | float,
    limits: tuple[float, float],
) -> None:
    shape = np.shape(area)
    if quality.shape != data.shape or (shape and shape != data.shape):
        raise InputError(
            f"an image of shape {data.shape} with data quality of {quality.shape} and areas of "
            f"{shape}"
        )
    if not limits[0] < limits[1]:
        raise InputError(f"good pixels cannot be from {limits[0]:g} to {limits[1]:g}")
