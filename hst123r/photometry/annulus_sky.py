"""The sky of every pixel from an annulus around it, as DOLPHOT's ``calcsky`` finds it.

The program takes every ``step``-th pixel in the annulus, clips them to convergence, and smooths the
result over ``2 step`` pixels. Pixels a step apart share no sample with those between them, so each
of the ``step**2`` lattices is an image of its own, and all its pixels are clipped together:
one pass over the offsets of the annulus is one turn of the clipping for all of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Booleans = NDArray[np.bool_]

_UNUSABLE: Final = np.float32(-1e30)
"""Below every limit of clipping: these pixels are never taken, and add nothing to any sum."""
_BLOCK: Final = 1 << 15
"""Pixels that are worked on at once: their arrays stay in the cache of a core."""
_FEW: Final = 0.3
"""Below this fraction of a block, the samples of the pixels that still change are gathered."""
_TOGETHER: Final = 28
"""Samples that are summed in single precision before they join the sum in double precision."""
_ROUNDING: Final = 2e-7
"""Relative error of such sums of squares."""
_CLOSER: Final = 0.9999
"""Limits that became closer than this, though no sample was left out, were in doubt before."""
_ROWS: Final = 1024
"""Pixels whose samples are gathered at once."""
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
    sums = _Sums(padded, reach, offsets)
    height = max(1, min(ny, _BLOCK // nx))
    scratch = _Scratch((height, nx), len(offsets))
    sky = np.empty(values.shape, np.float64)
    for start in range(0, ny, height):
        # the last block overlaps the one before, so that all have one shape
        top = min(start, ny - height)
        block = padded[top : top + height + 2 * reach]
        windows = [
            block[reach + row : reach + row + height, reach + column : reach + column + nx]
            for row, column in offsets
        ]
        state = sums.first(top, height, clipping)
        sky[top : top + height] = _clipped(windows, state, scratch, clipping)
    return sky


@dataclass(slots=True)
class _State:
    """Samples that are left: their number and mean, and the limits that the next turn sets."""

    count: Floats
    mean: Floats
    low: Singles
    high: Singles


class _Sums:
    """Sums over the whole annulus, by running sums along the rows of a lattice."""

    def __init__(self, padded: Singles, reach: int, offsets: list[tuple[int, int]]) -> None:
        good = padded > _UNUSABLE
        self._pivot = float(np.median(padded[good])) if good.any() else 0.0
        value = np.where(good, padded - self._pivot, 0.0).astype(np.float64)
        self._running = [
            np.cumsum(np.pad(plane, ((0, 0), (1, 0))), axis=1)
            for plane in (good.astype(np.float64), value, value * value)
        ]
        self._reach, self._nx = reach, padded.shape[1] - 2 * reach
        here = set(offsets)
        self._runs = [
            (row, first, next(c for c in range(first, reach + 2) if (row, c) not in here))
            for row, first in offsets
            if (row, first - 1) not in here
        ]

    def first(self, top: int, height: int, clip: Clipping) -> _State:
        """Return the state of some rows with no sample left out but the unusable."""
        count, total, squares = (np.zeros((height, self._nx)) for _ in range(3))
        for row, first, last in self._runs:
            begin = top + self._reach + row
            rows = slice(begin, begin + height)
            left, right = self._reach + first, self._reach + last
            for sums, running in zip((count, total, squares), self._running, strict=True):
                after = running[rows, right : right + self._nx]
                np.add(sums, after - running[rows, left : left + self._nx], out=sums)
        mean, low, high = _limits(count, total, squares, clip)
        edges = ((edge + self._pivot).astype(np.float32) for edge in (low, high))
        return _State(count, mean + self._pivot, *edges)


def _limits(count: Any, total: Any, squares: Any, clip: Clipping) -> tuple[Any, Any, Any]:
    """Return mean and limits of samples by their sums."""
    mean = total / np.maximum(count, 1)
    spread = np.maximum(squares - mean * total, 0) / np.maximum(count - 1, 1)
    sigma = np.sqrt(1 + spread)
    return mean, mean - max(clip.below, 1) * sigma, mean + max(clip.above, 1) * sigma


def _clipped(windows: list[Singles], state: _State, scratch: _Scratch, clip: Clipping) -> Floats:
    """Return the clipped means of the pixels of a block."""
    while True:
        after = scratch.turn(windows, state, clip)
        closer = after.high - after.low < _CLOSER * (state.high - state.low)
        moving = (after.count != state.count) | closer
        state = after
        if np.count_nonzero(moving) <= _FEW * moving.size:
            break
    sky = np.where(state.count > 0, state.mean, 0).astype(np.float64)
    rows, columns = np.nonzero(moving)
    for start in range(0, rows.size, _ROWS):
        place = (rows[start : start + _ROWS], columns[start : start + _ROWS])
        gathered = scratch.gathered[:, : place[0].size]
        for samples, window in zip(gathered, windows, strict=True):
            samples[:] = window[place]
        samples = scratch.samples[: place[0].size]
        samples[:] = gathered.T
        limits = state.low[place], state.high[place]
        sky[place] = _finish(samples, state.mean[place].astype(np.float32), *limits, clip)
    return sky


def _finish(samples: Singles, near: Singles, low: Singles, high: Singles, clip: Clipping) -> Floats:
    """Clip some pixels to the end; samples are sorted once, and then go from the two ends.

    Sums are taken from a value near the samples, or their squares would not be good enough.
    """
    samples.sort(axis=1)
    inside = (samples >= low[:, None]) & (samples <= high[:, None])
    first = inside.argmax(axis=1)
    count = inside.sum(axis=1)
    samples -= near[:, None]
    value = samples * inside
    total = value.sum(axis=1, dtype=np.float64)
    squares = np.einsum("ij,ij->i", value, value).astype(np.float64)
    last = first + count - 1
    place = np.arange(count.size)
    while place.size:
        _, low_now, high_now = _limits(count[place], total[place], squares[place], clip)
        before = count[place]
        ends = ((first, 1, low_now, np.less), (last, -1, high_now, np.greater))
        for pointer, direction, limit, beyond in ends:
            left = np.arange(place.size)
            while left.size:
                row = place[left]
                away = samples[row, np.clip(pointer[row], 0, samples.shape[1] - 1)]
                out = beyond(away, limit[left]) & (count[row] > 0)
                left, row, away = left[out], row[out], away[out]
                pointer[row] += direction
                count[row] -= 1
                total[row] -= away
                squares[row] -= away * away
        place = place[count[place] != before]
    return np.where(count > 0, total / np.maximum(count, 1) + near, 0.0)


class _Scratch:
    """Arrays of a block that every turn needs."""

    def __init__(self, shape: tuple[int, ...], samples: int) -> None:
        self._value, self._square, self._total, self._squares, self._width, self._clip = (
            np.empty(shape, np.float32) for _ in range(6)
        )
        # with an array of zeros NumPy is four times as fast as with a number
        self._zero = np.zeros(shape, np.float32)
        counter = np.uint8 if samples < 256 else np.uint16
        self._kept, self._above = (np.empty(shape, counter) for _ in range(2))
        self._truth = np.empty(shape, np.bool_)
        self._sums = np.empty((2, *shape), np.float64)
        self.gathered = np.empty((samples, _ROWS), np.float32)
        self.samples = np.empty((_ROWS, samples), np.float32)

    def turn(self, windows: list[Singles], state: _State, clip: Clipping) -> _State:
        """Take the samples within the limits of a state, and find the next ones.

        Samples are counted from the limit below and cut off at that above. What is cut off is
        taken from the sums afterwards: that is faster than leaving it out.
        """
        value, clipped, width = self._value, self._clip, self._width
        np.subtract(state.high, state.low, out=width)
        for array in (self._sums, self._total, self._squares, self._kept, self._above):
            array.fill(0)
        truth = self._truth.view(np.uint8)
        for number, window in enumerate(windows, 1):
            np.subtract(window, state.low, out=value)
            np.maximum(value, self._zero, out=clipped)
            np.minimum(clipped, width, out=clipped)
            np.equal(clipped, value, out=self._truth)
            np.add(self._kept, truth, out=self._kept)
            np.greater(value, width, out=self._truth)
            np.add(self._above, truth, out=self._above)
            np.add(self._total, clipped, out=self._total)
            np.multiply(clipped, clipped, out=self._square)
            np.add(self._squares, self._square, out=self._squares)
            if number % _TOGETHER == 0 or number == len(windows):
                for place, part in enumerate((self._total, self._squares)):
                    self._sums[place] += part
                    part.fill(0)
        cut = self._above * width.astype(np.float64)
        total, squares = self._sums[0] - cut, self._sums[1] - cut * width
        count = self._kept.astype(np.float64)
        mean, low, high = _limits(count, total, squares, clip)
        # rounding must not leave out what is at the limit: the next turn, from closer limits, will
        # (what an error of the sum of squares does to the limits, to first order)
        spread = np.maximum((high - low) * np.maximum(count - 1, 1), _ROUNDING)
        doubt = _ROUNDING * (clip.above + clip.below) ** 2 / 2 * self._sums[1] / spread
        # a sample that was left out does not come back
        low = np.maximum((low - doubt + state.low).astype(np.float32), state.low)
        high = np.minimum((high + doubt + state.low).astype(np.float32), state.high)
        return _State(count, mean + state.low, low, high)
