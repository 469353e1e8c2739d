"""Positions of stars that move, at another time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

UNKNOWN_MAS_YR: Final = 5.0
"""What a star moves along each axis if nobody has measured it: 24 km/s at a kiloparsec."""
_MAS: Final = np.pi / 180.0 / 3.6e6
_J2000_MJD: Final = 51544.5
_YEAR_DAYS: Final = 365.25


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Positions at another time.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees.
    error_mas : (n,) ndarray of float64
        Standard error along each axis.
    """

    ra_deg: Floats
    dec_deg: Floats
    error_mas: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Motions:
    """How stars move, and when they were measured.

    Parameters
    ----------
    east_mas_yr, north_mas_yr : (n,) ndarray of float64
        Proper motions in mas a year, the first with its cos(dec); NaN where they are not known.
    error_mas_yr : (n,) ndarray of float64
        Their standard error along each axis.
    epoch : (n,) ndarray of float64
        Julian year of the measured position; NaN where nobody knows it.
    """

    east_mas_yr: Floats
    north_mas_yr: Floats
    error_mas_yr: Floats
    epoch: Floats

    def where(self, rows: NDArray[Any]) -> Motions:
        """Return the motions of some rows."""
        return Motions(*(getattr(self, name)[rows] for name in self.__slots__))

    @classmethod
    def unknown(cls, number: int, epoch: float = np.nan) -> Motions:
        """Return those of stars of which nothing is known, but the epoch at most."""
        return cls(*(np.full(number, value) for value in (np.nan, np.nan, np.nan, epoch)))

    @classmethod
    def chained(cls, some: Sequence[Motions]) -> Motions:
        """Return those of several lists of stars as one, in their order."""
        return cls(*(np.concatenate([getattr(m, name) for m in some]) for name in cls.__slots__))

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Which stars have a motion."""
        return np.isfinite(self.east_mas_yr + self.north_mas_yr)

    @property
    def middle_year(self) -> float:
        """Median Julian year of the measurements; 2000 if there is none."""
        known = self.epoch[np.isfinite(self.epoch)]
        return float(np.median(known)) if known.size else 2000.0


def modified_julian_date(year: float) -> float:
    """Return the modified Julian date of a Julian epoch, 57388.5 for 2016.0."""
    return _J2000_MJD + (year - 2000.0) * _YEAR_DAYS


def julian_year(mjd: float) -> float:
    """Return the Julian epoch of a modified Julian date, 2016.0 for 57388.5."""
    return 2000.0 + (mjd - _J2000_MJD) / _YEAR_DAYS


def at_epoch(
    ra_deg: ArrayLike,
    dec_deg: ArrayLike,
    pm_ra_mas_yr: ArrayLike,
    pm_dec_mas_yr: ArrayLike,
    years: ArrayLike,
    *,
    error_mas: ArrayLike,
    pm_error_mas_yr: ArrayLike,
) -> Moved:
    """Move stars along great circles.

    The unit vector moves on a straight line, ``u = <r + t (p mu_alpha* + q mu_delta)>``, with
    ``p`` and ``q`` to the east and north of ``r`` (The Hipparcos and Tycho Catalogues, ESA
    SP-1200 vol. 1, eq. 1.5.1, without radial velocity and parallax). It holds at the poles too.

    Parameters
    ----------
    ra_deg, dec_deg : array_like of float
        Positions in degrees at the catalogue's epoch.
    pm_ra_mas_yr, pm_dec_mas_yr : array_like of float
        Proper motions in mas a year, the first with its cos(dec), as Gaia has it. Where either
        is NaN a star stays, and its error grows by 5 mas a year.
    years : array_like of float
        Julian years from the catalogue's epoch.
    error_mas, pm_error_mas_yr : array_like of float
        Standard errors along each axis; correlations are not used. A NaN of a motion's error
        is as a motion that is not known.

    Returns
    -------
    Moved
        The positions then, with ``sqrt(error^2 + (t error_of_motion)^2)``.
    """
    ra, dec = (np.radians(np.asarray(value, np.float64)) for value in (ra_deg, dec_deg))
    east, north = (np.asarray(value, np.float64) for value in (pm_ra_mas_yr, pm_dec_mas_yr))
    known = np.isfinite(east + north)
    time = np.broadcast_to(np.asarray(years, np.float64), ra.shape)
    a, d = (np.where(known, pm, 0.0) * _MAS * time for pm in (east, north))
    sin_a, cos_a, sin_d, cos_d = np.sin(ra), np.cos(ra), np.sin(dec), np.cos(dec)
    x = cos_d * cos_a - a * sin_a - d * sin_d * cos_a
    y = cos_d * sin_a + a * cos_a - d * sin_d * sin_a
    z = sin_d + d * cos_d
    spread = np.asarray(pm_error_mas_yr, np.float64)
    spread = np.where(known & np.isfinite(spread), spread, UNKNOWN_MAS_YR)
    return Moved(
        np.asarray(np.degrees(np.arctan2(y, x)) % 360.0),
        np.asarray(np.degrees(np.arctan2(z, np.hypot(x, y)))),
        np.asarray(np.hypot(np.asarray(error_mas, np.float64), spread * time)),
    )


def carried(
    ra_deg: Floats, dec_deg: Floats, error_mas: Floats, motions: Motions, year: float, to: float
) -> Moved:
    """Move stars whose positions were moved to one year already to another.

    Errors of motions count from the time of the measurement, so they grow or shrink.

    Parameters
    ----------
    ra_deg, dec_deg, error_mas : (n,) ndarray of float64
        Positions in degrees and their errors at `year`.
    motions : Motions
        The motions.
    year, to : float
        Julian years.

    Returns
    -------
    Moved
        As :func:`at_epoch` would give it from the measured positions; a star without an epoch
        stays as it is.
    """
    dated = np.isfinite(motions.epoch)
    since, until = (np.where(dated, when - motions.epoch, 0.0) for when in (year, to))
    known = np.isfinite(motions.east_mas_yr + motions.north_mas_yr + motions.error_mas_yr)
    spread = np.where(known, motions.error_mas_yr, UNKNOWN_MAS_YR)
    moved = at_epoch(
        ra_deg, dec_deg, motions.east_mas_yr, motions.north_mas_yr, until - since,
        error_mas=error_mas, pm_error_mas_yr=spread,
    )  # fmt: skip
    variance = error_mas**2 + spread**2 * (until**2 - since**2)
    return Moved(moved.ra_deg, moved.dec_deg, np.sqrt(np.maximum(variance, 0.0)))
