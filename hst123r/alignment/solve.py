"""Which exposures of a visit are fitted, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hst123r.alignment.methods import METHODS
from hst123r.alignment.visit import Visit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.sources.alignment import Residual


@dataclass(frozen=True, eq=False)
class Solution:
    """What became of an exposure.

    Parameters
    ----------
    state : str
        ``none``, nothing was to be fitted; ``kept``, it was right; ``failed``; or the method.
    residual : Residual
        How it stands now.
    check : ndarray of int64, optional
        Rows of its stars that were left out of the fit, to check it.
    """

    state: str
    residual: Residual
    check: NDArray[np.int64] | None = None


def solve(visit: Visit) -> list[Solution]:
    """Fit the exposures of a visit whose WCS is not right already.

    Parameters
    ----------
    visit : Visit
        The visit; the headers of its working copies are changed.

    Returns
    -------
    list of Solution
        For every exposure.
    """
    numbers = range(len(visit.exposures))
    before = {number: visit.residual(number) for number in numbers}
    method = visit.params.method
    if method == "none":
        return [Solution("none", before[number]) for number in numbers]
    moving = {number: found for number, found in before.items() if not found.is_aligned}
    fitted = METHODS[method](visit, moving) if moving else {}
    solutions = []
    for number in numbers:
        residual = visit.residual(number) if number in fitted else before[number]
        state: str = method if number in moving else "kept"
        if residual.pairs < visit.params.min_matches:
            state = "failed"
        solutions.append(Solution(state, residual, fitted.get(number)))
    return solutions
