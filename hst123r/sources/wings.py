"""What bright stars put around themselves, and which sources are no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hst123r.algorithms.detection import Detections
    from hst123r.optics.psf import EffectivePSF

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
WING_MARGIN: Final = 1.5
"""How far above the wings of its brighter neighbours a source must stand to be one."""
FULL: Final = 0.7
"""Fraction of the full well from which the core of a star may be clipped."""
HOLE: Final = 0.5
"""Fraction of the weight around a star below which pixels of its core have been left out."""
CORE_PIX: Final = 1.5
"""Radius of the core of a star in native pixels; within it is the 3 by 3 box."""
RING_PIX: Final = (3.0, 12.0)
"""Where the wings of a star tell its brightness if the core does not, native pixels."""
_STEP_PIX: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Wings:
    """The light around a star by distance, as fractions of it all per square arcsec.

    Parameters
    ----------
    step_arcsec : float
        Distance between the values.
    largest : (n,) ndarray of float64
        Largest value at this distance or beyond.
    mean : (n,) ndarray of float64
        Mean value around the star.
    core_arcsec, core_fraction : float
        Radius of the core, and how much of the light is in it.
    ring_arcsec : (float, float)
        Inner and outer radius of the ring that tells the brightness of a star without a core.
    """

    step_arcsec: float
    largest: Floats
    mean: Floats
    core_arcsec: float
    core_fraction: float
    ring_arcsec: tuple[float, float]

    @classmethod
    def of(cls, psf: EffectivePSF, scale_arcsec: float) -> Wings:
        """Return the wings of a PSF whose native pixels have a given scale."""
        index = np.arange(psf.data.shape[0]) - psf.middle
        radius = np.hypot(*np.meshgrid(index, index)) / psf.oversampling
        bins = (radius / _STEP_PIX).astype(np.int64).ravel()
        value = psf.data.ravel() / scale_arcsec**2
        largest = np.zeros(int(bins.max()) + 1)
        np.maximum.at(largest, bins, value)
        mean = np.bincount(bins, value) / np.bincount(bins)
        core = float(psf.data[radius <= CORE_PIX].sum()) / psf.oversampling**2
        # in the corners of the array there is no full circle
        whole = int(psf.half_pix / _STEP_PIX)
        low, high = (min(pix, psf.half_pix) * scale_arcsec for pix in RING_PIX)
        return cls(
            step_arcsec=_STEP_PIX * scale_arcsec,
            largest=np.maximum.accumulate(largest[::-1])[::-1],
            mean=mean[:whole],
            core_arcsec=CORE_PIX * scale_arcsec,
            core_fraction=core,
            ring_arcsec=(low, high),
        )

    @property
    def native_arcsec(self) -> float:
        """Size of a native pixel."""
        return self.core_arcsec / CORE_PIX

    @property
    def reach_arcsec(self) -> float:
        """Distance of the last value."""
        return self.step_arcsec * (self.largest.size - 1)

    def bump(self, distance_arcsec: Floats) -> Floats:
        """Return the largest value at some distances or beyond."""
        row = (distance_arcsec / self.step_arcsec).astype(np.int64)
        return np.asarray(self.largest[np.clip(row, 0, self.largest.size - 1)])

    def level(self, distance_arcsec: Floats) -> Floats:
        """Return the mean value at some distances."""
        row = (distance_arcsec / self.step_arcsec).astype(np.int64)
        return np.asarray(self.mean[np.clip(row, 0, self.mean.size - 1)])


def stands_out(
    found: Detections,
    residual: NDArray[np.float32],
    weight: Floats,
    wings: Wings,
    scale_arcsec: float,
    full: float,
) -> Booleans:
    """Tell sources from the rings and spikes of brighter ones.

    How bright a star is, is told by its core; where that was saturated or left out of the
    stack, by its wings.

    Parameters
    ----------
    found : Detections
        What was found.
    residual : (ny, nx) ndarray of float32
        The image less its sky.
    weight : (ny, nx) ndarray of float64
        Weight map, zero where there are no data.
    wings : Wings
        Of the PSF.
    scale_arcsec : float
        Size of a pixel.
    full : float
        Value of a pixel of the image at the full well of the detector, as far as is known.

    Returns
    -------
    (n,) ndarray of bool
        Whether a source is more than that.
    """
    total = _starlight(found, residual, weight, wings, scale_arcsec, full)
    place = np.stack([found.x, found.y], axis=1) * scale_arcsec
    around = _light(place, total, wings) * scale_arcsec**2
    return np.asarray(found.peak >= WING_MARGIN * around)


def _starlight(
    found: Detections,
    residual: NDArray[np.float32],
    weight: Floats,
    wings: Wings,
    scale_arcsec: float,
    full: float,
) -> Floats:
    """Return the flux of every source, from its core or from its wings, whichever is more."""
    values, distance = _around(residual, found.x, found.y, wings.core_arcsec / scale_arcsec)
    core: Floats = np.asarray(np.nansum(values, axis=1) / wings.core_fraction)
    low, high = (radius / scale_arcsec for radius in wings.ring_arcsec)
    doubtful = found.peak > FULL * full
    doubtful |= without_core(found, weight, wings, scale_arcsec)
    rows = np.flatnonzero(doubtful)
    if rows.size == 0:
        return core
    values, distance = _around(residual, found.x[rows], found.y[rows], high)
    depth, _ = _around(weight, found.x[rows], found.y[rows], high)
    expected = wings.level(distance * scale_arcsec) * scale_arcsec**2
    usable = (distance >= low) & (depth > 0) & np.isfinite(values) & (expected > 0)
    ratio = np.divide(values, expected, out=np.full(values.shape, np.nan), where=usable)
    seen = usable.any(axis=1)
    ring = np.zeros(rows.size)
    ring[seen] = np.nanmedian(ratio[seen], axis=1)
    core[rows] = np.maximum(core[rows], ring)
    return core


def without_core(found: Detections, weight: Floats, wings: Wings, scale_arcsec: float) -> Booleans:
    """Tell which sources have pixels of their cores left out of the stack.

    Parameters
    ----------
    found : Detections
        What was found.
    weight : (ny, nx) ndarray of float64
        Weight map, zero where there are no data.
    wings : Wings
        Of the PSF.
    scale_arcsec : float
        Size of a pixel.

    Returns
    -------
    (n,) ndarray of bool
        Whether weights in the core fall below half of those around it.
    """
    even = _over_native_pixel(weight, wings.native_arcsec / scale_arcsec)
    depth, _ = _around(even, found.x, found.y, wings.core_arcsec / scale_arcsec)
    nearby, _ = _around(even, found.x, found.y, wings.ring_arcsec[0] / scale_arcsec)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nanmin(depth, axis=1) < HOLE * np.nanmax(nearby, axis=1))


def _over_native_pixel(weight: Floats, width_pix: float) -> Floats:
    """Return weights averaged over a native pixel.

    Drops of few exposures on a fine grid leave a pattern in the weights, which is no hole. Its
    period is the native pixel, so that the mean over one is without it.
    """
    from scipy.ndimage import convolve1d

    half = max(int(np.ceil((width_pix - 1) / 2)), 0)
    box = np.clip((width_pix + 1) / 2 - np.abs(np.arange(-half, half + 1)), 0.0, 1.0)
    box /= box.sum()
    rows = convolve1d(weight, box, axis=0, mode="nearest")
    return np.asarray(convolve1d(rows, box, axis=1, mode="nearest"))


def _around(
    image: NDArray[np.floating], x: Floats, y: Floats, radius_pix: float
) -> tuple[Floats, Floats]:
    """Return pixels in a circle around each position and their distances, NaN off the image."""
    half = int(np.ceil(radius_pix + 0.5))
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1].reshape(2, -1)
    column, row = np.round(x).astype(np.int64), np.round(y).astype(np.int64)
    columns, rows = column[:, None] + dx, row[:, None] + dy
    distance = np.hypot(columns - x[:, None], rows - y[:, None])
    height, width = image.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    inside &= distance <= radius_pix
    values = image[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return np.where(inside, values, np.nan).astype(np.float64), distance


def _light(place_arcsec: Floats, total: Floats, wings: Wings) -> Floats:
    """Return how much light per square arcsec brighter sources could put on each source."""
    from scipy.spatial import KDTree

    light = np.zeros(total.size)
    pairs = KDTree(place_arcsec).query_pairs(wings.reach_arcsec, output_type="ndarray")
    if pairs.size == 0:
        return light
    first = total[pairs[:, 0]] >= total[pairs[:, 1]]
    bright = np.where(first, pairs[:, 0], pairs[:, 1])
    faint = np.where(first, pairs[:, 1], pairs[:, 0])
    apart = np.hypot(*(place_arcsec[bright] - place_arcsec[faint]).T)
    np.add.at(light, faint, total[bright] * wings.bump(apart))
    return light
