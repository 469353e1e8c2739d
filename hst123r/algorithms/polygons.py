"""Points and polygons of a plane; the driver asks for these, so nothing slow is imported here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def covers(
    polygons: Sequence[NDArray[np.float64]], place: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which points are inside any of some polygons, by counting crossings.

    Parameters
    ----------
    polygons : sequence of (k, 2) ndarray of float64
        Corners in order, on a plane.
    place : (n, 2) ndarray of float64
        Points of the plane.

    Returns
    -------
    (n,) ndarray of bool
        Whether each is inside.
    """
    result = np.zeros(len(place), np.bool_)
    for polygon in polygons:
        inside = np.zeros(len(place), np.bool_)
        for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            crosses = (y1 > place[:, 1]) != (y2 > place[:, 1])
            with np.errstate(divide="ignore", invalid="ignore"):
                at = x1 + (place[:, 1] - y1) / (y2 - y1) * (x2 - x1)
            inside ^= crosses & (place[:, 0] < at)
        result |= inside
    return result
