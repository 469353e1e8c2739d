"""The sky of every pixel from an annulus around it, as DOLPHOT's ``calcsky`` finds it.

The program takes every ``step``-th pixel in the annulus, clips them to convergence, and smooths the
result over ``2 step`` pixels. Pixels a step apart share no sample with those between them, so each
of the ``step**2`` lattices is an image of its own. The sums over all samples of a pixel, which
neighbours share, are where :mod:`~hst123r.photometry.annulus_clipping` begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError
from hst123r.photometry.annulus_clipping import SIDE, UNUSABLE, Shared, clipped_means

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Booleans = NDArray[np.bool_]

_TOGETHER: Final = 1 << 20
"""Samples that are sorted at once: fewer, and calls take longer than the work; more, and nothing of
them is in a cache any more."""
_STRIP: Final = 64
"""Columns or rows that are smoothed at once, for the same reason."""


@dataclass(frozen=True, slots=True)
class Clipping:
    """Where samples are taken, and which are left out.

    Parameters
    ----------
    r_in, r_out : int
        Radii of the annulus in pixels, both included.
    step : int
        Distance of the samples in pixels.
    above, below : float
        Samples further than this above and below the mean are left out, in standard deviations;
        what is less than 1 counts as 1.
    """

    r_in: int
    r_out: int
    step: int
    above: float
    below: float

    def __post_init__(self) -> None:
        if self.step < 1 or self.r_out < 1 or self.r_in > self.r_out:
            raise InputError(
                f"an annulus from {self.r_in} to {self.r_out} pixels with steps of {self.step}",
                hint="Radii must grow, and the step be at least one pixel",
            )

    def offsets(self) -> list[tuple[int, int]]:
        """Return the samples of a pixel, rows and columns away in steps."""
        reach = -(-self.r_out // self.step)
        low, high = max(self.r_in, 0) ** 2, self.r_out**2
        steps = range(-reach, reach + 1)
        return [
            (row, column)
            for row in steps
            for column in steps
            if low <= (row * row + column * column) * self.step**2 <= high
        ]


def annulus_sky(data: Singles, usable: Booleans, clipping: Clipping) -> Singles:
    """Return the sky of every pixel.

    A sample is left out if it is more than ``above`` or ``below`` times
    ``sqrt(1 + variance)`` from the mean of those that are left, until none is. The 1 is
    ``calcsky``'s own, in the unit of the pixels: an image in counts per second is hardly clipped.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        The image.
    usable : (ny, nx) ndarray of bool
        Pixels to take samples from; those that are not finite are left out in any case.
    clipping : Clipping
        The annulus and the limits.

    Returns
    -------
    (ny, nx) ndarray of float32
        The sky in the unit of the image; 0 counts for a pixel without any sample.

    Raises
    ------
    InputError
        If the annulus has no sample, or shapes differ.
    """
    offsets = clipping.offsets()
    if not offsets:
        raise InputError(
            "an annulus of 0 samples cannot be worked on",
            hint="Choose other radii or another step",
        )
    if data.ndim != 2 or usable.shape != data.shape:
        raise InputError(f"an image of shape {data.shape} with a mask of {usable.shape}")
    (ny, nx), step = data.shape, clipping.step
    shared = Shared.by(offsets)
    # an infinite sample would be in the sums of all pixels around, and no limit would leave it out
    values = np.where(usable & np.isfinite(data), data, UNUSABLE).astype(np.float32)
    around, behind = shared.reach * step, [-length % (SIDE * step) for length in data.shape]
    padding = [(around, around + more) for more in behind]
    padded = np.pad(values, padding, constant_values=UNUSABLE)
    sky = np.empty((ny + behind[0], nx + behind[1]))
    for row, column in product(range(step), repeat=2):
        lattice = np.ascontiguousarray(padded[row::step, column::step])
        sky[row::step, column::step] = _lattice(lattice, offsets, shared, clipping)
    return smoothed(sky[:ny, :nx], step)


def smoothed(sky: Floats, step: int) -> Singles:
    """Return the mean of each pixel and those from ``step - 1`` before to ``step`` behind it.

    Parameters
    ----------
    sky : (ny, nx) ndarray of float64
        An image.
    step : int
        Half the side of the box.

    Returns
    -------
    (ny, nx) ndarray of float32
        Means of what is on the image.
    """
    result = sky.copy()
    for image in (result, result.T):
        length = image.shape[0]
        place = np.arange(length)
        first, last = np.maximum(place - step + 1, 0), np.minimum(place + step + 1, length)
        for left in range(0, image.shape[1], _STRIP):
            strip = image[:, left : left + _STRIP]
            sums = np.zeros((length + 1, strip.shape[1]))
            np.cumsum(strip, axis=0, out=sums[1:])
            strip[...] = (sums[last] - sums[first]) / (last - first)[:, None]
    return result.astype(np.float32)


def _lattice(
    padded: Singles, offsets: list[tuple[int, int]], shared: Shared, clipping: Clipping
) -> Floats:
    """Return the clipped means of the pixels of a lattice, some rows after others."""
    ny, nx = (length - 2 * shared.reach for length in padded.shape)
    lines = SIDE * max(1, _TOGETHER * SIDE // (nx * shared.places.size))
    usable = padded < UNUSABLE
    good = np.where(usable, padded, 0).astype(np.float64)
    sums = [
        _sums(values, offsets, shared.reach)
        for values in (good, good * good, usable.astype(np.int32))
    ]
    limits = max(clipping.below, 1.0), max(clipping.above, 1.0)
    sky = np.empty((ny, nx))
    for top in range(0, ny, lines):
        band = slice(top, min(top + lines, ny))
        around = padded[top : band.stop + 2 * shared.reach]
        sky[band] = clipped_means(around, shared, [image[band] for image in sums], limits)
    return sky


def _sums(values: Any, offsets: list[tuple[int, int]], reach: int) -> Any:
    """Return the sum over the samples of every pixel but those that are padding.

    The samples in a row of the annulus are a stretch of the row less a shorter one, and a stretch
    is the next shorter one and a pixel at both ends. Running sums along the row would be fewer
    steps, and have the rounding of all stars in it.
    """
    ny, nx = (length - 2 * reach for length in values.shape)
    spans: dict[tuple[int, int], list[int]] = {}
    for row in {row for row, _ in offsets}:
        columns = [abs(column) for here, column in offsets if here == row]
        spans.setdefault((min(columns), max(columns)), []).append(row)
    stretch = values[:, reach : reach + nx]
    stretches = [np.zeros_like(stretch), stretch]
    for half in range(1, reach + 1):
        before, behind = (values[:, reach + side : reach + side + nx] for side in (-half, half))
        stretches.append(stretches[-1] + before)
        stretches[-1] += behind
    result = np.zeros((ny, nx), values.dtype)
    for (first, last), rows in spans.items():
        line = stretches[last + 1] - stretches[first]
        for row in rows:
            result += line[reach + row : reach + row + ny]
    return result
