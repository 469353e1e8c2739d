"""Exposures of one visit and each other: ties where the reference does not reach, and agreement.

The exposures of a visit share guide stars, so the error of their headers is the same but for what
the dithers are wrong by. An exposure with too few stars in common with the reference is tied to
the stars of a sibling, and one with too few stars for that moves as a sibling did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hst123r.alignment import verdict
from hst123r.alignment.solution import Agreement, Solution
from hst123r.alignment.visit import Visit

if TYPE_CHECKING:
    from hst123r.sources.alignment import ReferenceStars, Residual

CHECK_PIX: Final = 3.0
"""How far from their places stars are looked for where they are too few for a larger search."""
CHECK_WIDE_PIX: Final = 10.0
"""And how far then, so that one that is off by more than the first is not taken for unknown."""


def tie(visit: Visit, solutions: Sequence[Solution]) -> list[Solution]:
    """Tie exposures that are not on the reference to siblings that are.

    Parameters
    ----------
    visit : Visit
        The visit; the headers of working copies are changed.
    solutions : sequence of Solution
        For every exposure.

    Returns
    -------
    list of Solution
        The same, with ``sibling`` or ``inherited`` for some that were ``failed``.
    """
    donors = [n for n, s in enumerate(solutions) if s.is_fitted and verdict.is_good(visit, s)]
    donors.sort(key=lambda number: solutions[number].solution_error_mas)
    if len(donors) < len(solutions):
        donors = trusted(visit, donors)
    tied = list(solutions)
    for number, solution in enumerate(solutions):
        if solution.state == "failed":
            # a sibling of another group stands on another frame
            mine = [donor for donor in donors if visit.groups[donor] == visit.groups[number]]
            found = _by_stars(visit, number, mine, solutions)
            found = found or _inherit(visit, number, mine, solutions) or solution
            tied[number] = replace(found, attempts=solution.attempts)
    return tied


def _by_stars(
    visit: Visit, number: int, donors: Sequence[int], solutions: Sequence[Solution]
) -> Solution | None:
    """Tie an exposure to the first sibling it has enough stars in common with."""
    from hst123r.products.own_alignment import align_exposure

    for donor in donors:
        # the donor may stand where the reference was moved to, and this one by its header
        moved = visit.reference_of(number).moved_arcsec
        before = visit.residual(number, replace(visit.catalogue(donor), moved_arcsec=moved))
        if before.pairs < visit.params.least:
            continue
        if before.error_mas > visit.params.max_error.to("pix") * visit.scale_arcsec * 1000:
            # a few stars in the middle, or by chance: what the visit did is surer
            continue
        if not before.is_aligned:
            exposure = visit.exposures[number]
            align_exposure(visit.files[number], exposure, before, visit.frame)
        error = math.hypot(before.error_mas, solutions[donor].solution_error_mas)
        root = visit.exposures[donor].root
        rows = solutions[donor].reference_rows
        return Solution("sibling", check(visit, number), None, root, error, rows=rows)
    return None


def _inherit(
    visit: Visit, number: int, donors: Sequence[int], solutions: Sequence[Solution]
) -> Solution | None:
    """Move an exposure as the surest sibling was moved whose header started from the same WCS."""
    from hst123r.products.own_alignment import move_alike
    from hst123r.products.wcs_cards import starts_alike

    mine = visit.sources[number].files["science"]
    for donor in donors:
        source = visit.sources[donor].files["science"]
        if not starts_alike(mine, source):
            continue
        exposures = visit.exposures[number], visit.exposures[donor]
        now = visit.files[donor]["science"]
        move_alike(visit.files[number], exposures[0], (source, now), exposures[1])
        error, rows = solutions[donor].solution_error_mas, solutions[donor].reference_rows
        root = exposures[1].root
        return Solution("inherited", check(visit, number), None, root, error, rows=rows)
    return None


def check(visit: Visit, number: int) -> Residual:
    """Compare an exposure with the reference although its stars are few.

    Parameters
    ----------
    visit : Visit
        The visit.
    number : int
        The exposure, by its WCS as it is now.

    Returns
    -------
    Residual
        As the others; or by a shift of up to ten pixels.
    """
    return _compare(visit, number, visit.reference_of(number))


def _compare(visit: Visit, number: int, catalogue: ReferenceStars) -> Residual:
    """Compare an exposure with a catalogue; close by, where its stars are too few for more."""
    found = visit.residual(number, catalogue)
    if found.pairs:
        return found
    here = replace(catalogue, moved_arcsec=0.0)
    for search in (CHECK_PIX, CHECK_WIDE_PIX):
        near = replace(visit.frame, search_pix=search, geometry="shift")
        found = visit.residual(number, here, near)
        if found.pairs:
            break
    return found


def agreements(visit: Visit, solutions: Sequence[Solution]) -> dict[int, Agreement]:
    """Compare every exposure of a visit with the sibling that stands surest.

    The surest itself is compared with the one of the next two that it agrees with better, so that
    another's fault does not become its own. Where some disagree with it and more than half of the
    fitted exposures agree among themselves, all are compared with the surest of these. What stands
    by its header is no yardstick, and neither is one that lies on another group of the catalogue.

    Parameters
    ----------
    visit : Visit
        The visit.
    solutions : sequence of Solution
        For every exposure.

    Returns
    -------
    dict of int to Agreement
        By number; empty for a visit of one exposure.
    """
    found: dict[int, Agreement] = {}
    for group in sorted(set(visit.groups)):
        numbers = [number for number in range(len(solutions)) if visit.groups[number] == group]
        found |= _agreements(visit, solutions, numbers)
    return found


def _agreements(
    visit: Visit, solutions: Sequence[Solution], numbers: Sequence[int]
) -> dict[int, Agreement]:
    """Compare the exposures of one group."""
    order = sorted(
        numbers,
        key=lambda number: (not solutions[number].is_fitted, -solutions[number].residual.pairs),
    )
    order = [number for number in order if solutions[number].state != "failed"]
    found = _against_surest(visit, order, numbers)
    if all(verdict.agrees(visit, agreement) for agreement in found.values()):
        return found
    voters = majority(visit, [number for number in order if solutions[number].is_fitted])
    if not voters or voters[0] == order[0]:
        return found
    return _against_surest(visit, voters, numbers)


def _against_surest(
    visit: Visit, order: Sequence[int], numbers: Sequence[int]
) -> dict[int, Agreement]:
    """Compare some exposures with the first of some, and that with the better of the next two."""
    found = {}
    for number in numbers:
        others = [other for other in order if other != number]
        tried = others[:2] if order and number == order[0] else others[:1]
        compared = [_agreement(visit, number, other) for other in tried]
        if compared:
            found[number] = min(compared, key=_far)
    return found


def majority(visit: Visit, numbers: Sequence[int]) -> list[int]:
    """Return those exposures, more than half of some, that agree among themselves.

    Parameters
    ----------
    visit : Visit
        The visit.
    numbers : sequence of int
        Exposures whose stars put them on the reference, the surest first.

    Returns
    -------
    list of int
        In the same order. Each agrees with another one of them; empty where there is no such
        majority, as with two exposures that disagree.
    """
    groups: list[set[int]] = []
    for number in numbers:
        alike = [group for group in groups if any(_agree(visit, number, other) for other in group)]
        joined = {number}.union(*alike)
        groups = [group for group in groups if group not in alike] + [joined]
    largest = max(groups, key=len, default=set())
    if len(largest) < 2 or 2 * len(largest) <= len(numbers):
        return []
    return [number for number in numbers if number in largest]


def trusted(visit: Visit, numbers: Sequence[int]) -> list[int]:
    """Return some exposures without those that disagree with the majority of them.

    Parameters
    ----------
    visit : Visit
        The visit.
    numbers : sequence of int
        Exposures whose stars put them on the reference.

    Returns
    -------
    list of int
        In the same order; all of them where there is no majority. One that has no star in common
        with the majority is among them.
    """
    voters = majority(visit, numbers)
    return [
        number
        for number in numbers
        if number in voters
        or all(verdict.agrees(visit, _agreement(visit, number, voter)) for voter in voters)
    ]


def _agree(visit: Visit, number: int, other: int) -> bool:
    """Return whether two exposures have stars in common that say they agree."""
    agreement = _agreement(visit, number, other)
    return agreement.matches > 0 and verdict.agrees(visit, agreement)


def _far(agreement: Agreement) -> float:
    """How far two exposures are apart; without stars in common as far as can be."""
    return math.inf if math.isnan(agreement.offset_mas) else agreement.offset_mas


def _agreement(visit: Visit, number: int, sibling: int) -> Agreement:
    from hst123r.algorithms.transform import fit

    root = visit.exposures[sibling].root
    pairing = _compare(visit, number, visit.catalogue(sibling)).pairing
    if pairing is None:
        return Agreement(root, 0, math.nan, math.nan, math.nan, math.nan)
    fitted = fit(pairing.star, pairing.reference, pairing.error_arcsec**-2.0, "rshift")
    count = len(pairing.star)
    # errors that do not tell the scatter are made to
    grow = max(1.0, math.sqrt(fitted.chi2 / max(2 * count - 3, 1)))
    return Agreement(
        sibling=root,
        matches=count,
        offset_mas=1000.0 * math.hypot(*fitted.transform.shift),
        offset_error_mas=1000.0 * grow * math.hypot(*fitted.shift_error),
        rotation_deg=fitted.transform.rotation_deg,
        rotation_error_deg=grow * fitted.rotation_error_deg,
    )
