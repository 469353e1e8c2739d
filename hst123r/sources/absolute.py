"""A star catalogue in the frame of its headers moved to the frame of an absolute catalogue."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.matching import Match, MatchOptions, match, near_box
from hst123r.algorithms.merge import Catalogue
from hst123r.algorithms.proper_motion import Motions, at_epoch
from hst123r.algorithms.sphere import from_tangent_plane, middle, to_tangent_plane
from hst123r.records.geometry import PARAMETERS, Geometry

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AbsoluteStars:
    """An absolute catalogue, the brightest star first.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees at their epoch.
    error_mas : (n,) ndarray of float64
        Standard error along each axis.
    pm_ra_mas_yr, pm_dec_mas_yr, pm_error_mas_yr : (n,) ndarray of float64
        Proper motions, NaN where they are not known.
    epoch : (n,) ndarray of float64
        Julian years; NaN where the catalogue has none, and then positions are taken as they are.
    """

    ra_deg: Floats
    dec_deg: Floats
    error_mas: Floats
    pm_ra_mas_yr: Floats
    pm_dec_mas_yr: Floats
    pm_error_mas_yr: Floats
    epoch: Floats

    @property
    def motions(self) -> Motions | None:
        """How the stars move; None where none has an epoch."""
        if not np.isfinite(self.epoch).any():
            return None
        return Motions(self.pm_ra_mas_yr, self.pm_dec_mas_yr, self.pm_error_mas_yr, self.epoch)

    def at(self, year: float) -> tuple[Floats, Floats, Floats]:
        """Return positions in degrees and their errors in arcsec at a Julian year."""
        moved = at_epoch(
            self.ra_deg,
            self.dec_deg,
            self.pm_ra_mas_yr,
            self.pm_dec_mas_yr,
            np.nan_to_num(year - self.epoch),
            error_mas=self.error_mas,
            pm_error_mas_yr=self.pm_error_mas_yr,
        )
        return moved.ra_deg, moved.dec_deg, moved.error_mas / 1000.0


@dataclass(frozen=True, slots=True)
class TieOptions:
    """How a frame is tied, and what makes a tie good.

    Parameters
    ----------
    search_arcsec, tolerance_arcsec : float
        How far stars may be from where the frame has them, and how well they agree then.
    geometry : str
        What is fitted.
    min_matches : int
        Fewest matches.
    floor_mas : float
        Error of our own positions beside the quoted ones, along each axis.
    max_chi, max_move_arcsec, max_rotation_deg, max_error_mas : float
        Largest residuals in units of their errors, distance and rotation, and uncertainty.
    """

    search_arcsec: float = 3.0
    tolerance_arcsec: float = 0.1
    geometry: Geometry = "rshift"
    min_matches: int = 8
    floor_mas: float = 2.0
    max_chi: float = 3.0
    max_move_arcsec: float = 3.0
    max_rotation_deg: float = 0.2
    max_error_mas: float = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Tie:
    """What became of a frame.

    Parameters
    ----------
    catalogue : Catalogue
        Moved, or as it was where the tie is not good.
    why_not : str
        Why it was not moved, empty where it was.
    stars, matches : int
        Stars of the absolute catalogue near the frame, and how many were matched.
    rms_mas : (float, float)
        Root mean square residuals to the east and north, NaN without matches.
    chi : float
        Root mean square of the residuals in units of their quoted errors.
    moved_arcsec : (float, float)
        How far the middle of the frame is to be moved to the east and north.
    rotation_deg : float
        By how much it is to be turned.
    error_mas : float
        Standard error of the tie at the star where it is largest.
    reach_arcsec : float
        How far any star was moved; 0 where the frame was not.
    """

    catalogue: Catalogue
    why_not: str
    stars: int
    matches: int = 0
    rms_mas: tuple[float, float] = (math.nan, math.nan)
    chi: float = math.nan
    moved_arcsec: tuple[float, float] = (math.nan, math.nan)
    rotation_deg: float = math.nan
    error_mas: float = math.nan
    reach_arcsec: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the frame was moved."""
        return not self.why_not

    def as_json(self) -> dict[str, Any]:
        """Return what people want to read, as plain values."""
        numbers = {
            "rms_east_mas": self.rms_mas[0],
            "rms_north_mas": self.rms_mas[1],
            "chi": self.chi,
            "moved_east_arcsec": self.moved_arcsec[0],
            "moved_north_arcsec": self.moved_arcsec[1],
            "rotation_deg": self.rotation_deg,
            "error_mas": self.error_mas,
        }
        return {
            "moved": self.is_good,
            "why_not": self.why_not,
            "stars": self.stars,
            "matches": self.matches,
            **{k: None if math.isnan(v) else round(v, 6) for k, v in numbers.items()},
        }


def tie(catalogue: Catalogue, stars: AbsoluteStars, year: float, options: TieOptions) -> Tie:
    """Move a catalogue to the frame of an absolute one, where that can be trusted.

    The two are matched as :func:`~hst123r.algorithms.matching.match` does, weighted by the
    errors of both; the tie is good if residuals agree with the errors, if it is certain, and
    if the frame is moved and turned no more than a pointing of the telescope can be wrong.

    Parameters
    ----------
    catalogue : Catalogue
        Stars in the frame of the reference visit.
    stars : AbsoluteStars
        The absolute catalogue.
    year : float
        Julian year of the reference visit.
    options : TieOptions
        How, and the limits.

    Returns
    -------
    Tie
        With the catalogue moved or as it was, never half.
    """
    if not catalogue.ra_deg.size or not stars.ra_deg.size:
        return Tie(catalogue, "there are no stars to compare", 0)
    centre = middle(catalogue.ra_deg, catalogue.dec_deg)
    first = np.stack(to_tangent_plane(catalogue.ra_deg, catalogue.dec_deg, *centre), axis=1)
    ra, dec, error = stars.at(year)
    second = np.stack(to_tangent_plane(ra, dec, *centre), axis=1)
    known = np.flatnonzero(np.isfinite(error))
    near = known[near_box(first, second[known], options.search_arcsec)]
    second, error = second[near], error[near]
    own = np.hypot(catalogue.position_error_arcsec, options.floor_mas / 1000.0)
    if catalogue.frame_error_arcsec is not None:
        own = np.hypot(own, catalogue.frame_error_arcsec)
    found = match(
        first,
        second,
        match_options(options),
        first_error=own,
        second_error=error,
    )
    if not isinstance(found, Match):
        return Tie(catalogue, found.text, len(second))
    sigma = np.hypot(own[found.first], error[found.second])
    return _judged(catalogue, first, found, sigma, centre, len(second), options)


def match_options(options: TieOptions) -> MatchOptions:
    """Return how stars are matched with an absolute catalogue.

    Parameters
    ----------
    options : TieOptions
        Of a tie.
    """
    return MatchOptions(
        search_arcsec=options.search_arcsec,
        tolerance_arcsec=options.tolerance_arcsec,
        geometry=options.geometry,
        minimum_pairs=options.min_matches,
    )


def _judged(
    catalogue: Catalogue,
    first: Floats,
    found: Match,
    sigma: Floats,
    centre: tuple[float, float],
    stars: int,
    options: TieOptions,
) -> Tie:
    freedom = max(2 * found.pairs - PARAMETERS[options.geometry], 1)
    chi = math.sqrt(float(np.sum((found.residual / sigma[:, None]) ** 2)) / freedom)
    middle = first.mean(axis=0)
    error = float(np.max(found.error_at(first))) * 1000.0
    move = found.transform(middle[None, :])[0] - middle
    result = Tie(
        catalogue,
        "",
        stars,
        found.pairs,
        (float(found.rms[0]) * 1000.0, float(found.rms[1]) * 1000.0),
        chi,
        (float(move[0]), float(move[1])),
        found.transform.rotation_deg,
        error,
    )
    why_not = _against(result, options)
    if why_not:
        return replace(result, why_not=why_not)
    there = found.transform(first)
    ra, dec = from_tangent_plane(there[:, 0], there[:, 1], *centre)
    return replace(
        result,
        catalogue=replace(catalogue, ra_deg=ra, dec_deg=dec),
        reach_arcsec=float(np.max(np.hypot(*(there - first).T))),
    )


def _against(tie: Tie, options: TieOptions) -> str:
    """Return what speaks against a tie, empty where nothing does."""
    away, turn = math.hypot(*tie.moved_arcsec), abs(tie.rotation_deg)
    problems = [
        (tie.chi > options.max_chi,
         f"the residuals are {tie.chi:.1f} times their errors"),
        (tie.error_mas > options.max_error_mas,
         f"it is uncertain by {tie.error_mas:.1f} mas"),
        (away > options.max_move_arcsec,
         f"the frame would be moved by {away:.2f} arcsec"),
        (turn > options.max_rotation_deg,
         f"the frame would be turned by {turn:.3f} deg"),
    ]  # fmt: skip
    return ", ".join(text for bad, text in problems if bad)
