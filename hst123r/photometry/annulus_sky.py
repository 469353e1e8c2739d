"""The sky of every pixel from an annulus around it, as DOLPHOT's ``calcsky`` finds it.

The program takes every ``step``-th pixel in the annulus, clips them to convergence, and smooths the
result over ``2 step`` pixels. Pixels a step apart share no sample with those between them, so each
of the ``step**2`` lattices is an image of its own. What clipping leaves of the samples of a pixel
are neighbours in their order, so they are sorted once, and a turn of the clipping moves two
pointers. Of some two hundred samples it leaves out about twenty: these are taken from the sums over
all samples, which neighbours share, and no other sample is looked at.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
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
"""Samples that are worked on at once: fewer, and calls take longer than the work; more, and nothing
of them is in a cache any more."""
_LINES: Final = 64
"""Rows of a lattice that share their sums: with those above and below, they fit a cache."""
_ACTIVE: Final = 0.75
"""Below this fraction of a block, the pixels that still change are worked on alone."""
_FEW: Final = 0.15
"""At this fraction of a block, the pixels that still change wait for those of other blocks."""
_DENSE: Final = 0.2
"""Above this fraction of pixels that leave out a sample, all of them are worked on."""
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
        Pixels to take samples from; those that are not finite are left out in any case.
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
    ny, nx = data.shape
    step = clipping.step
    reach = max(max(abs(row), abs(column)) for row, column in offsets)
    # an infinite sample would be in the sums of all pixels around, and no limit would leave it out
    values = np.where(usable & np.isfinite(data), data, _UNUSABLE).astype(np.float32)
    padded = np.pad(values, reach * step, constant_values=_UNUSABLE)
    sky = np.zeros(data.shape, np.float64)

    def work(begin: tuple[int, int]) -> None:
        row, column = begin
        lines = slice(row, row + step * (_LINES + 2 * reach), step)
        samples = np.ascontiguousarray(padded[lines, column::step])
        band = slice(row, row + step * _LINES, step), slice(column, None, step)
        sky[band] = _band(samples, offsets, reach, clipping)

    begins = [
        (first + row, column)
        for first in range(0, ny, step * _LINES)
        for row in range(min(step, ny - first))
        for column in range(min(step, nx))
    ]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        list(pool.map(work, begins))
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


def _band(
    padded: Singles, offsets: list[tuple[int, int]], reach: int, clipping: Clipping
) -> Floats:
    """Return the clipped means of the pixels of some rows of a lattice."""
    ny, nx = (length - 2 * reach for length in padded.shape)
    usable = padded < _UNUSABLE
    good = np.where(usable, padded, 0).astype(np.float64)
    sums = [_sums(array, offsets, reach) for array in (good, good * good, usable.astype(np.uint16))]
    most = max(1, _TOGETHER // len(offsets))
    width = min(nx, most)
    height = min(ny, most // width)
    samples = _Samples(padded, reach, offsets, height * width)
    sky = np.zeros(ny * nx)
    waiting: list[_Kept] = []
    for top in range(0, ny, height):
        for left in range(0, nx, width):
            block = slice(top, min(top + height, ny)), slice(left, min(left + width, nx))
            ordered = samples.take(*block)
            pixel = np.arange(top, block[0].stop)[:, None] * nx + np.arange(left, block[1].stop)
            kept = _Kept.everything(ordered, pixel.ravel(), *(a[block].ravel() for a in sums))
            waiting.append(_clip(kept, clipping, sky, int(_FEW * pixel.size)).apart())
            if sum(part.pixel.size for part in waiting) > most:
                _clip(_together(waiting), clipping, sky)
                waiting = []
    if waiting:
        _clip(_together(waiting), clipping, sky)
    return sky.reshape(ny, nx)


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


class _Samples:
    """Copies the samples of pixels, and brings those of each pixel in order."""

    def __init__(
        self, padded: Singles, reach: int, offsets: list[tuple[int, int]], pixels: int
    ) -> None:
        self._padded, self._number = padded, len(offsets)
        self._samples = np.empty((pixels, len(offsets)), np.float32)
        here = set(offsets)
        self._pieces, place = [], 0
        for row, first in offsets:
            if (row, first - 1) not in here:
                length = next(n for n in range(1, 2 * reach + 2) if (row, first + n) not in here)
                # neighbours are copied at once: as bytes, their number does not matter
                kind = np.dtype((np.void, length * padded.itemsize))
                self._pieces.append((reach + row, reach + first, kind, place))
                place += length

    def take(self, lines: slice, columns: slice) -> Singles:
        """Return the samples of a block of pixels, until the next block is taken."""
        stride, single = self._padded.strides
        width = columns.stop - columns.start
        size = self._number * single
        samples = self._samples[: (lines.stop - lines.start) * width]
        for line in range(lines.start, lines.stop):
            begin = line * stride + columns.start * single
            part = samples[(line - lines.start) * width :][:width]
            for row, column, kind, place in self._pieces:
                source = begin + row * stride + column * single
                np.ndarray(width, kind, part, place * single, (size,))[...] = np.ndarray(
                    width, kind, self._padded, source, (single,)
                )
            part.sort(axis=1)
        return samples


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is left of the samples of some pixels: those between two pointers, both included.

    Parameters
    ----------
    samples : (n, m) ndarray of float32
        Samples in order, of these pixels and perhaps of others.
    pixel : (k,) ndarray of int
        The pixels.
    total, squares : (k,) ndarray of float64
        Sums of what is left, and of its squares.
    first, last : (k,) ndarray of int
        Places in the flattened samples.
    """

    samples: Singles
    pixel: Counts
    total: Floats
    squares: Floats
    first: Counts
    last: Counts

    @classmethod
    def everything(
        cls, samples: Singles, pixel: Counts, total: Floats, squares: Floats, count: Floats
    ) -> _Kept:
        """Return all samples of some pixels, without the pixels that have none."""
        first = np.arange(0, samples.size, samples.shape[1])
        last = first + count.astype(np.intp) - 1
        return cls(samples, pixel, total, squares, first, last).only(count > 0)

    def only(self, chosen: Booleans) -> _Kept:
        """Return some of the pixels."""
        return _Kept(
            self.samples, self.pixel[chosen], self.total[chosen], self.squares[chosen],
            self.first[chosen], self.last[chosen],
        )  # fmt: skip

    def apart(self) -> _Kept:
        """Return the same with samples of its own."""
        size = self.samples.shape[1]
        row = self.first // size
        back = (row - np.arange(row.size)) * size
        return replace(
            self, samples=self.samples[row], first=self.first - back, last=self.last - back
        )


def _together(parts: list[_Kept]) -> _Kept:
    """Join pixels that have samples of their own."""
    ends = np.cumsum([0, *(part.samples.size for part in parts)])
    shifted = [
        replace(part, first=part.first + end, last=part.last + end)
        for part, end in zip(parts, ends, strict=False)
    ]
    names = (field.name for field in fields(_Kept))
    return _Kept(*(np.concatenate([getattr(part, name) for part in shifted]) for name in names))


def _clip(kept: _Kept, clip: Clipping, sky: Floats, few: int = 0) -> _Kept:
    """Clip until few pixels still change; write the means of the others, and return the few."""
    while kept.pixel.size > few:
        number = kept.last - kept.first + 1
        mean = kept.total / number
        variance = (kept.squares - mean * kept.total) / np.maximum(number - 1, 1)
        sigma = np.sqrt(1 + np.maximum(variance, 0))
        low = mean - max(clip.below, 1) * sigma
        high = mean + max(clip.above, 1) * sigma
        _leave_out(kept, kept.first, np.less, low, np.add)
        _leave_out(kept, kept.last, np.greater, high, np.subtract)
        moving = kept.last - kept.first + 1 != number
        changing = np.count_nonzero(moving)
        if changing <= max(_ACTIVE * moving.size, few):
            sky[kept.pixel] = mean
            kept = kept.only(moving)
    return kept


def _leave_out(kept: _Kept, pointer: Counts, beyond: Any, limit: Floats, onward: Any) -> None:
    """Move pointers over the samples beyond a limit, and take these from the sums, in place.

    Pointers do not meet: a sample is always within one standard deviation of the mean.
    """
    samples, total, squares = kept.samples.reshape(-1), kept.total, kept.squares
    value = samples.take(pointer).astype(np.float64)
    out = beyond(value, limit)
    while np.count_nonzero(out) > _DENSE * out.size:
        value *= out
        total -= value
        value *= value
        squares -= value
        onward(pointer, out, out=pointer)
        value = samples.take(pointer).astype(np.float64)
        out = beyond(value, limit)
    left = np.flatnonzero(out)
    place, edge, value = pointer[left], limit[left], value[left]
    while left.size:
        total[left] -= value
        squares[left] -= value * value
        onward(place, 1, out=place)
        pointer[left] = place
        value = samples.take(place).astype(np.float64)
        out = beyond(value, edge)
        left, place, edge, value = left[out], place[out], edge[out], value[out]
