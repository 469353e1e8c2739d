"""Exposures of one filter fitted together: their merged stars, and one move for all of them.

The merged catalogue takes the place of a stack of the visit: it has the stars of all dithers, and
only those that two exposures have seen where two could, so few cosmic rays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hst123r.alignment import siblings
from hst123r.alignment.solution import Attempt, Solution
from hst123r.alignment.visit import Visit

if TYPE_CHECKING:
    from hst123r.algorithms.transform import PlaneTransform
    from hst123r.sources.alignment import ReferenceStars, Residual
    from hst123r.sources.clusters import Cluster

SIBLINGS_ARCSEC: Final = 0.5
"""How far the exposures of a visit are looked for from one another, as by the reference."""
NEAR_PAIRS: Final = 5
"""Fewest stars that say how two exposures lie on one another close by, where four can be chance."""
HINT: Final = "Take `hierarchical: false` for it"
Step = tuple["PlaneTransform", tuple[float, float]]


def tie(visit: Visit, numbers: Sequence[int]) -> dict[int, Solution]:
    """Fit the merged stars of exposures to the reference, and move all of them as these.

    Exposures are taken together only if their stars say how they lie on one another. Nothing is
    moved where the fit of the merged stars is not within the limits of the recipe.

    Parameters
    ----------
    visit : Visit
        The visit; the headers of working copies are changed.
    numbers : sequence of int
        The exposures.

    Returns
    -------
    dict of int to Solution
        For the exposures that were taken together, ``failed`` where nothing was moved; none for
        those that are alone.
    """
    from hst123r.algorithms.matching import MatchOptions
    from hst123r.sources.clusters import clusters
    from hst123r.sources.stars import star_list

    tolerance = visit.frame.tolerance_pix * visit.scale_arcsec
    wide = MatchOptions(search_arcsec=SIBLINGS_ARCSEC, tolerance_arcsec=tolerance)
    near = siblings.CHECK_PIX * visit.scale_arcsec
    options = (wide, replace(wide, search_arcsec=near, minimum_pairs=NEAR_PAIRS))
    found: dict[int, Solution] = {}
    for name in sorted({visit.sources[number].labels["filter"] for number in numbers}):
        mine = [n for n in numbers if visit.sources[n].labels["filter"] == name]
        lists = [star_list(visit.stars[n].values(), visit.exposures[n].root) for n in mine]
        for cluster in clusters(lists, tolerance, options):
            if len(cluster.members) > 1:
                found |= _fit(visit, mine, cluster)
    return found


def _fit(visit: Visit, numbers: Sequence[int], cluster: Cluster) -> dict[int, Solution]:
    """Fit the merged stars of some exposures, and move these if the fit is good."""
    from hst123r.products.own_alignment import FLOOR_PIX, move
    from hst123r.sources.alignment import compare_positions
    from hst123r.sources.corrections import fit_pairs

    stars, frame = cluster.catalogue, visit.frame
    places = stars.ra_deg, stars.dec_deg, stars.position_error_arcsec
    reference = visit.reference_of(numbers[cluster.members[0]])
    before = compare_positions(*places, reference, frame)
    tried = Attempt(
        geometry=frame.geometry,
        min_matches=visit.params.least,
        search_pix=frame.search_pix,
        tolerance_pix=frame.tolerance_pix,
        matches=before.pairs,
        why_not=before.why_not,
        exposures=len(cluster.members),
    )
    members = {numbers[member]: member for member in cluster.members}
    if before.pairs < visit.params.least or before.pairing is None:
        return {n: Solution("failed", visit.residual(n), attempts=(tried,)) for n in members}
    steps: list[Step] = []
    after, check_mas = before, 0.0
    if not before.is_aligned:
        fitted = fit_pairs(before.pairing, frame.geometry, FLOOR_PIX * frame.scale_arcsec)
        steps = [(fitted.transform, before.pairing.centre_deg)]
        after = _after(visit, cluster, reference, *steps[0])
        if fitted.check.size:
            check_mas = after.rms_of(before.star[fitted.check])
    if not _within_limits(visit, after, check_mas):
        return {n: Solution("failed", visit.residual(n), attempts=(tried,)) for n in members}
    found = {}
    for number, member in members.items():
        mine = [*_onto_siblings(visit, cluster, member), *steps]
        move(visit.files[number], visit.exposures[number], mine, hint=HINT)
        # its own step has an error along each axis
        error = math.hypot(after.error_mas, math.sqrt(2.0) * 1000 * cluster.errors_arcsec[member])
        state = "visit" if mine else "kept"
        checked = siblings.check(visit, number)
        found[number] = Solution(state, checked, None, "", error, (tried,), after.reference)
    return found


def _after(
    visit: Visit,
    cluster: Cluster,
    reference: ReferenceStars,
    transform: PlaneTransform,
    centre: tuple[float, float],
) -> Residual:
    """Compare the merged stars, moved as was fitted, with the reference."""
    import numpy as np

    from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
    from hst123r.sources.alignment import compare_positions

    stars = cluster.catalogue
    place = np.stack(to_tangent_plane(stars.ra_deg, stars.dec_deg, *centre), axis=1)
    there = transform(place)
    ra, dec = from_tangent_plane(there[:, 0], there[:, 1], *centre)
    return compare_positions(ra, dec, stars.position_error_arcsec, reference, visit.frame)


def _within_limits(visit: Visit, residual: Residual, check_mas: float) -> bool:
    """Return whether a fit of merged stars is one that a single exposure would be good with."""
    params, scale = visit.params, visit.scale_arcsec * 1000.0
    # without pairs they are not numbers, and within no limit
    return residual.pairs >= params.least and bool(
        max(*residual.rms_mas, check_mas) <= params.max_rms.to("pix") * scale
        and residual.error_mas <= params.max_error.to("pix") * scale
    )


def _onto_siblings(visit: Visit, cluster: Cluster, member: int) -> list[Step]:
    """Return what brings an exposure onto its siblings; nothing if that cannot be measured."""
    import numpy as np

    from hst123r.algorithms.transform import PlaneTransform
    from hst123r.sources.alignment import LARGEST_KEPT_PIX, SIGNIFICANT

    shift = cluster.moves_arcsec[member]
    error = max(cluster.errors_arcsec.values())
    kept = min(SIGNIFICANT * error, LARGEST_KEPT_PIX * visit.scale_arcsec)
    if float(np.hypot(*shift)) <= kept:
        return []
    return [(PlaneTransform(np.eye(2), shift, np.zeros(2)), cluster.centre_deg)]
