"""The matching of skies by drizzlepac, made to work, and to say so where it does not.

drizzlepac leaves it to stsci.skypac, and where that fails for whatever reason subtracts the lowest
of all skies from every exposure instead; only its log tells. An exposure whose sky is brighter then
stands above the others in the stack, and so do all its pixels when cosmic rays are looked for.

stsci.skypac (1.0.12) always fails beside spherical_geometry 1.4, because it asks polygons for
their parts by a name that these do not have any more. And it matches two exposures by a single
pixel, if that is all the good ones that they share, and says nothing of those that share none.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import StageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_PIXELS: Final = 1000
"""Good pixels that two exposures have to share. The median of as many is good to 0.04 of their
noise, which is what a stack of several hundred exposures would show; ours to choose."""

_PARTS: Final = "iter_polygons_flat"
"""What stsci.skypac calls the iteration over the parts of a polygon."""


@dataclass(slots=True)
class Skies:
    """What was matched.

    Parameters
    ----------
    apart : list of str
        Names of the files whose sky no chain of shared pixels ties to that of most others.
    """

    apart: list[str] = field(default_factory=list)


@contextlib.contextmanager
def matched_skies() -> Iterator[Skies]:
    """Let drizzlepac match skies for a while; where it cannot, end with an error.

    Exposures that share fewer than `LEAST_PIXELS` good pixels are not compared.

    Yields
    ------
    Skies
        While skies may be subtracted.

    Raises
    ------
    StageError
        If the skies of exposures could not be matched. It is raised inside.
    """
    import numpy as np
    from drizzlepac import sky
    from spherical_geometry.polygon import SphericalPolygon
    from stsci.skypac import skymatch as module

    if not hasattr(SphericalPolygon, _PARTS):
        setattr(SphericalPolygon, _PARTS, SphericalPolygon.__iter__)
    plain, compare, found = sky.skymatch, module._overlap_matrix, Skies()  # noqa: SLF001

    def overlap_matrix(skylines: Sequence[Any], statistic: Any) -> Any:
        skies, shared = compare(skylines, statistic)
        tied = _ties(shared)
        names = [line.members[0].basefname for line in skylines]
        found.apart = [names[number] for number in _beside_most(tied)]
        return skies, np.where(tied, shared, 0.0)

    def skymatch(*files: Any, **options: Any) -> Any:
        # drizzlepac tries another method in the handler of the first one's error
        failed = sys.exception()
        if failed is not None:
            raise StageError(
                f"the skies of the exposures could not be matched: "
                f"{type(failed).__name__}: {failed}",
                hint="Look at the exposures, or leave the matching out with "
                "`sky_method: globalmin` or `localmin`",
            ) from failed
        return plain(*files, **options)

    sky.skymatch, module._overlap_matrix = skymatch, overlap_matrix  # noqa: SLF001
    try:
        yield found
    finally:
        sky.skymatch, module._overlap_matrix = plain, compare  # noqa: SLF001


def _ties(shared: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which exposures can be compared, shape (n, n), by the good pixels of each in common.

    `shared` has those of the one exposure above the diagonal, those of the other below.
    """
    import numpy as np

    tied: NDArray[np.bool_] = np.minimum(shared, shared.T) >= LEAST_PIXELS
    return tied


def _beside_most(tied: NDArray[np.bool_]) -> list[int]:
    """Return which exposures no chain of ties connects with the largest number of others.

    Where there is no tie at all it is every one of several.
    """
    import numpy as np
    from scipy.sparse.csgraph import connected_components

    _, island = connected_components(tied, directed=False)
    sizes = np.bincount(island)
    if sizes.size > 1 and sizes.max() == 1:
        return list(range(island.size))
    return [int(number) for number in np.flatnonzero(island != np.argmax(sizes))]
