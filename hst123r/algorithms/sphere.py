"""Positions on the sphere: tangent planes, separations, position angles.

Formulas of Calabretta & Greisen (2002, A&A 395, 1077, section 5.1.3) for the gnomonic
projection and of Vincenty (1975) for separations, which are exact at any distance.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ARCSEC: Final = 3600.0 * 180.0 / np.pi
"""Arcseconds in a radian."""
_HORIZON: Final = 1e-12


def to_tangent_plane(
    ra_deg: ArrayLike, dec_deg: ArrayLike, ra0_deg: float, dec0_deg: float
) -> tuple[Floats, Floats]:
    """Project positions onto the plane that touches the sphere at a point.

    Parameters
    ----------
    ra_deg, dec_deg : array_like of float
        Positions in degrees.
    ra0_deg, dec0_deg : float
        The point of contact.

    Returns
    -------
    xi, eta : ndarray of float64
        Coordinates to the east and north in arcsec; NaN for positions 90 degrees and more
        from the point of contact.
    """
    dec, dec0 = np.radians(np.asarray(dec_deg, np.float64)), np.radians(dec0_deg)
    # of the difference only the part within half a turn matters, and it is exact
    away = np.radians((np.asarray(ra_deg, np.float64) - ra0_deg + 180.0) % 360.0 - 180.0)
    half = np.sin(away / 2) ** 2
    # cos(away) = 1 - 2 half, written so that nothing cancels near the point of contact
    down = np.cos(dec - dec0) - 2 * np.cos(dec) * np.cos(dec0) * half
    east = np.cos(dec) * np.sin(away)
    north = np.sin(dec - dec0) + 2 * np.sin(dec0) * np.cos(dec) * half
    with np.errstate(invalid="ignore", divide="ignore"):
        front = down > _HORIZON
        xi = np.where(front, east / down, np.nan) * ARCSEC
        eta = np.where(front, north / down, np.nan) * ARCSEC
    return np.asarray(xi), np.asarray(eta)


def middle(ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[float, float]:
    """Return the median position of sources that lie together, also across right ascension 0.

    Parameters
    ----------
    ra_deg, dec_deg : array_like of float, shape (n,)
        Positions in degrees, at least one.

    Returns
    -------
    ra_deg, dec_deg : float
        Medians along each coordinate, the first in 0 to 360.
    """
    ra = np.asarray(ra_deg, np.float64)
    away = (ra - ra[0] + 180.0) % 360.0 - 180.0
    return float((ra[0] + np.median(away)) % 360.0), float(np.median(np.asarray(dec_deg)))


def from_tangent_plane(
    xi_arcsec: ArrayLike, eta_arcsec: ArrayLike, ra0_deg: float, dec0_deg: float
) -> tuple[Floats, Floats]:
    """Return the positions of points of a tangent plane.

    Parameters
    ----------
    xi_arcsec, eta_arcsec : array_like of float
        Coordinates to the east and north in arcsec.
    ra0_deg, dec0_deg : float
        The point of contact.

    Returns
    -------
    ra_deg, dec_deg : ndarray of float64
        Right ascension in [0, 360) and declination.
    """
    xi = np.asarray(xi_arcsec, np.float64) / ARCSEC
    eta = np.asarray(eta_arcsec, np.float64) / ARCSEC
    dec0 = np.radians(dec0_deg)
    down = np.cos(dec0) - eta * np.sin(dec0)
    ra = np.degrees(np.arctan2(xi, down)) + ra0_deg
    dec = np.degrees(np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, down)))
    turned = np.asarray(ra % 360.0)
    # the remainder of a tiny negative number rounds to a full turn
    return np.where(turned >= 360.0, 0.0, turned), np.asarray(dec)


def separation_arcsec(
    ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike
) -> Floats:
    """Return the angles between positions.

    Parameters
    ----------
    ra1_deg, dec1_deg, ra2_deg, dec2_deg : array_like of float
        Positions in degrees; shapes are broadcast.

    Returns
    -------
    ndarray of float64
        Arcsec, exact from the smallest to the largest.
    """
    sideways, along, towards = _components(ra1_deg, dec1_deg, ra2_deg, dec2_deg)
    return np.asarray(np.arctan2(np.hypot(sideways, along), towards) * ARCSEC)


def position_angle_deg(
    ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike
) -> Floats:
    """Return the direction of second positions as seen from first ones.

    Parameters
    ----------
    ra1_deg, dec1_deg, ra2_deg, dec2_deg : array_like of float
        Positions in degrees; shapes are broadcast.

    Returns
    -------
    ndarray of float64
        Degrees from north through east, in [0, 360).
    """
    sideways, along, _ = _components(ra1_deg, dec1_deg, ra2_deg, dec2_deg)
    return np.asarray(np.degrees(np.arctan2(sideways, along)) % 360.0)


def _components(
    ra1_deg: ArrayLike, dec1_deg: ArrayLike, ra2_deg: ArrayLike, dec2_deg: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Return the second unit vectors' parts to the east, to the north and along the first."""
    away = np.radians(
        (np.asarray(ra2_deg, np.float64) - np.asarray(ra1_deg, np.float64) + 180.0) % 360.0 - 180.0
    )
    dec1 = np.radians(np.asarray(dec1_deg, np.float64))
    dec2 = np.radians(np.asarray(dec2_deg, np.float64))
    half = np.sin(away / 2) ** 2
    east = np.cos(dec2) * np.sin(away)
    north = np.sin(dec2 - dec1) + 2 * np.sin(dec1) * np.cos(dec2) * half
    towards = np.cos(dec2 - dec1) - 2 * np.cos(dec1) * np.cos(dec2) * half
    return east, north, towards
