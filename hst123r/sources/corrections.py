"""One straight-line correction of the tangent plane for all chips of an exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.transform import PlaneTransform, fit
from hst123r.records.geometry import Geometry
from hst123r.sources.alignment import Pairing

ARCSEC_PER_DEG: Final = 3600.0
CHECK_SHARE: Final = 0.2
"""Share of the pairs that are left out of the fit, to check it."""
CHECK_ABOVE: Final = 30
"""With no more pairs than this all are fitted: each counts."""
SEED: Final = 20190401
"""Which pairs are left out is chance, but the same chance every time."""
PLANE_PIX: Final = 100
"""Size of the image that the plane of the pairs is given; any does."""


@dataclass(frozen=True, eq=False)
class Correction:
    """A fitted correction.

    Parameters
    ----------
    transform : PlaneTransform
        Takes the exposure's positions to those of the reference, in arcsec.
    fitted : int
        Number of pairs in the fit.
    check : (k,) ndarray of int64
        Rows of the pairs that were left out of it.
    """

    transform: PlaneTransform
    fitted: int
    check: NDArray[np.int64]


def fit_pairs(pairing: Pairing, geometry: Geometry, floor_arcsec: float) -> Correction:
    """Fit the pairs of an exposure, less those that are to check the fit.

    Parameters
    ----------
    pairing : Pairing
        The pairs.
    geometry : str
        What is fitted.
    floor_arcsec : float
        Error that every position has beside its own: what PSF and distortion are wrong by.

    Returns
    -------
    Correction
        Fitted with the errors as weights.
    """
    count = len(pairing.star)
    check = np.zeros(0, np.int64)
    if count > CHECK_ABOVE:
        chosen = np.random.default_rng(SEED).permutation(count)[: round(CHECK_SHARE * count)]
        check = np.sort(chosen).astype(np.int64)
    rows = np.setdiff1d(np.arange(count), check)
    weight = np.hypot(pairing.error_arcsec[rows], floor_arcsec) ** -2.0
    fitted = fit(pairing.star[rows], pairing.reference[rows], weight, geometry)
    return Correction(fitted.transform, rows.size, check)


def correct(
    wcs: Mapping[int, Any], transform: PlaneTransform, centre_deg: tuple[float, float]
) -> dict[int, Any]:
    """Correct the WCS of all chips of an exposure by one transformation.

    Parameters
    ----------
    wcs : mapping of int to WCS
        By EXTVER; not changed.
    transform : PlaneTransform
        On the tangent plane, in arcsec towards east and north.
    centre_deg : (float, float)
        Its tangent point.

    Returns
    -------
    dict of int to WCS
        The same with other CRVAL and CD; distortions are untouched.
    """
    from tweakwcs.correctors import FITSWCSCorrector

    plane = FITSWCSCorrector(_plane(centre_deg))
    matrix = transform.matrix
    shift = transform(np.zeros((1, 2)))[0]
    corrected = {}
    for version, old in wcs.items():
        corrector = FITSWCSCorrector(old.deepcopy())
        corrector.set_correction(matrix, shift, ref_tpwcs=plane)
        corrected[version] = corrector.wcs
    return corrected


def _plane(centre_deg: tuple[float, float]) -> Any:
    """Return the WCS of an image whose pixels are arcseconds on the tangent plane."""
    from astropy.wcs import WCS

    plane = WCS(naxis=2)
    plane.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    plane.wcs.crval = centre_deg
    # tweakwcs counts pixels from zero
    plane.wcs.crpix = [1.0, 1.0]
    plane.wcs.cd = np.eye(2) / ARCSEC_PER_DEG
    plane.pixel_shape = (PLANE_PIX, PLANE_PIX)
    plane.wcs.set()
    return plane
