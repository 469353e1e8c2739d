"""Stars of one visit brought to the time of another, as far as it is known how they move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.matching import Match, match, near_box
from hst123r.algorithms.proper_motion import Motions, at_epoch
from hst123r.algorithms.sphere import middle, to_tangent_plane
from hst123r.sources.absolute import AbsoluteStars, TieOptions, match_options
from hst123r.sources.chain import Group

Floats = NDArray[np.float64]


def carrier(
    known: AbsoluteStars, options: TieOptions
) -> Callable[[Group, float], tuple[Group, int]]:
    """Return what brings the stars of a visit to another time.

    The visit is matched with a catalogue of its time, and those of its stars that are found there
    with a proper motion move by that. The others stay where they are, and their errors grow by what
    an unknown motion can be, so that they count for little. Where the match fails none moves, and
    nothing changes. What moved has its motions, with the year of the visit as their epoch.

    Parameters
    ----------
    known : AbsoluteStars
        A catalogue with motions.
    options : TieOptions
        How it is matched.

    Returns
    -------
    callable
        As :data:`hst123r.sources.chain.Carry`.
    """

    def carry(visit: Group, year: float) -> tuple[Group, int]:
        stars = visit.catalogue
        if not stars.ra_deg.size:
            return visit, 0
        mine, theirs = _pairs(visit, known, options)
        moving = np.isfinite(known.pm_ra_mas_yr[theirs] + known.pm_dec_mas_yr[theirs])
        mine, theirs = mine[moving], theirs[moving]
        if not mine.size:
            return visit, 0
        motions = Motions.unknown(stars.ra_deg.size, visit.year)
        motions.east_mas_yr[mine] = known.pm_ra_mas_yr[theirs]
        motions.north_mas_yr[mine] = known.pm_dec_mas_yr[theirs]
        motions.error_mas_yr[mine] = known.pm_error_mas_yr[theirs]
        then = at_epoch(
            stars.ra_deg, stars.dec_deg, motions.east_mas_yr, motions.north_mas_yr,
            year - visit.year, error_mas=stars.position_error_arcsec * 1000.0,
            pm_error_mas_yr=motions.error_mas_yr,
        )  # fmt: skip
        ra, dec = stars.ra_deg.copy(), stars.dec_deg.copy()
        ra[mine], dec[mine] = then.ra_deg[mine], then.dec_deg[mine]
        moved = replace(
            stars, ra_deg=ra, dec_deg=dec, position_error_arcsec=then.error_mas / 1000.0,
            motions=motions,
        )  # fmt: skip
        return replace(visit, catalogue=moved), int(mine.size)

    return carry


def _pairs(
    visit: Group, known: AbsoluteStars, options: TieOptions
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows of a visit and of a catalogue of its time that are one star."""
    stars = visit.catalogue
    centre = middle(stars.ra_deg, stars.dec_deg)
    here = np.stack(to_tangent_plane(stars.ra_deg, stars.dec_deg, *centre), axis=1)
    ra, dec, error = known.at(visit.year)
    there = np.stack(to_tangent_plane(ra, dec, *centre), axis=1)
    finite = np.flatnonzero(np.isfinite(error))
    near = finite[near_box(here, there[finite], options.search_arcsec)]
    found = match(
        here, there[near], match_options(options),
        first_error=np.hypot(stars.position_error_arcsec, options.floor_mas / 1000.0),
        second_error=error[near],
    )  # fmt: skip
    if not isinstance(found, Match):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return found.first, near[found.second]
