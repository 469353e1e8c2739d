"""The sky of every pixel from an annulus around it, as DOLPHOT's ``calcsky`` finds it.

The program takes every ``step``-th pixel in the annulus, clips them to convergence, and smooths the
result over ``2 step`` pixels. Pixels a step apart share no sample with those between them, so each
of the ``step**2`` lattices is an image of its own. What clipping leaves of the samples of a pixel
are neighbours in their order, so they are sorted once; sums over any of them are then differences
of running sums, and a turn of the clipping moves two pointers.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Booleans = NDArray[np.bool_]
Counts = NDArray[np.intp]

_UNUSABLE: Final = np.float32(3e38)
"""Above every limit of clipping and every other sample: it is the first to be left out."""
_TOGETHER: Final = 1 << 20
"""Samples that are worked on at once: about what stays in the cache of a core, with their sums."""
_ACTIVE: Final = 0.8
"""Below this fraction of a block, the pixels that still change are worked on alone."""
_SWEEPS: Final = 2
"""Turns that leave out many samples; later ones move the pointers one by one."""
_STRETCH: Final = 16
"""Samples by which a pointer is moved at once."""
_WIDE: Final[dict[int, np.dtype[Any]]] = {4: np.dtype("c16"), 2: np.dtype("i8"), 1: np.dtype("f4")}
"""Neighbouring samples are copied together, as numbers of as many bytes."""
_MOST_SAMPLES: Final = 60_000
"""More samples of a pixel would overflow their counters."""


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


def annulus_sky(data: Singles, usable: Booleans, clipping: Clipping, workers: int = 1) -> Singles:
    """Return the sky of every pixel.

    A sample is left out if it is more than ``above`` or ``below`` times
    ``sqrt(1 + variance)`` from the mean of those that are left, until none is. The 1 is
    ``calcsky``'s own, in the unit of the pixels: an image in counts per second is hardly clipped.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        The image.
    usable : (ny, nx) ndarray of bool
        Pixels to take samples from.
    clipping : Clipping
        The annulus and the limits.
    workers : int
        Threads.

    Returns
    -------
    (ny, nx) ndarray of float32
        The sky in the unit of the image; 0 counts for a pixel without any sample.

    Raises
    ------
    InputError
        If the annulus has no sample or more than can be counted, or shapes differ.
    """
    offsets = clipping.offsets()
    if not 0 < len(offsets) < _MOST_SAMPLES:
        raise InputError(
            f"an annulus of {len(offsets)} samples cannot be worked on",
            hint="Choose other radii or another step",
        )
    if data.ndim != 2 or usable.shape != data.shape:
        raise InputError(f"an image of shape {data.shape} with a mask of {usable.shape}")
    step = clipping.step
    values = np.where(usable, data, _UNUSABLE).astype(np.float32)
    sky = np.zeros(data.shape, np.float64)

    def work(phase: tuple[int, int]) -> None:
        lattice = (slice(phase[0], None, step), slice(phase[1], None, step))
        sky[lattice] = _lattice(values[lattice], offsets, clipping)

    phases = [(row, column) for row in range(step) for column in range(step)]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        list(pool.map(work, phases))
    return smoothed(sky, step)


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
    result = sky
    for axis in (0, 1):
        length = sky.shape[axis]
        sums = np.concatenate(
            [np.zeros_like(result.take([0], axis)), np.cumsum(result, axis=axis)], axis=axis
        )
        place = np.arange(length)
        first, last = np.maximum(place - step + 1, 0), np.minimum(place + step + 1, length)
        shape = (-1, 1) if axis == 0 else (1, -1)
        result = (sums.take(last, axis) - sums.take(first, axis)) / (last - first).reshape(shape)
    return result.astype(np.float32)


def _lattice(values: Singles, offsets: list[tuple[int, int]], clipping: Clipping) -> Floats:
    """Return the clipped means of all pixels of one lattice."""
    ny, nx = values.shape
    reach = max(max(abs(row), abs(column)) for row, column in offsets)
    padded = np.pad(values, reach, constant_values=_UNUSABLE)
    most = max(1, _TOGETHER // len(offsets))
    width = min(nx, most)
    height = max(1, min(ny, most // width))
    samples = _Samples(padded, reach, offsets, (height, width))
    sky = np.empty(values.shape, np.float64)
    for start in range(0, ny, height):
        # the last blocks overlap those before, so that all have one shape
        top = min(start, ny - height)
        for begin in range(0, nx, width):
            left = min(begin, nx - width)
            samples.take(top, left)
            block = _clipped(samples, clipping)
            sky[top : top + height, left : left + width] = block.reshape(height, width)
    return sky


class _Samples:
    """The samples of the pixels of a block in their order, and their running sums."""

    def __init__(
        self, padded: Singles, reach: int, offsets: list[tuple[int, int]], shape: tuple[int, int]
    ) -> None:
        self._padded, self._shape = padded, shape
        self.number, self.pixels = len(offsets), shape[0] * shape[1]
        self._row = np.empty((shape[1], self.number), np.float32)
        self._pieces = [
            (row, column, np.ndarray(shape[1], kind, self._row, place, self._row.strides[:1]))
            for row, column, kind, place in _pieces(offsets, reach)
        ]
        self.ordered = np.empty((self.number, self.pixels), np.float32)
        # sums of the samples and of their squares, side by side
        self._sums = np.zeros((self.number + 1, 2 * self.pixels))
        self._steps = list(zip(self._sums[1:-1], self._sums[2:], strict=True))

    def take(self, top: int, left: int) -> None:
        """Take the samples of a block."""
        stride, single = self._padded.strides
        height, width = self._shape
        for line in range(height):
            for row, column, target in self._pieces:
                begin = (top + line + row) * stride + (left + column) * single
                target[...] = np.ndarray(width, target.dtype, self._padded, begin, (single,))
            self._row.sort(axis=1)
            self.ordered[:, line * width : (line + 1) * width] = self._row.T
        value, square = self._sums[1:, : self.pixels], self._sums[1:, self.pixels :]
        value[:] = self.ordered
        np.multiply(value, value, out=square)
        for before, here in self._steps:
            np.add(before, here, out=here)

    def moments(self, first: Counts, last: Counts, pixel: Counts) -> tuple[Floats, Floats, Floats]:
        """Return number, mean and variance of the samples from one pointer to before another."""
        sums = self._sums.reshape(-1)
        begin, end = 2 * first - pixel, 2 * last - pixel
        count = (last - first) / self.pixels
        total = sums.take(end) - sums.take(begin)
        squares = sums.take(end + self.pixels) - sums.take(begin + self.pixels)
        mean = total / count
        return count, mean, np.maximum(squares - mean * total, 0) / np.maximum(count - 1, 1)


def _pieces(
    offsets: list[tuple[int, int]], reach: int
) -> Iterator[tuple[int, int, np.dtype[Any], int]]:
    """Yield the rows of an annulus in pieces: where they are, their kind, and where they go."""
    here = set(offsets)
    place = 0
    for row, first in offsets:
        if (row, first - 1) in here:
            continue
        last = next(c for c in range(first, reach + 2) if (row, c) not in here)
        number = next(n for n in _WIDE if first + n <= last)
        # the last piece may overlap the one before
        for column in {*range(first, last - number + 1, number), last - number}:
            yield reach + row, reach + column, _WIDE[number], 4 * (place + column - first)
        place += last - first


def _clipped(samples: _Samples, clip: Clipping) -> Floats:
    """Return the clipped means of the pixels of a block.

    Pointers are places in the ordered samples of all pixels, the second one behind the last sample.
    """
    ordered, step = samples.ordered, samples.pixels
    pixel = np.arange(step)
    last = pixel + step * (samples.number - _beyond(ordered[::-1], np.greater, _UNUSABLE / 2))
    sky = np.zeros(step)
    pixel, last = (array[last >= step] for array in (pixel, last))
    first = pixel.copy()
    turn = 0
    while pixel.size:
        _, mean, spread = samples.moments(first, last, pixel)
        sigma = np.sqrt(1 + spread)
        low = mean - max(clip.below, 1) * sigma
        high = mean + max(clip.above, 1) * sigma
        before = last - first
        if turn < _SWEEPS and pixel.size == step:
            below = _beyond(ordered, np.less, _rounded(low, np.less, 1))
            above = _beyond(ordered[::-1], np.greater, _rounded(high, np.greater, -1))
            first = np.maximum(first, pixel + step * below)
            last = np.minimum(last, pixel + step * (samples.number - above))
        else:
            _move(first, ordered, np.less, low, step, 0)
            _move(last, ordered, np.greater, high, -step, -step)
        turn += 1
        moving = last - first != before
        if np.count_nonzero(moving) <= _ACTIVE * moving.size:
            sky[pixel] = mean
            pixel, first, last = pixel[moving], first[moving], last[moving]
    return sky


def _rounded(limit: Floats, beyond: Any, direction: int) -> Singles:
    """Return the number in single precision next to a limit, on the side of what is inside.

    With it a comparison in single precision says the same as with the limit itself.
    """
    single = limit.astype(np.float32)
    bits = single.view(np.int32)
    # the next number away from zero has the next bits
    bits += beyond(single, limit) * (direction * (1 | (bits >> 31)))
    return single


def _beyond(ordered: Singles, beyond: Any, limit: Any) -> Counts:
    """Return how many samples of each pixel are beyond a limit, in an order that begins there."""
    found = np.zeros(ordered.shape[1], np.intp)
    for start in range(0, len(ordered), _STRETCH):
        stretch = beyond(ordered[start : start + _STRETCH], limit)
        found += np.add.reduce(stretch.view(np.uint8), axis=0, dtype=np.uint8)
        if found.max() < start + len(stretch):
            break
    return found


def _move(
    pointer: Counts, ordered: Singles, beyond: Any, limit: Floats, step: int, offset: int
) -> None:
    """Move pointers, in place, over the samples beyond a limit, one by one.

    They do not meet: a sample is always within one standard deviation of the mean.
    """
    flat = ordered.reshape(-1)
    left = np.flatnonzero(beyond(flat.take(pointer + offset), limit))
    place, edge = pointer[left], limit[left]
    while left.size:
        place += step
        pointer[left] = place
        out = beyond(flat.take(place + offset), edge)
        left, place, edge = left[out], place[out], edge[out]
