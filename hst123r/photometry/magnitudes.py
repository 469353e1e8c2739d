"""Magnitudes, fluxes and the constants between them.

A magnitude is a logarithm of a flux; all arithmetic is done in fluxes, in nanojansky, and
magnitudes are made at the very end.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

AB_ZERO_NJY: Final = 31.4
"""AB magnitude of 1 nJy, 1e-32 erg / s / cm2 / Hz, exactly: ``-2.5 log10(f) - 48.6`` (Oke & Gunn
1983, ApJ 266, 713)."""
_AB_CONSTANT: Final = 2.408
_ST_ZERO: Final = 21.1
MAGNITUDE: Final = 2.5 / np.log(10.0)
"""Magnitudes per relative change of flux, 1.0857."""


def zeropoint_ab(photflam: ArrayLike, photplam: ArrayLike) -> Floats:
    """Return AB zeropoints: the magnitude of one header unit per second.

    ``-2.5 log10(PHOTFLAM) - 5 log10(PHOTPLAM) - 2.408`` (ACS Data Handbook, section 5.1; WFC3
    Data Handbook, section 9.1).

    Parameters
    ----------
    photflam : array_like of float
        PHOTFLAM of the chip, erg / cm2 / Angstrom per electron (or DN).
    photplam : array_like of float
        PHOTPLAM, the pivot wavelength in Angstrom.

    Returns
    -------
    ndarray of float64
        Magnitudes; NaN where a value is not above zero.
    """
    flam, plam = np.asarray(photflam, np.float64), np.asarray(photplam, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = -2.5 * np.log10(flam) - 5 * np.log10(plam) - _AB_CONSTANT
    return np.asarray(np.where((flam > 0) & (plam > 0), value, np.nan))


def zeropoint_st(photflam: ArrayLike) -> Floats:
    """Return ST zeropoints: ``-2.5 log10(PHOTFLAM) - 21.1`` (ACS Data Handbook, section 5.1).

    Parameters
    ----------
    photflam : array_like of float
        PHOTFLAM, erg / cm2 / Angstrom per electron (or DN).

    Returns
    -------
    ndarray of float64
        Magnitudes of one header unit per second; NaN where it is not above zero.
    """
    flam = np.asarray(photflam, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(flam > 0, -2.5 * np.log10(flam) - _ST_ZERO, np.nan))


def st_minus_ab(photplam: ArrayLike) -> Floats:
    """Return the ST less the AB magnitude of any source: it depends on the pivot alone.

    Parameters
    ----------
    photplam : array_like of float
        Pivot wavelength in Angstrom.

    Returns
    -------
    ndarray of float64
        Magnitudes to add to AB magnitudes.
    """
    plam = np.asarray(photplam, np.float64)
    return np.asarray(5 * np.log10(plam) + _AB_CONSTANT - _ST_ZERO)


def flam_per_njy(photplam: ArrayLike) -> Floats:
    """Return the flux per wavelength of one nanojansky, so that ST and AB agree exactly.

    A rate times PHOTFLAM comes out for a flux that :func:`zeropoint_ab` made of that rate.

    Parameters
    ----------
    photplam : array_like of float
        Pivot wavelength in Angstrom.

    Returns
    -------
    ndarray of float64
        erg / s / cm2 / Angstrom.
    """
    return np.asarray(10.0 ** (-0.4 * (AB_ZERO_NJY + st_minus_ab(photplam) + _ST_ZERO)))


def njy_per_unit(zeropoint: ArrayLike) -> Floats:
    """Return the nanojansky of one header unit per second: ``10**(-0.4 (ZP_AB - 31.4))``.

    Parameters
    ----------
    zeropoint : array_like of float
        AB zeropoint.

    Returns
    -------
    ndarray of float64
        What rates (and their errors) are multiplied with.
    """
    return np.asarray(10.0 ** (-0.4 * (np.asarray(zeropoint, np.float64) - AB_ZERO_NJY)))


def magnitude_ab(flux_njy: ArrayLike) -> Floats:
    """Return AB magnitudes of fluxes in nanojansky; NaN where there is no light.

    Parameters
    ----------
    flux_njy : array_like of float
        Fluxes.

    Returns
    -------
    ndarray of float64
        Magnitudes.
    """
    flux = np.asarray(flux_njy, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(flux > 0, AB_ZERO_NJY - 2.5 * np.log10(flux), np.nan))


def flux_njy(magnitude: ArrayLike) -> Floats:
    """Return the flux in nanojansky of AB magnitudes.

    Parameters
    ----------
    magnitude : array_like of float
        AB magnitudes.

    Returns
    -------
    ndarray of float64
        Fluxes.
    """
    return np.asarray(10.0 ** (-0.4 * (np.asarray(magnitude, np.float64) - AB_ZERO_NJY)))


def magnitude_error(flux: ArrayLike, error: ArrayLike) -> Floats:
    """Return the error of a magnitude to first order, ``1.0857 error / flux``.

    Parameters
    ----------
    flux, error : array_like of float
        Flux and standard error in any one unit.

    Returns
    -------
    ndarray of float64
        Magnitudes; NaN where there is no light. Below S/N of about 5 this is not a Gaussian
        error any more: :func:`magnitude_range` gives the exact interval.
    """
    light, sigma = np.asarray(flux, np.float64), np.asarray(error, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(light > 0, MAGNITUDE * sigma / light, np.nan))


def magnitude_range(flux_in_njy: ArrayLike, error_njy: ArrayLike) -> tuple[Floats, Floats]:
    """Return the AB magnitudes of a flux plus and minus its error.

    Parameters
    ----------
    flux_in_njy, error_njy : array_like of float
        Flux and standard error.

    Returns
    -------
    brighter, fainter : ndarray of float64
        The interval; NaN on the faint side where the flux less its error is not above zero.
    """
    light, sigma = np.asarray(flux_in_njy, np.float64), np.asarray(error_njy, np.float64)
    return magnitude_ab(light + sigma), magnitude_ab(light - sigma)
