"""Which row of a catalogue of DOLPHOT belongs to which place that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.products.dolphot.catalogue import Catalogue

    Integers = NDArray[np.int64]

NEIGHBOURS: Final = 4
"""Rows that a place is compared with: no more places share a row in practice."""


def placed(catalogue: Catalogue) -> tuple[Catalogue, int]:
    """Return the rows of a catalogue that have a position, and how many have none."""
    import numpy as np

    objects = catalogue.objects
    known = np.isfinite(objects["x"]) & np.isfinite(objects["y"])
    if known.all():
        return catalogue, 0
    return catalogue.rows(np.flatnonzero(known)), int(np.count_nonzero(~known))


def matched(rows: Any, places: Any, radius: float) -> Integers:
    """Return the row of each place; no row is that of two places, and the nearest pair counts.

    Parameters
    ----------
    rows : (n, 2) array_like of float
        Positions of rows; finite.
    places : (m, 2) array_like of float
        Positions asked for, NaN where there is none.
    radius : float
        How far a row may be.

    Returns
    -------
    (m,) ndarray of int64
        Numbers of rows, -1 where a place has none.
    """
    import numpy as np
    from scipy.spatial import cKDTree

    rows, places = np.reshape(rows, (-1, 2)), np.reshape(places, (-1, 2))
    result = np.full(len(places), -1, np.int64)
    on = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not len(rows) or not on.size:
        return result
    count = min(NEIGHBOURS, len(rows))
    distance, row = cKDTree(rows).query(places[on], k=np.arange(1, count + 1))
    place = np.repeat(on, count)
    taken: set[int] = set()
    for pair in np.argsort(distance.ravel(), kind="stable"):
        if distance.ravel()[pair] > radius:
            break
        one, two = int(place[pair]), int(row.ravel()[pair])
        if result[one] < 0 and two not in taken:
            result[one] = two
            taken.add(two)
    return result
