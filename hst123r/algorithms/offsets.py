"""The offset between two lists of points, from the crowd of their differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.stats import poisson

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_PAIRS: Final = 4_000_000
_SCALES: Final = (1.0, 2.0, 4.0)
_AROUND: Final = 15
_APART: Final = 3
_RIVAL: Final = 0.6


@dataclass(frozen=True, eq=False)
class Peak:
    """The most crowded place of the differences between two lists.

    Parameters
    ----------
    offset : (2,) ndarray of float64
        Mean difference there, second less first.
    width : float
        Side of the window it was found in.
    count : int
        Differences in the window, each point counted once.
    expected : float
        How many there would be by chance.
    chance : float
        Probability that any window has as many by chance, 1 or less.
    rival : float
        Same for the most crowded window elsewhere, 1 where there is none with 60 % as many.
    """

    offset: Floats
    width: float
    count: int
    expected: float
    chance: float
    rival: float


def near_pairs(first: Floats, second: Floats, radius: float) -> tuple[Integers, Integers]:
    """Return all pairs of points closer than a radius.

    Parameters
    ----------
    first, second : (n, 2) and (m, 2) ndarray of float64
        Points, the most important first: where there would be more than four million pairs,
        the last points of both lists are left out.
    radius : float
        The radius.

    Returns
    -------
    i, j : ndarray of int64
        Rows of the pairs.
    """
    one, two = cKDTree(first), cKDTree(second)
    count = int(one.count_neighbors(two, radius))
    if count > MOST_PAIRS:
        share = (MOST_PAIRS / count) ** 0.5
        return near_pairs(
            first[: max(1, int(0.95 * share * len(first)))],
            second[: max(1, int(0.95 * share * len(second)))],
            radius,
        )
    pairs = one.sparse_distance_matrix(two, radius, output_type="ndarray")
    order = np.lexsort((pairs["j"], pairs["i"]))
    return pairs["i"][order].astype(np.int64), pairs["j"][order].astype(np.int64)


def find_peak(first: Floats, second: Floats, radius: float, tolerance: float) -> Peak | None:
    """Find the offset that most pairs of two lists share.

    Differences are counted in overlapping square windows, of the sizes two, four and eight
    times the tolerance so that a small rotation does not spread the crowd beyond recognition.
    What chance would give is taken from the windows around.

    Parameters
    ----------
    first, second : (n, 2) and (m, 2) ndarray of float64
        Points, the most important first.
    radius : float
        Largest offset.
    tolerance : float
        How well positions agree after the offset is taken off.

    Returns
    -------
    Peak or None
        The least likely by chance of the three sizes; None without pairs.
    """
    i, j = near_pairs(first, second, radius)
    if i.size == 0:
        return None
    difference = second[j] - first[i]
    peaks = [
        _peak(i, j, difference, radius, scale * tolerance)
        for scale in _SCALES
        if scale == 1.0 or scale * tolerance <= radius / 4
    ]
    return min(peaks, key=lambda peak: (peak.chance, -peak.count))


def _peak(i: Integers, j: Integers, difference: Floats, radius: float, cell: float) -> Peak:
    """Return the most crowded window of two by two cells."""
    half = int(np.ceil(radius / cell)) + 1
    edges = np.arange(-half, half + 1) * cell
    counts, _, _ = np.histogram2d(difference[:, 0], difference[:, 1], bins=(edges, edges))
    middle = (edges[:-1] + edges[1:]) / 2
    inside = np.hypot(middle[:, None], middle[None, :]) <= radius + cell
    # windows of two by two cells, at every cell
    window = counts[:-1, :-1] + counts[1:, :-1] + counts[:-1, 1:] + counts[1:, 1:]
    share = ndimage.uniform_filter(counts, _AROUND, mode="constant")
    room = ndimage.uniform_filter(inside.astype(float), _AROUND, mode="constant")
    near = np.divide(share, room, out=np.zeros(share.shape), where=room > 0) * 4
    a, b = (int(value) for value in np.unravel_index(np.argmax(window), window.shape))
    low = np.array([edges[a], edges[b]])
    chosen = np.all((difference >= low) & (difference < low + 2 * cell), axis=1)
    count = min(np.unique(i[chosen]).size, np.unique(j[chosen]).size)
    everywhere = 4.0 * difference.shape[0] / max(float(inside.sum()), 1.0)
    local = _without_peak(near[a, b], float(window[a, b]), room[a, b])
    expected = max(everywhere, local)
    windows = float(inside.sum()) * len(_SCALES)
    chance = min(1.0, windows * float(poisson.sf(count - 1, expected)))
    return Peak(
        offset=np.asarray(np.mean(difference[chosen], axis=0), np.float64),
        width=2 * cell,
        count=count,
        expected=expected,
        chance=chance,
        rival=_rival(window, (a, b), count, expected, windows),
    )


def _without_peak(mean: float, top: float, room: float) -> float:
    """Return the mean count of the windows around a peak, the peak itself left out."""
    cells = max(room * _AROUND**2, 5.0)
    return max(0.0, (mean / 4 * cells - top) / (cells - 4) * 4)


def _rival(
    window: Floats, peak: tuple[int, int], count: int, expected: float, windows: float
) -> float:
    """Return how likely the most crowded window elsewhere is by chance."""
    elsewhere = window.copy()
    elsewhere[
        max(0, peak[0] - _APART) : peak[0] + _APART + 1,
        max(0, peak[1] - _APART) : peak[1] + _APART + 1,
    ] = 0
    most = float(elsewhere.max(initial=0.0))
    if most < _RIVAL * count:
        return 1.0
    return min(1.0, windows * float(poisson.sf(most - 1, expected)))
