"""The sky of boxes and between them, as DOLPHOT's ``calcsky`` finds it with a negative step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Booleans = NDArray[np.bool_]


def box_sky(data: Singles, usable: Booleans, side: int, above: float, below: float) -> Singles:
    """Return the sky of every pixel, interpolated between the clipped means of boxes.

    Pixels of a box are clipped as samples are by
    :func:`~hst123r.photometry.annulus_sky.annulus_sky`. A box without pixels takes from its
    neighbours, but not in the row and column of its middle, where there is nothing to interpolate.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        The image.
    usable : (ny, nx) ndarray of bool
        Pixels to use.
    side : int
        Side of a box in pixels.
    above, below : float
        Limits of clipping in standard deviations; what is less than 1 counts as 1.

    Returns
    -------
    (ny, nx) ndarray of float32
        The sky in the unit of the image; 0 where no box near has pixels.

    Raises
    ------
    InputError
        If the side is not above zero, or shapes differ.
    """
    if side < 1:
        raise InputError(f"boxes of {side} pixels", hint="The side must be at least one pixel")
    if data.ndim != 2 or usable.shape != data.shape:
        raise InputError(f"an image of shape {data.shape} with a mask of {usable.shape}")
    nodes = _means(data, usable, side, max(above, 1.0), max(below, 1.0))
    along = _between(nodes, data.shape[1], side)
    sky: Singles = np.nan_to_num(_between(along.T, data.shape[0], side).T).astype(np.float32)
    return sky


def _means(data: Singles, usable: Booleans, side: int, above: float, below: float) -> Floats:
    """Return the clipped mean of every box, NaN for one without pixels."""
    ny, nx = data.shape
    rows, columns = -(-ny // side), -(-nx // side)
    pad = ((0, 0), (0, columns * side - nx))
    nodes = np.full((rows, columns), np.nan)
    for row in range(rows):
        part = slice(row * side, min((row + 1) * side, ny))
        shape = (part.stop - part.start, columns, side)
        values = np.pad(data[part], pad).reshape(shape).astype(np.float64)
        kept = np.pad(usable[part], pad).reshape(shape)
        nodes[row] = _clipped(values, kept, above, below)
    return nodes


def _clipped(values: Floats, kept: Booleans, above: float, below: float) -> Floats:
    """Return clipped means over the first and last axis."""
    values = np.where(kept, values, 0.0)
    while True:
        count = kept.sum(axis=(0, 2))
        some = np.maximum(count, 1)
        mean = values.sum(axis=(0, 2), where=kept) / some
        away = values - mean[:, None]
        spread = (away * away).sum(axis=(0, 2), where=kept) / np.maximum(count - 1, 1)
        sigma = np.sqrt(1 + spread)[:, None]
        inside = kept & (away >= -below * sigma) & (away <= above * sigma)
        if np.array_equal(inside, kept):
            return np.where(count > 0, mean, np.nan)
        kept = inside


def _between(nodes: Any, length: int, side: int) -> Any:
    """Interpolate along the last axis; outside the middles of the end boxes theirs is taken."""
    place = np.arange(length)
    last = nodes.shape[-1] - 1
    left = (place + side // 2) // side - 1
    share = place / side - 0.5 - left
    share = np.where((left < 0) | (left >= last), 0.0, share)
    left = np.clip(left, 0, last)
    first, second = nodes[..., left], nodes[..., np.minimum(left + 1, last)]
    mixed = (1 - share) * first + share * second
    mixed = np.where(np.isnan(second) & (share != 0), first, mixed)
    mixed = np.where(np.isnan(first) & (share != 0), second, mixed)
    return np.where(share == 0, first, mixed)
