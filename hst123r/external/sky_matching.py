"""The matching of skies by drizzlepac, made to work, and to say so where it does not.

drizzlepac leaves it to stsci.skypac, and where that fails for whatever reason subtracts the lowest
of all skies from every exposure instead; only its log tells. An exposure whose sky is brighter then
stands above the others in the stack, and so do all its pixels when cosmic rays are looked for.

stsci.skypac (1.0.12) always fails beside spherical_geometry 1.4, because it asks polygons for
their parts by a name that these do not have any more.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Final

from hst123r.errors import StageError

_PARTS: Final = "iter_polygons_flat"
"""What stsci.skypac calls the iteration over the parts of a polygon."""


@contextlib.contextmanager
def matched_skies() -> Iterator[None]:
    """Let drizzlepac match skies for a while; where it cannot, end with an error.

    Yields
    ------
    None
        While skies may be subtracted.

    Raises
    ------
    StageError
        If the skies of exposures could not be matched. It is raised inside.
    """
    from drizzlepac import sky
    from spherical_geometry.polygon import SphericalPolygon

    if not hasattr(SphericalPolygon, _PARTS):
        setattr(SphericalPolygon, _PARTS, SphericalPolygon.__iter__)
    plain = sky.skymatch

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

    sky.skymatch = skymatch
    try:
        yield
    finally:
        sky.skymatch = plain
