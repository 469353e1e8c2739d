"""Upper limits from the error of a forced flux."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.photometry.magnitudes import magnitude_ab

Floats = NDArray[np.float64]

FORCED: Final = "forced flux error"
"""Name of the method, for tables."""


def limiting_flux(
    flux: ArrayLike, error: ArrayLike, photon_slope: ArrayLike = 0.0, nsigma: float = 3.0
) -> Floats:
    """Return the flux that a star at the same place would be seen with at a given S/N.

    The variance of a flux L is ``a + s L``: that of the background and that of the star's own
    photons. The limit solves ``L = n sqrt(a + s L)``, so it does not depend on the flux that
    happens to be there.

    Parameters
    ----------
    flux, error : array_like of float
        Forced flux and its standard error, in any one unit.
    photon_slope : array_like of float
        s: by how much the variance grows per unit of flux; 0 makes the limit n times the
        error.
    nsigma : float
        n, the S/N of the limit.

    Returns
    -------
    ndarray of float64
        The limits in the same unit, NaN where the error is.
    """
    slope = np.asarray(photon_slope, np.float64)
    own = slope * np.maximum(np.asarray(flux, np.float64), 0.0)
    background = np.maximum(np.asarray(error, np.float64) ** 2 - own, 0.0)
    half = nsigma**2 * slope / 2
    return np.asarray(half + np.sqrt(half**2 + nsigma**2 * background))


def limiting_magnitude(
    flux_njy: ArrayLike,
    error_njy: ArrayLike,
    photon_slope_njy: ArrayLike = 0.0,
    nsigma: float = 3.0,
) -> Floats:
    """Return AB magnitudes of :func:`limiting_flux`.

    Parameters
    ----------
    flux_njy, error_njy, photon_slope_njy : array_like of float
        As for :func:`limiting_flux`, in nanojansky.
    nsigma : float
        S/N of the limit.

    Returns
    -------
    ndarray of float64
        AB magnitudes.
    """
    return magnitude_ab(limiting_flux(flux_njy, error_njy, photon_slope_njy, nsigma))
