"""Fluxes of exposures combined: into those of epochs, visits, filters, or of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError
from hst123r.photometry import magnitudes
from hst123r.photometry.limits import limiting_flux

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

UNLIKELY: Final = 0.01
"""Below this probability of chi² the errors of the exposures are not believed."""
_TURNS: Final = 5


@dataclass(frozen=True, eq=False)
class Combined:
    """Mean fluxes of a group of exposures, one element per star.

    Parameters
    ----------
    flux : (n,) ndarray of float64
        Inverse-variance mean, in the unit of the input; NaN where no exposure has the star.
    error : (n,) ndarray of float64
        Standard error of the mean: from the weights, or from the scatter where that is larger
        and chi² says that the errors of the exposures do not account for it.
    error_weights, error_scatter : (n,) ndarray of float64
        The two; the latter is NaN for single exposures.
    fixed_error : (n,) ndarray of float64
        Standard error of the mean without what the exposures have in common, the error of the place
        of a blended star. Differences between groups of exposures have it. It comes from the
        scatter where `error` does.
    fixed_error_weights : (n,) ndarray of float64
        The same from the weights alone.
    chi2 : (n,) ndarray of float64
        Sum of squared deviations from the mean over variances at fixed places.
    probability : (n,) ndarray of float64
        Probability of a chi² as large by chance; 1 for single exposures.
    photon_slope : (n,) ndarray of float64
        By how much ``error_weights**2`` grows per unit of the star's flux.
    exposures : (n,) ndarray of int64
        How many exposures were used.
    mjd : (n,) ndarray of float64
        Mean date of those, weighted like the fluxes.
    mjd_mean : (n,) ndarray of float64
        Their plain mean.
    exposure_time_s : (n,) ndarray of float64
        Sum of theirs.
    """

    flux: Floats
    error: Floats
    error_weights: Floats
    error_scatter: Floats
    fixed_error: Floats
    fixed_error_weights: Floats
    chi2: Floats
    probability: Floats
    photon_slope: Floats
    exposures: Integers
    mjd: Floats
    mjd_mean: Floats
    exposure_time_s: Floats

    @property
    def snr(self) -> Floats:
        """Flux over error."""
        return np.asarray(self.flux / self.error)

    def detected(self, nsigma: float = 3.0) -> Booleans:
        """Return which stars have at least a given S/N."""
        return np.asarray(self.snr >= nsigma)

    def limit(self, nsigma: float = 3.0) -> Floats:
        """Return the flux a star would need for a given S/N, in the unit of the input.

        Where the scatter decides about the error, the background's part is scaled with it.
        """
        own = self.photon_slope * np.maximum(self.flux, 0.0)
        excess = (self.error / self.error_weights) ** 2
        variance = np.maximum(self.error_weights**2 - own, 0.0) * excess
        slope = self.photon_slope * excess
        return limiting_flux(np.zeros(self.flux.shape), np.sqrt(variance), slope, nsigma)

    def magnitude_ab(self) -> Floats:
        """Return AB magnitudes of fluxes in nanojansky."""
        return magnitudes.magnitude_ab(self.flux)

    def magnitude_error(self) -> Floats:
        """Return errors of the magnitudes, to first order."""
        return magnitudes.magnitude_error(self.flux, self.error)


def combine(
    flux: ArrayLike,
    error: ArrayLike,
    mjd: ArrayLike,
    exposure_time_s: ArrayLike,
    photon_slope: ArrayLike = 0.0,
    *,
    fixed_error: ArrayLike | None = None,
    use: ArrayLike | None = None,
) -> Combined:
    """Combine the fluxes of stars in several exposures.

    No flux is left out for being faint or negative: that would bias the mean (eight exposures
    of S/N 2 come out 0.4 mag too bright if only those above S/N 2 are kept). Weights are those
    of the *mean* flux, with the star's own photon noise as that mean would have it: a weight
    from an exposure's own flux would favour the exposures that happen to be low.

    Parameters
    ----------
    flux, error : array_like of float, shape (k, n) or (k,)
        Fluxes of n stars in k exposures, in a unit common to all (nanojansky), and their
        standard errors; NaN where a star was not measured.
    mjd, exposure_time_s : array_like of float, shape (k,) or that of `flux`
        Date and length of the exposures.
    photon_slope : array_like of float, shape of `flux`
        By how much ``error**2`` grows per unit of flux, in that unit; 0 takes errors as they
        are.
    fixed_error : array_like of float, shape of `flux`, optional
        The part of the errors that exposures do not have in common; all of it if not given. Only
        this part shrinks with the number of exposures, sets the weights, and is compared with
        their scatter; the rest moves all fluxes of a star alike.
    use : array_like of bool, shape of `flux`, optional
        False for measurements to leave out, for reasons other than their flux.

    Returns
    -------
    Combined
        One element per star, one star for one-dimensional input.

    Raises
    ------
    InputError
        If shapes do not fit, or there is no exposure.
    """
    values = np.asarray(flux, np.float64)
    if values.ndim not in (1, 2) or values.shape[0] == 0:
        raise InputError(f"fluxes of shape {values.shape} cannot be combined")
    values = values.reshape(values.shape[0], -1)
    own = error if fixed_error is None else fixed_error
    whole, sigma, slope = (_like(item, values, "errors") for item in (error, own, photon_slope))
    dates, times = (_like(item, values, "dates or times") for item in (mjd, exposure_time_s))
    used = np.isfinite(values) & np.isfinite(sigma) & (sigma > 0)
    if use is not None:
        used &= _like(use, values, "choice") != 0
    values, sigma, slope = (np.where(used, item, 0.0) for item in (values, sigma, slope))
    common = np.sqrt(np.maximum(np.where(used, whole, 0.0) ** 2 - sigma**2, 0.0))
    slope = np.nan_to_num(slope)
    empty = np.where(used, sigma**2 - slope * np.maximum(values, 0.0), 1.0)
    # a slope that says more than the error would make a negative variance
    empty = np.maximum(empty, 1e-6 * np.where(used, sigma**2, 1.0))

    mean = np.zeros(values.shape[1])
    for _ in range(_TURNS if slope.any() else 1):
        weight = np.where(used, 1.0 / (empty + slope * np.maximum(mean, 0.0)), 0.0)
        total = weight.sum(axis=0)
        safe = np.where(total > 0, total, 1.0)
        mean = (weight * values).sum(axis=0) / safe
    weight = np.where(used, 1.0 / (empty + slope * np.maximum(mean, 0.0)), 0.0)
    return _result(values, weight, slope, common, used, dates, times)


def _like(item: ArrayLike, values: Floats, what: str) -> Floats:
    array = np.asarray(item, np.float64)
    if array.ndim == 1 and array.shape[0] == values.shape[0]:
        array = array[:, None]
    try:
        return np.broadcast_to(array, values.shape)
    except ValueError as error:
        raise InputError(f"{what} of shape {array.shape} for fluxes of {values.shape}") from error


def _result(
    values: Floats,
    weight: Floats,
    slope: Floats,
    common: Floats,
    used: Booleans,
    dates: Floats,
    times: Floats,
) -> Combined:
    from scipy.stats import chi2 as chi2_distribution

    count = used.sum(axis=0)
    total = weight.sum(axis=0)
    blank = np.where(count > 0, 1.0, np.nan)
    safe = np.where(count > 0, total, 1.0)
    mean = (weight * values).sum(axis=0) / safe
    chi2 = (weight * (values - mean) ** 2).sum(axis=0)
    fixed = 1.0 / np.sqrt(safe)
    free = np.maximum(count - 1, 1)
    seen = np.where(count > 1, fixed * np.sqrt(chi2 / free), np.nan)
    # what all exposures have in common does not average out, and does not scatter
    shared = (weight * common).sum(axis=0) / safe
    from_weights, from_scatter = np.hypot(fixed, shared), np.hypot(seen, shared)
    probability = np.where(count > 1, chi2_distribution.sf(chi2, free), 1.0)
    doubted = (probability < UNLIKELY) & (from_scatter > from_weights)
    with np.errstate(invalid="ignore"):
        number = np.maximum(count, 1)
        date = np.where(used, dates, 0.0)
        return Combined(
            flux=mean * blank,
            error=np.where(doubted, from_scatter, from_weights) * blank,
            error_weights=from_weights * blank,
            error_scatter=from_scatter,
            fixed_error=np.where(doubted, seen, fixed) * blank,
            fixed_error_weights=fixed * blank,
            chi2=chi2 * blank,
            probability=probability * blank,
            photon_slope=(weight**2 * slope).sum(axis=0) / safe**2 * blank,
            exposures=count.astype(np.int64),
            mjd=(weight * date).sum(axis=0) / safe * blank,
            mjd_mean=date.sum(axis=0) / number * blank,
            exposure_time_s=np.where(used, times, 0.0).sum(axis=0),
        )
