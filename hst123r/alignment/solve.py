"""Which exposures of a visit are fitted, and what became of each."""

from __future__ import annotations

from hst123r.alignment import siblings
from hst123r.alignment.methods import METHODS
from hst123r.alignment.solution import Solution
from hst123r.alignment.visit import Visit


def solve(visit: Visit) -> list[Solution]:
    """Fit the exposures of a visit whose WCS is not right already.

    Those that the method cannot put on the reference are tied to their siblings.

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
        if residual.pairs >= visit.params.min_matches:
            state: str = method if number in moving else "kept"
            solutions.append(Solution(state, residual, fitted.get(number)))
            continue
        if number in fitted:
            # what its own stars do not confirm does not stay in its header
            visit.restore(number)
        solutions.append(Solution("failed", before[number]))
    return siblings.tie(visit, solutions)
