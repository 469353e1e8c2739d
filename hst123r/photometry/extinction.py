"""Extinction by dust in the Milky Way, at a wavelength: A(lambda) over A(V) by three laws.

`dust_extinction` and `extinction` have these laws too; the few published coefficients are here, so
that no package more decides about a number.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]

LAWS: Final = ("ccm89", "od94", "f99")
RANGE_ANGSTROM: Final = (1000.0, 33000.0)
"""Shortest and longest wavelength of the laws of Cardelli, Clayton and Mathis; that of Fitzpatrick
begins at 910 and ends at 60000 Angstrom, and is used in the same range."""
_CCM_A: Final = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
_CCM_B: Final = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
"""Optical coefficients of Cardelli, Clayton & Mathis 1989, ApJ 345, 245, equations 3a and 3b."""
_OD_A: Final = (1.0, 0.104, -0.609, 0.701, 1.137, -1.718, -0.827, 1.647, -0.505)
_OD_B: Final = (0.0, 1.952, 2.908, -3.989, -7.985, 11.102, 5.491, -10.805, 3.347)
"""Those of O'Donnell 1994, ApJ 422, 158, which replace them from 1.1 to 3.3 per micron."""


def relative_extinction(wavelength_angstrom: ArrayLike, law: str, rv: float = 3.1) -> Floats:
    """Return A(lambda) / A(V).

    Parameters
    ----------
    wavelength_angstrom : array_like of float
        Wavelengths.
    law : str
        ``ccm89``: Cardelli, Clayton & Mathis 1989; ``od94``: that with the optical part of
        O'Donnell 1994; ``f99``: Fitzpatrick 1999, PASP 111, 63.
    rv : float
        R(V) = A(V) / E(B-V).

    Returns
    -------
    ndarray of float64
        Ratios, NaN for wavelengths out of the law's range.

    Raises
    ------
    InputError
        If the law is not known.
    """
    wave = np.asarray(wavelength_angstrom, np.float64)
    if law not in LAWS:
        raise InputError(f"there is no extinction law {law!r}; known are {', '.join(LAWS)}")
    inside = (wave >= RANGE_ANGSTROM[0]) & (wave <= RANGE_ANGSTROM[1])
    x = 1e4 / np.where(inside, wave, 5500.0)
    value = _fitzpatrick(x, rv) if law == "f99" else _cardelli(x, rv, law)
    return np.asarray(np.where(inside, value, np.nan))


def extinction(wavelength_angstrom: ArrayLike, ebv: float, law: str, rv: float = 3.1) -> Floats:
    """Return the extinction in magnitudes, ``R(V) E(B-V) A(lambda) / A(V)``.

    Parameters
    ----------
    wavelength_angstrom : array_like of float
        Wavelengths; for a filter its pivot wavelength, which is right for the light of no star in
        particular. In broad filters the colour of the source changes it by some per cent.
    ebv : float
        E(B-V) in magnitudes.
    law : str
        As for :func:`relative_extinction`.
    rv : float
        R(V).

    Returns
    -------
    ndarray of float64
        Magnitudes, positive.
    """
    return np.asarray(rv * ebv * relative_extinction(wavelength_angstrom, law, rv))


def _cardelli(x: Floats, rv: float, law: str) -> Floats:
    """Equations 2 to 5 of Cardelli, Clayton & Mathis 1989; x per micron."""
    far = x**1.61
    y = x - 1.82
    first, second = (_CCM_A, _CCM_B) if law == "ccm89" else (_OD_A, _OD_B)
    a_opt = np.polynomial.polynomial.polyval(y, first)
    b_opt = np.polynomial.polynomial.polyval(y, second)
    near_uv = np.maximum(x - 5.9, 0.0)
    bend_a = -0.04473 * near_uv**2 - 0.009779 * near_uv**3
    bend_b = 0.2130 * near_uv**2 + 0.1207 * near_uv**3
    a_uv = 1.752 - 0.316 * x - 0.104 / ((x - 4.67) ** 2 + 0.341) + bend_a
    b_uv = -3.090 + 1.825 * x + 1.206 / ((x - 4.62) ** 2 + 0.263) + bend_b
    z = x - 8.0
    a_far = -1.073 - 0.628 * z + 0.137 * z**2 - 0.070 * z**3
    b_far = 13.670 + 4.257 * z - 0.420 * z**2 + 0.374 * z**3
    parts = [x < 1.1, x < 3.3, x < 8.0]
    a = np.select(parts, [0.574 * far, a_opt, a_uv], a_far)
    b = np.select(parts, [-0.527 * far, b_opt, b_uv], b_far)
    return np.asarray(a + b / rv)


def _fitzpatrick(x: Floats, rv: float) -> Floats:
    """The curve of the appendix of Fitzpatrick 1999: a cubic spline, and the ultraviolet formula.

    The ultraviolet is that of Fitzpatrick & Massa 1990 with c1 and c2 from R(V); the anchors of the
    spline are those of his table 4.
    """
    from scipy.interpolate import CubicSpline

    knots_uv = 1e4 / np.array([2700.0, 2600.0])
    optical = 1e4 / np.array([26500.0, 12200.0, 6000.0, 5470.0, 4670.0, 4110.0])
    anchors = np.array(
        [
            0.26469 * rv / 3.1,
            0.82925 * rv / 3.1,
            -0.422809 + 1.00270 * rv + 2.13572e-4 * rv**2,
            -5.13540e-2 + 1.00216 * rv - 7.35778e-5 * rv**2,
            0.700127 + 1.00184 * rv - 3.32598e-5 * rv**2,
            1.19456 + 1.01707 * rv - 5.46959e-3 * rv**2 + 7.97809e-4 * rv**3 - 4.45636e-5 * rv**4,
        ]
    )
    points = np.concatenate([[0.0], optical, knots_uv])
    values = np.concatenate([[0.0], anchors, _massa(knots_uv, rv) + rv])
    spline = CubicSpline(points, values, bc_type="natural")
    return np.asarray(np.where(x >= knots_uv[0], _massa(x, rv) + rv, spline(x)) / rv)


def _massa(x: Floats, rv: float) -> Floats:
    """E(lambda - V) / E(B - V) in the ultraviolet, Fitzpatrick 1999, equations 2 to 5."""
    c2 = -0.824 + 4.717 / rv
    c1 = 2.030 - 3.007 * c2
    bump = x**2 / ((x**2 - 4.596**2) ** 2 + (0.99 * x) ** 2)
    y = np.maximum(x - 5.9, 0.0)
    return np.asarray(c1 + c2 * x + 3.23 * bump + 0.41 * (0.5392 * y**2 + 0.05644 * y**3))
