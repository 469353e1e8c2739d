"""Light that stars lose while their charge is moved to the amplifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_LEAST_SKY_E: Final = 0.2
_LEAST_FLUX_E: Final = 50.0
"""Powers of nothing are infinite: fluxes and skies are kept above these, as DOLPHOT 2.0 does."""
_YEAR: Final = 365.25


def power_loss(
    flux_e: ArrayLike,
    sky_e: ArrayLike,
    rows: ArrayLike,
    years: ArrayLike,
    *,
    amplitude: float,
    sky_power: float,
    flux_power: float,
) -> Floats:
    """Return losses by powers of sky and flux (Chiaberge et al. 2009, ISR ACS 2009-01).

    ``amplitude sky^B flux^C rows years`` magnitudes; fluxes below 50 electrons count as about
    50, skies below 0.2 as 0.2.

    Parameters
    ----------
    flux_e, sky_e : array_like of float
        Electrons of the star, and of the sky in a pixel.
    rows, years : array_like of float
        Transfers and time, in the units that the amplitude is for.
    amplitude, sky_power, flux_power : float
        Coefficients.

    Returns
    -------
    ndarray of float64
        Magnitudes by which stars are too faint; none before there was a loss.
    """
    flux = np.hypot(np.maximum(flux_e, 0.0), _LEAST_FLUX_E)
    sky = np.maximum(sky_e, _LEAST_SKY_E)
    moved = np.maximum(rows, 0.0) * np.maximum(years, 0.0)
    return np.asarray(amplitude * sky**sky_power * flux**flux_power * moved, np.float64)


def exponential_loss(
    flux_e: ArrayLike,
    sky_e: ArrayLike,
    columns: ArrayLike,
    rows: ArrayLike,
    days: ArrayLike,
    *,
    x: Sequence[float],
    y: float,
    background: Sequence[Sequence[float]],
    per_year: Sequence[float],
    counts: Sequence[float],
    scale: float,
) -> Floats:
    """Return losses along both axes by the equations of Dolphin (2004; form of 2000, 2009).

    With ``b = sqrt(sky^2 + 1)``, ``B = b - 10``, ``L = ln b - 1`` and ``C = ln flux - 7 + 0.921 X``
    the loss along x is ``X = x0 exp(x1 B) columns``, and that along y is
    ``ln(exp(c1) (1 + c2) - c2) / scale`` with ``c1`` the product of amplitude, the two
    exponentials of the background, growth with the years and rows, and ``c2 = k0 exp(k1 C)``.

    Parameters
    ----------
    flux_e, sky_e : array_like of float
        Electrons of the star, at least 50, and of the sky in a pixel.
    columns, rows : array_like of float
        Transfers along both axes, as fractions of the whole chip.
    days : array_like of float
        Days since the epoch.
    x, y, background, per_year, counts, scale
        Coefficients, see :class:`~hst123r.instruments.detector.ExponentialLoss`.

    Returns
    -------
    ndarray of float64
        Magnitudes by which stars are too faint.
    """
    level = np.sqrt(np.maximum(sky_e, 0.0) ** 2 + 1.0)
    above, logarithm = level - 10.0, np.log(level) - 1.0
    years = np.asarray(days, np.float64) / _YEAR
    across = x[0] * np.exp(x[1] * above) * np.maximum(columns, 0.0)
    light = np.log(np.maximum(flux_e, _LEAST_FLUX_E)) - 7.0 + 0.921 * across
    (share, by_logarithm), (other, by_level) = background
    filled = share * np.exp(by_logarithm * logarithm) + other * np.exp(by_level * above)
    grown = np.maximum(1.0 + per_year[0] * years + per_year[1] * years**2, 0.0)
    first = y * filled * grown * np.maximum(rows, 0.0)
    second = counts[0] * np.exp(counts[1] * light)
    along = np.log(np.exp(first) * (1.0 + second) - second) / scale
    return np.asarray(across + along, np.float64)
