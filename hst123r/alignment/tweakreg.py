"""Method `tweakreg`: drizzlepac's, fed our own catalogues."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hst123r.alignment.visit import Visit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.external.tweakreg import Settings, StarList
    from hst123r.sources.alignment import Residual


def align(visit: Visit, moving: Mapping[int, Residual]) -> dict[int, NDArray[np.int64]]:
    """Call TweakReg for all exposures at once; see :class:`hst123r.alignment.methods.Method`."""
    import numpy as np

    from hst123r.external.tweakreg import tweakreg
    from hst123r.products.wcs_cards import copy_wcs

    least = visit.params.least
    names = {Path(visit.files[n]["science"]).name: n for n in moving if visit.count(n) >= least}
    if not names or len(visit.reference.ra_deg) < least:
        return {}
    lists = {name: _star_lists(visit, number) for name, number in names.items()}
    settings = _settings(visit, list(names.values()))
    shifts = tweakreg(visit.folder, lists, visit.reference.as_star_list(), settings)
    fitted = {}
    for name, number in names.items():
        if shifts[name] is None:
            # a failed fit has stamped its name on the header all the same
            visit.restore(number)
            continue
        if "dq" in visit.files[number]:
            copy_wcs(visit.files[number]["science"], visit.files[number]["dq"])
        fitted[number] = np.zeros(0, np.int64)
    return fitted


def _star_lists(visit: Visit, number: int) -> dict[int, StarList]:
    """Return the stars of an exposure by EXTVER as TweakReg counts pixels, from one."""
    return {
        version: list(
            zip((chip.x + 1).tolist(), (chip.y + 1).tolist(), chip.rate.tolist(), strict=True)
        )
        for version, chip in visit.stars[number].items()
    }


def _settings(visit: Visit, numbers: Sequence[int]) -> Settings:
    from hst123r.external.tweakreg import Settings

    params = visit.params
    # the reference may have been moved away from the headers
    moved = max(visit.reference_of(number).moved_arcsec for number in numbers)
    return Settings(
        search_radius_pix=round(params.search_radius.to("pix"))
        + math.ceil(moved / visit.scale_arcsec),
        tolerance_pix=params.tolerance.to("pix"),
        separation_pix=params.separation.to("pix"),
        min_matches=params.least,
        geometry=params.geometry,
        clip=params.clip,
        sigma=params.sigma,
    )
