"""Clipped means of the samples that pixels of a lattice take around themselves.

What clipping leaves of the samples of a pixel are neighbours in their order, so they are sorted
once, and a turn of the clipping moves two pointers. Of some two hundred samples it leaves out about
thirty: these are taken from the sums over all samples, and no other sample is looked at.

A tile of neighbours sorts its samples together, since most of them are samples of several of its
pixels: bits say of which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Counts = NDArray[np.intp]
Bits = NDArray[np.uint16]

SIDE: Final = 4
"""Pixels along the side of a tile; there is a bit for each of its pixels."""
UNUSABLE: Final = np.float32(3e38)
"""A pixel that is no sample: above every limit of clipping, and behind all samples in order."""
_TILE: Final = SIDE * SIDE
_STILL: Final = 0.7
"""Below this fraction, the pixels that still change are worked on alone."""
_DENSE: Final = 0.3
"""Above this fraction of pixels that leave out a sample, all of them are worked on."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Where the pixels of a tile take their samples.

    Parameters
    ----------
    reach : int
        How far samples are from a pixel, in steps.
    places : (n,) ndarray of int
        Places in the flattened square of pixels around a tile.
    owners : (n,) ndarray of int
        For each of them a bit for every pixel of the tile that has it as a sample.
    """

    reach: int
    places: Counts
    owners: Counts

    @classmethod
    def by(cls, offsets: Sequence[tuple[int, int]]) -> Shared:
        """Return what rows and columns away samples are taken from.

        Parameters
        ----------
        offsets : sequence of (int, int)
            The samples of a pixel.

        Returns
        -------
        Shared
            The samples of a tile.
        """
        reach = max(max(abs(row), abs(column)) for row, column in offsets)
        bits = np.zeros((SIDE + 2 * reach, SIDE + 2 * reach), np.intp)
        for pixel in range(_TILE):
            top, left = divmod(pixel, SIDE)
            for row, column in offsets:
                bits[top + reach + row, left + reach + column] |= 1 << pixel
        places = np.flatnonzero(bits)
        return cls(reach, places, bits.ravel()[places])


def clipped_means(
    padded: Singles, shared: Shared, sums: Sequence[NDArray[Any]], limits: tuple[float, float]
) -> Floats:
    """Return the mean of what clipping leaves of the samples of every pixel.

    Parameters
    ----------
    padded : (ny + 2 reach, nx + 2 reach) ndarray of float32
        Pixels of a lattice and those around them; ``ny`` and ``nx`` are multiples of `SIDE`.
    shared : Shared
        Where samples are taken.
    sums : sequence of three (ny, nx) ndarray
        Sum of the samples of each pixel and of their squares, float64, and their number, of any
        dtype.
    limits : (float, float)
        Standard deviations below and above the mean beyond which a sample is left out, at least 1.

    Returns
    -------
    (ny, nx) ndarray of float64
        Means; 0 for a pixel without samples.
    """
    ny, nx = sums[0].shape
    samples, number = _sorted(padded, shared)
    first = np.arange(0, samples.values.size, shared.places.size)
    kept = _Kept(
        pixel=np.arange(ny * nx),
        owner=np.repeat(np.left_shift(1, np.arange(_TILE)).astype(np.uint16), first.size),
        first=np.tile(first, _TILE),
        last=np.tile(first + number - 1, _TILE),
        total=_by_place(sums[0]),
        squares=_by_place(sums[1]),
        number=_by_place(sums[2]).astype(np.int32),
    )
    means = _clip(samples, kept.only(np.flatnonzero(kept.number)), limits, ny * nx)
    tiles = means.reshape(SIDE, SIDE, ny // SIDE, nx // SIDE)
    return tiles.transpose(2, 0, 3, 1).reshape(ny, nx)


def _by_place(image: NDArray[Any]) -> NDArray[Any]:
    """Return pixels by their place in a tile, and then by the tile."""
    ny, nx = image.shape
    tiles = image.reshape(ny // SIDE, SIDE, nx // SIDE, SIDE)
    return tiles.transpose(1, 3, 0, 2).ravel()


@dataclass(frozen=True, slots=True)
class _Samples:
    """Samples of tiles in order, and for each a bit for every pixel of the tile it belongs to."""

    values: Singles
    owners: Bits


def _sorted(padded: Singles, shared: Shared) -> tuple[_Samples, Counts]:
    """Return the samples of all tiles, and how many are usable in each tile.

    Value and bits are sorted as one number: the last 29 bits of a double are zero where it is that
    of a single, and with 16 of them set it is still nearer to that single than to any other.
    """
    side = SIDE + 2 * shared.reach
    squares = sliding_window_view(padded, (side, side))[::SIDE, ::SIDE]
    values = squares.reshape(-1, side * side).take(shared.places, axis=1)
    number = np.count_nonzero(values < UNUSABLE, axis=1)
    keys = values.astype(np.float64)
    bits = keys.view(np.int64)
    bits |= shared.owners
    keys.sort(axis=1)
    return _Samples(keys.astype(np.float32).ravel(), bits.astype(np.uint16).ravel()), number


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is left of the samples of some pixels: those between two pointers, both included.

    Parameters
    ----------
    pixel : (n,) ndarray of int
        The pixels.
    owner : (n,) ndarray of uint16
        The bit of each in its tile.
    first, last : (n,) ndarray of int
        Places in the samples.
    total, squares : (n,) ndarray of float64
        Sum of what is left, and of its squares.
    number : (n,) ndarray of int32
        How many are left.
    """

    pixel: Counts
    owner: Bits
    first: Counts
    last: Counts
    total: Floats
    squares: Floats
    number: NDArray[np.int32]

    def only(self, chosen: Counts) -> _Kept:
        """Return some of the pixels."""
        return _Kept(
            self.pixel.take(chosen), self.owner.take(chosen), self.first.take(chosen),
            self.last.take(chosen), self.total.take(chosen), self.squares.take(chosen),
            self.number.take(chosen),
        )  # fmt: skip


def _clip(samples: _Samples, kept: _Kept, limits: tuple[float, float], pixels: int) -> Floats:
    """Clip until no pixel changes any more, and return the means of all pixels."""
    means = np.zeros(pixels)
    below, above = limits
    while kept.pixel.size:
        number = kept.number.copy()
        mean = kept.total / number
        sigma = (kept.squares - mean * kept.total) / np.maximum(number - 1, 1)
        sigma = np.sqrt(1 + np.maximum(sigma, 0))
        _leave_out(samples, kept, kept.first, np.less, mean - below * sigma, np.add)
        _leave_out(samples, kept, kept.last, np.greater, mean + above * sigma, np.subtract)
        moving = kept.number != number
        if np.count_nonzero(moving) <= _STILL * moving.size:
            means[kept.pixel] = mean
            kept = kept.only(moving.nonzero()[0])
    return means


def _leave_out(
    samples: _Samples, kept: _Kept, pointer: Counts, beyond: Any, limit: Floats, onward: Any
) -> None:
    """Move pointers over the samples beyond a limit, and take these from the sums, in place.

    Pointers do not meet: a sample is always within one standard deviation of the mean.
    """
    total, squares, number = kept.total, kept.squares, kept.number
    value = samples.values.take(pointer)
    out = beyond(value, limit)
    while np.count_nonzero(out) > _DENSE * out.size:
        owned = ((samples.owners.take(pointer) & kept.owner) != 0) & out
        away = (value * owned).astype(np.float64)
        total -= away
        away *= away
        squares -= away
        number -= owned
        onward(pointer, out, out=pointer)
        value = samples.values.take(pointer)
        out = beyond(value, limit)
    left = out.nonzero()[0]
    owner, place, edge = kept.owner.take(left), pointer.take(left), limit.take(left)
    value = value.take(left)
    while left.size:
        owned = (samples.owners.take(place) & owner) != 0
        away = (value * owned).astype(np.float64)
        total[left] -= away
        squares[left] -= away * away
        number[left] -= owned
        onward(place, 1, out=place)
        pointer[left] = place
        value = samples.values.take(place)
        more = beyond(value, edge).nonzero()[0]
        left, owner, place = left.take(more), owner.take(more), place.take(more)
        edge, value = edge.take(more), value.take(more)
