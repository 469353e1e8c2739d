"""Exposures of a stack whose skies nothing compares, because they do not overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST_OVERLAP: Final = 0.01
"""Share of the points along the edges of two exposures within the other that is an overlap."""


def unmatched(
    outlines: Mapping[str, Sequence[NDArray[np.float64]]], centre: tuple[float, float]
) -> list[Caveat]:
    """Name the exposures whose sky cannot be matched with that of most others.

    Skies are matched where exposures overlap. One that overlaps no other gets the lowest of all
    skies taken off, whatever its own is, and so do islands of several.

    Parameters
    ----------
    outlines : mapping of str to sequence of (k, 2) ndarray of float64
        Right ascension and declination along the edge of each chip, in order, degrees; by root
        name of the exposure.
    centre : (float, float)
        Right ascension and declination of a tangent point near them, degrees.

    Returns
    -------
    list of Caveat
        One for each exposure that no chain of overlaps connects with the largest island.
    """
    import numpy as np

    from hst123r.algorithms.sphere import to_tangent_plane

    planes = {
        name: [
            np.stack(to_tangent_plane(chip[:, 0], chip[:, 1], *centre), axis=1) for chip in chips
        ]
        for name, chips in outlines.items()
    }
    islands: list[set[str]] = []
    for name, chips in planes.items():
        joined = [i for i in islands if any(_overlap(chips, planes[other]) for other in i)]
        islands = [i for i in islands if i not in joined] + [{name}.union(*joined)]
    largest = max(islands, key=len, default=set())
    text = "overlaps none of most others of its stack, so its sky was not matched with theirs"
    return [
        Caveat("sky_unmatched", f"{name} {text}", name)
        for name in sorted(outlines)
        if name not in largest
    ]


def _overlap(one: Sequence[NDArray[np.float64]], other: Sequence[NDArray[np.float64]]) -> bool:
    """Return whether two exposures share a place, by the edges of their chips on a plane."""
    import numpy as np

    from hst123r.algorithms.polygons import covers

    inside = [covers(list(one), np.concatenate(list(other)))]
    inside.append(covers(list(other), np.concatenate(list(one))))
    return any(float(np.mean(part)) > _LEAST_OVERLAP for part in inside)
