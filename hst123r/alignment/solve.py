"""Which exposures of a visit are fitted, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hst123r.alignment import siblings, together
from hst123r.alignment.jhat import fitted_by_jhat
from hst123r.alignment.methods import METHODS
from hst123r.alignment.solution import Attempt, Solution
from hst123r.alignment.visit import Visit
from hst123r.records.geometry import least_matches


def solve(visit: Visit) -> list[Solution]:
    """Fit the exposures of a visit whose WCS is not right already.

    With `hierarchical` the exposures of a filter are fitted together first. Where there are too few
    matches the recipe's simpler fits are tried, each recorded; those that no fit can put on the
    reference are tied to their siblings.

    Parameters
    ----------
    visit : Visit
        The visit; the headers of its working copies are changed.

    Returns
    -------
    list of Solution
        For every exposure.
    """
    if visit.params.method == "none":
        return [Solution("none", visit.residual(n)) for n in range(len(visit.exposures))]
    found: dict[int, Solution] = {}
    left = list(range(len(visit.exposures)))
    for view in _views(visit):
        for attempt in (together.tie, _attempt) if view.params.hierarchical else (_attempt,):
            for number, solution in attempt(view, left).items():
                before = found[number].attempts if number in found else ()
                found[number] = replace(solution, attempts=before + solution.attempts)
            left = [n for n in left if n not in found or found[n].state == "failed"]
            if not left:
                break
        if not left:
            break
    return siblings.tie(visit, [found[number] for number in sorted(found)])


def _views(visit: Visit) -> Iterator[Visit]:
    """Yield the visit as the recipe's fit sees it, and as each simpler one does."""
    yield visit
    # JHAT has one fit; what stands there is for other detectors
    for item in () if visit.params.method == "jhat" else visit.params.retry:
        yield visit.with_fit(item.geometry, item.least)


def _attempt(visit: Visit, numbers: Sequence[int]) -> dict[int, Solution]:
    """Fit some exposures of a visit; those that failed are as they were."""
    return {
        number: solution
        for view, mine in _by_fit(visit, numbers)
        for number, solution in _fit(view, mine).items()
    }


def _by_fit(visit: Visit, numbers: Sequence[int]) -> Iterator[tuple[Visit, list[int]]]:
    """Yield exposures with the visit as what the method fits to them sees it."""
    params = visit.params
    if params.method != "jhat":
        yield visit, list(numbers)
        return
    fits = {number: fitted_by_jhat(len(visit.exposures[number].chips)) for number in numbers}
    for geometry in sorted(set(fits.values())):
        least = least_matches(params.min_matches, geometry)
        mine = [number for number in numbers if fits[number] == geometry]
        yield visit.with_fit(geometry, least), mine


def _fit(visit: Visit, numbers: Sequence[int]) -> dict[int, Solution]:
    """Fit some exposures with one geometry."""
    params = visit.params
    before = {number: visit.residual(number) for number in numbers}
    moving = {number: found for number, found in before.items() if not found.is_aligned}
    fitted = METHODS[params.method](visit, moving) if moving else {}
    solutions = {}
    for number in numbers:
        residual = visit.residual(number) if number in fitted else before[number]
        tried = Attempt(
            geometry=params.geometry,
            min_matches=params.least,
            search_pix=visit.frame.search_pix,
            tolerance_pix=visit.frame.tolerance_pix,
            matches=residual.pairs,
            why_not=residual.why_not,
        )
        if residual.pairs >= params.least:
            state: str = params.method if number in moving else "kept"
            solutions[number] = Solution(state, residual, fitted.get(number), attempts=(tried,))
            continue
        if number in fitted:
            # what its own stars do not confirm does not stay in its header
            visit.restore(number)
        solutions[number] = Solution("failed", before[number], attempts=(tried,))
    return solutions
