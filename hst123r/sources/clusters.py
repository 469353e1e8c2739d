"""Exposures of a visit brought onto one another by their own stars, as far as these allow it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hst123r.algorithms.matching import Match, MatchOptions, match
from hst123r.algorithms.merge import DEFAULT_SHIFTS, Catalogue, StarList, merge
from hst123r.algorithms.sphere import from_tangent_plane, middle, to_tangent_plane

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """Exposures that were brought onto one another.

    Parameters
    ----------
    members : tuple of int
        Their places in the list of exposures.
    centre_deg : (float, float)
        Right ascension and declination of the tangent point of the moves.
    moves_arcsec : dict of int to (2,) ndarray of float64
        What was added to each one's positions, to the east and north; their mean is zero.
    errors_arcsec : dict of int to float
        Standard error of that along each axis; of the one that the others were brought onto the
        largest of theirs.
    catalogue : Catalogue
        Their merged stars: what two of them have seen, or the only one that could, and then the
        error of its move is in that of the position.
    footprints : tuple of (k, 2) ndarray of float64
        Corners of their chips, degrees.
    """

    members: tuple[int, ...]
    centre_deg: tuple[float, float]
    moves_arcsec: dict[int, Floats]
    errors_arcsec: dict[int, float]
    catalogue: Catalogue
    footprints: tuple[Floats, ...]


def clusters(
    lists: Sequence[StarList],
    radius_arcsec: float,
    options: Sequence[MatchOptions] = (DEFAULT_SHIFTS,),
) -> list[Cluster]:
    """Bring the exposures of a visit onto one another.

    From the exposure with the most stars on, each that has enough stars in common with those so
    far is shifted onto them and joins them. What is left over begins anew, so that an exposure
    which does not fit takes no part in what the others have in common.

    Parameters
    ----------
    lists : sequence of StarList
        Stars of the exposures, by their headers.
    radius_arcsec : float
        Detections closer than this may be one star.
    options : sequence of MatchOptions
        How shifts are found, each tried where those before it find none: fewer stars are enough
        closer by. What they say of the geometry does not count.

    Returns
    -------
    list of Cluster
        Every exposure is in one; the same for the same lists in the same order.
    """
    stars = [item for item in lists if item.ra_deg.size]
    if not stars:
        return []
    centre = middle(stars[0].ra_deg, stars[0].dec_deg)
    waiting = sorted(
        (n for n, item in enumerate(lists) if item.ra_deg.size),
        key=lambda n: (-lists[n].ra_deg.size, n),
    )
    found = []
    while waiting:
        moves, errors = _gather(lists, waiting, centre, radius_arcsec, options)
        waiting = [number for number in waiting if number not in moves]
        # the exposures stay where they are on average
        mean = np.mean(list(moves.values()), axis=0)
        moves = {number: moves[number] - mean for number in sorted(moves)}
        joined = [_moved(lists[number], move, centre) for number, move in moves.items()]
        corners = tuple(polygon for item in joined for polygon in item.footprints)
        # the anchor's error is that of the others against it
        errors[min(errors, key=errors.__getitem__)] = max(errors.values())
        whole = merge(joined, radius_arcsec, shifts=None)
        whole = _with_moves(whole, joined, [errors[number] for number in moves], centre)
        found.append(Cluster(tuple(moves), centre, moves, errors, whole, corners))
    return found


def _with_moves(
    whole: Catalogue,
    joined: Sequence[StarList],
    errors: Sequence[float],
    centre: tuple[float, float],
) -> Catalogue:
    """Add the error of an exposure's move to the stars that it alone has seen."""
    alone = np.flatnonzero(whole.detections == 1)
    if not alone.size or not any(errors):
        return whole
    place = np.concatenate([_plane(item.ra_deg, item.dec_deg, centre) for item in joined])
    moved = np.repeat(errors, [item.ra_deg.size for item in joined])
    good = np.isfinite(place).all(axis=1)
    # a star of one exposure is where that has it
    _, row = cKDTree(place[good]).query(_plane(whole.ra_deg[alone], whole.dec_deg[alone], centre))
    error = whole.position_error_arcsec.copy()
    error[alone] = np.hypot(error[alone], moved[good][row])
    return replace(whole, position_error_arcsec=error)


def _gather(
    lists: Sequence[StarList],
    waiting: Sequence[int],
    centre: tuple[float, float],
    radius_arcsec: float,
    options: Sequence[MatchOptions],
) -> tuple[dict[int, Floats], dict[int, float]]:
    """Return the moves, and their errors, of the exposures that join the first one."""
    anchor, *others = waiting
    moves, errors = {anchor: np.zeros(2)}, {anchor: 0.0}
    before = 0
    while len(moves) != before:
        before = len(moves)
        for number in others:
            if number in moves:
                continue
            shift = _shift(lists, number, moves, centre, radius_arcsec, options)
            if shift is not None:
                moves[number], errors[number] = shift
    return moves, errors


def _shift(
    lists: Sequence[StarList],
    number: int,
    moves: Mapping[int, Floats],
    centre: tuple[float, float],
    radius_arcsec: float,
    options: Sequence[MatchOptions],
) -> tuple[Floats, float] | None:
    """Return what brings an exposure onto those that were moved already."""
    known = [_moved(lists[other], move, centre) for other, move in moves.items()]
    whole = merge(known, radius_arcsec, shifts=None)
    mine = lists[number]
    order = np.argsort(-mine.flux, kind="stable")
    if not whole.ra_deg.size:
        return None
    for how in options:
        result = match(
            _plane(mine.ra_deg[order], mine.dec_deg[order], centre),
            _plane(whole.ra_deg, whole.dec_deg, centre),
            replace(how, geometry="shift"),
            first_error=mine.position_error_arcsec[order],
            second_error=whole.position_error_arcsec,
        )
        if isinstance(result, Match):
            error = float(np.hypot(*result.shift_error)) / math.sqrt(2.0)
            return result.transform.shift, error
    return None


def _moved(item: StarList, move: Floats, centre: tuple[float, float]) -> StarList:
    def there(ra_deg: Floats, dec_deg: Floats) -> Floats:
        place = _plane(ra_deg, dec_deg, centre) + move
        return np.stack(from_tangent_plane(place[:, 0], place[:, 1], *centre), axis=1)

    ra, dec = there(item.ra_deg, item.dec_deg).T
    corners = tuple(there(polygon[:, 0], polygon[:, 1]) for polygon in item.footprints)
    return replace(item, ra_deg=ra, dec_deg=dec, footprints=corners)


def _plane(ra_deg: Floats, dec_deg: Floats, centre: tuple[float, float]) -> Floats:
    return np.stack(to_tangent_plane(ra_deg, dec_deg, *centre), axis=1)
