"""Method `tweakwcs`: our own matching and fit, with the corrections of tweakwcs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hst123r.alignment.visit import Visit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.sources.alignment import Residual


def align(visit: Visit, moving: Mapping[int, Residual]) -> dict[int, NDArray[np.int64]]:
    """Fit the pairs that were matched; see :class:`hst123r.alignment.methods.Method`."""
    from hst123r.products.own_alignment import align_exposure

    fitted = {}
    for number, before in moving.items():
        if before.pairs < visit.params.least:
            continue
        exposure = visit.exposures[number]
        found = align_exposure(visit.files[number], exposure, before, visit.frame)
        if found is not None:
            fitted[number] = before.star[found.check]
    return fitted
