"""Tracks of charged particles through a CCD."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEDIAN_CHARGE_E: Final = 1500.0
CHARGE_SCATTER: Final = 0.8
"""Median charge of a hit in electrons, and its scatter in natural logarithm: our choice, of the
order of what ACS records (Riess 2002, ACS ISR 2002-07)."""
MEAN_LENGTH_PIX: Final = 2.5
"""Mean length of a track along the surface; exponentially distributed."""
HIT_ELECTRONS: Final = 10.0
"""A pixel counts as hit from this charge on."""
_STEP_PIX: Final = 0.4
_SPREAD_PIX: Final = 0.25


def tracks(
    shape: tuple[int, int], hit_fraction: float, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """Draw cosmic rays until a given fraction of the pixels is hit.

    Each particle crosses the surface along a straight line and leaves its charge evenly along
    it, with some diffusion; steep particles hit one or two pixels, grazing ones leave streaks.

    Parameters
    ----------
    shape : (rows, columns)
        Size of the frame.
    hit_fraction : float
        Fraction of pixels with more than 10 electrons from cosmic rays.
    rng : `numpy.random.Generator`
        Source of randomness.

    Returns
    -------
    charge : (rows, columns) ndarray of float64
        Electrons.
    hit : (rows, columns) ndarray of bool
        Pixels with more than 10 of them.
    """
    rows, columns = shape
    charge = np.zeros(rows * columns)
    wanted = int(rng.poisson(hit_fraction * charge.size))
    while wanted > 0:
        pixel, electrons, event = _events(shape, max(8, wanted // 3), rng)
        counted = electrons > HIT_ELECTRONS
        # events are kept up to the one that reaches the number of pixels
        enough = np.cumsum(np.bincount(event[counted], minlength=int(event.max(initial=0)) + 1))
        last = int(np.searchsorted(enough, wanted))
        kept = event <= last
        np.add.at(charge, pixel[kept], electrons[kept])
        wanted -= int(enough[min(last, enough.size - 1)])
    image = charge.reshape(shape)
    return image, image > HIT_ELECTRONS


def _events(
    shape: tuple[int, int], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Draw some events; return pixel, electrons and event of every pixel touched."""
    rows, columns = shape
    start_x = rng.uniform(-0.5, columns - 0.5, count)
    start_y = rng.uniform(-0.5, rows - 0.5, count)
    angle = rng.uniform(0, 2 * np.pi, count)
    length = rng.exponential(MEAN_LENGTH_PIX, count)
    total = MEDIAN_CHARGE_E * np.exp(CHARGE_SCATTER * rng.standard_normal(count))
    points = np.maximum(1, np.ceil(length / _STEP_PIX)).astype(np.int64) + 2
    event = np.repeat(np.arange(count), points)
    along = (np.arange(event.size) - np.repeat(np.cumsum(points) - points, points)) / np.repeat(
        points, points
    )
    x = start_x[event] + along * length[event] * np.cos(angle[event])
    y = start_y[event] + along * length[event] * np.sin(angle[event])
    x += _SPREAD_PIX * rng.standard_normal(x.size)
    y += _SPREAD_PIX * rng.standard_normal(y.size)
    portion = (total / points)[event]
    # each point's charge goes to the four pixels around it
    left, below = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    share_x, share_y = x - left, y - below
    keys, amounts = [], []
    for dx, weight_x in ((0, 1 - share_x), (1, share_x)):
        for dy, weight_y in ((0, 1 - share_y), (1, share_y)):
            column, row = left + dx, below + dy
            inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            keys.append((event * (rows * columns) + row * columns + column)[inside])
            amounts.append((portion * weight_x * weight_y)[inside])
    unique, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    electrons = np.bincount(inverse, np.concatenate(amounts), minlength=unique.size)
    pixel, event = unique % (rows * columns), unique // (rows * columns)
    return pixel, np.asarray(electrons, np.float64), event
