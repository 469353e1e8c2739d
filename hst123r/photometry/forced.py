"""Fluxes of stars at given places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError
from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.frame import Frame
from hst123r.photometry.sky import Background
from hst123r.photometry.solve import star_covariances

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_HARDLY_ANY: Final = 0.02
_PARTLY: Final = 0.9
_CORE_PIX: Final = 1.0
_SATURATED_PIX: Final = 2.0
_BLENDED: Final = 3.0
_POOR_SIGMA: Final = 6.0
DEFAULTS: Final = FitOptions()


@dataclass(frozen=True, eq=False)
class Fluxes:
    """Fluxes of stars in one frame, one element per star.

    Electrons are those of the whole exposure, in an infinite aperture, on the nominal pixel
    grid: the pixel area is taken into account.

    Parameters
    ----------
    x, y : (n,) ndarray of float64
        Zero-based positions.
    flux, error : (n,) ndarray of float64
        Electrons and their standard error; NaN where there is no usable pixel.
    fixed_error : (n,) ndarray of float64
        Standard error at the fixed place: without what an error of the place, which all frames of
        a joint fit have in common, does to the flux. Differences between frames have it. That of
        `error` where places were given, and where they were found in one frame alone.
    photon_slope : (n,) ndarray of float64
        By how much ``error**2`` grows with each electron of the star's own: with it, what the
        error would be for another flux can be told. At least the inverse of the gain, 1.
    chi2 : (n,) ndarray of float64
        Sum of squared residuals over the model's variance, within the fit radius.
    pixels : (n,) ndarray of int64
        Number of pixels in it; about that less one (three with free positions, fewer where
        neighbours share them) is expected.
    rejected : (n,) ndarray of int64
        Number of pixels within the fit radius left out as outliers.
    usable : (n,) ndarray of float64
        Fraction of the star's weight that is on pixels in use, 0 to 1.
    crowding_mag : (n,) ndarray of float64
        How much brighter the star would seem if neighbours were not fitted, in magnitudes;
        NaN for fluxes below zero.
    flags : (n,) ndarray of int64
        Sums of :class:`~hst123r.photometry.flags.Flag`.
    model_error : float
        Relative error of the PSF on the frame's bright stars.
    """

    x: Floats
    y: Floats
    flux: Floats
    error: Floats
    fixed_error: Floats
    photon_slope: Floats
    chi2: Floats
    pixels: Integers
    rejected: Integers
    usable: Floats
    crowding_mag: Floats
    flags: Integers
    model_error: float

    @property
    def chi(self) -> Floats:
        """Root mean square of the residuals over their expected noise."""
        return np.sqrt(self.chi2 / np.maximum(self.pixels - 1, 1))

    @property
    def background_error(self) -> Floats:
        """Standard error that a star of no light at the same place would have."""
        own = self.photon_slope * np.maximum(self.flux, 0.0)
        return np.sqrt(np.maximum(self.error**2 - own, 0.0))

    def scattered(self, rows: Integers, size: int) -> Fluxes:
        """Return the same fluxes as some rows of a longer list.

        Parameters
        ----------
        rows : (n,) ndarray of int64
            Row of each star in the longer list.
        size : int
            Length of the longer list; rows that no star has are NaN, off the frame and
            without pixels.
        """
        arrays = {}
        real = ("x", "y", "flux", "error", "fixed_error", "photon_slope", "chi2", "crowding_mag")
        for name in real:
            arrays[name] = np.full(size, np.nan)
        for name in ("pixels", "rejected"):
            arrays[name] = np.zeros(size, np.int64)
        arrays["usable"] = np.zeros(size)
        arrays["flags"] = np.full(size, int(Flag.OFF_FRAME | Flag.NO_PIXELS), np.int64)
        for name, array in arrays.items():
            array[rows] = getattr(self, name)
        return Fluxes(**arrays, model_error=self.model_error)


def forced(
    frame: Frame,
    x: ArrayLike,
    y: ArrayLike,
    background: Background,
    options: FitOptions = DEFAULTS,
) -> Fluxes:
    """Fit the fluxes of all stars of a chip at once, at given places.

    Linear least squares with one flux per star, neighbours together. Weights come from the
    model's variance (sky, read noise and the stars' own model light), found in a few passes:
    weights from the noisy data would bias faint stars by up to 2 %. Pixels that fit no star
    are rejected worst first. Fluxes may be negative, and are not biased by being faint.

    Parameters
    ----------
    frame : Frame
        The chip.
    x, y : array_like of float, shape (n,)
        Zero-based pixel positions. Stars just outside the frame are fitted with what falls
        inside; positions that are NaN get no flux.
    background : Background
        The sky, e.g. from :func:`~hst123r.photometry.sky.estimate_sky`.
    options : FitOptions
        Fit radius and rejection.

    Returns
    -------
    Fluxes
        In the order of the input.

    Raises
    ------
    InputError
        If x and y differ in length, or the sky is of another frame.
    """
    star_x, star_y = positions(frame, x, y, background)
    fit = ChipFit(frame, background, options, star_x, star_y)
    fit.settle()
    covariance = star_covariances(fit.normal(), 1)[:, 0, 0]
    return fluxes_of(fit, covariance)


def positions(
    frame: Frame, x: ArrayLike, y: ArrayLike, background: Background
) -> tuple[Floats, Floats]:
    """Return positions as arrays of one length, checked.

    Parameters
    ----------
    frame : Frame
        The chip.
    x, y : array_like of float
        Positions.
    background : Background
        The sky, which must be of the same shape.

    Returns
    -------
    x, y : (n,) ndarray of float64
        Copies.

    Raises
    ------
    InputError
        If they do not fit together.
    """
    star_x, star_y = np.array(x, np.float64, ndmin=1), np.array(y, np.float64, ndmin=1)
    if star_x.ndim != 1 or star_x.shape != star_y.shape:
        raise InputError(
            f"positions of shapes {star_x.shape} and {star_y.shape}", where=frame.label
        )
    if tuple(background.shape) != frame.shape:
        raise InputError(
            f"the sky has the shape {background.shape}, the frame {frame.shape}",
            where=frame.label,
        )
    return star_x, star_y


def fluxes_of(fit: ChipFit, covariance: Floats, fixed: Floats | None = None) -> Fluxes:
    """Return the result of a fit that has settled.

    Parameters
    ----------
    fit : ChipFit
        The fit.
    covariance : (n,) ndarray of float64
        Variances of the fluxes, in frame units squared.
    fixed : (n,) ndarray of float64, optional
        The same at fixed places; the former if not given.

    Returns
    -------
    Fluxes
        Fluxes, errors, statistics and flags.
    """
    design, frame = fit.design, fit.frame
    weight, variance, residual = fit.weights(), fit.variance(), fit.residual()
    place, own = design.place, fit.values
    information = design.per_star(own**2 * weight[place])
    usable = fit.usable
    lit = (usable > _HARDLY_ANY) & (information > 0)
    safe = np.where(lit, information, 1.0)
    slope = design.per_star(weight[place] ** 2 * own**3 / design.area[place]) / safe**2
    # what falls on a star's pixels from all others, weighted as its own light is
    others = design.per_star(own * (weight * fit.light())[place]) / safe - fit.flux
    with np.errstate(invalid="ignore", divide="ignore"):
        crowding = 2.5 * np.log10(1.0 + np.maximum(others, 0.0) / fit.flux)
    crowding[~(fit.flux > 0)] = np.nan
    kept = ~fit.rejected[place]
    chi2 = design.per_star(np.where(kept, (residual**2 / variance)[place], 0.0))
    pixels = design.per_star(kept.astype(np.float64)).astype(np.int64)
    rejected = design.per_star((~kept).astype(np.float64)).astype(np.int64)
    area = frame.area_at(np.nan_to_num(fit.x, nan=0.0), np.nan_to_num(fit.y, nan=0.0))
    flags = _flags(fit, lit, rejected) | _fit_flags(fit, lit, covariance * information)
    blank = np.where(lit, 1.0, np.nan)
    return Fluxes(
        x=fit.x.copy(),
        y=fit.y.copy(),
        flux=fit.flux * area * blank,
        error=np.sqrt(np.maximum(covariance, 0.0)) * area * blank,
        fixed_error=np.sqrt(np.maximum(covariance if fixed is None else fixed, 0.0)) * area * blank,
        photon_slope=slope * area * blank,
        chi2=chi2 * blank,
        pixels=pixels,
        rejected=rejected,
        usable=usable,
        crowding_mag=crowding * blank,
        flags=flags,
        model_error=fit.model_error,
    )


def _flags(fit: ChipFit, lit: Booleans, rejected: Integers) -> Integers:
    """Return the flags that come from masks and edges."""
    flags = np.zeros(fit.x.size, np.int64)
    on = fit.frame.contains(fit.x, fit.y)
    flags[~on] |= Flag.OFF_FRAME
    flags[~lit] |= Flag.NO_PIXELS
    core = _any_within(fit, fit.frame.bad, _CORE_PIX)
    flags[(fit.usable < _PARTLY) | core] |= Flag.PARTLY_MASKED
    flags[_any_within(fit, fit.frame.saturated, _SATURATED_PIX)] |= Flag.SATURATED
    flags[rejected > 0] |= Flag.OUTLIERS
    return flags


def _fit_flags(fit: ChipFit, lit: Booleans, inflation: Floats) -> Integers:
    """Return the flags that come from residuals and covariances."""
    flags = np.zeros(fit.x.size, np.int64)
    flags[lit & (inflation > _BLENDED**2)] |= Flag.BLENDED
    square = np.where(fit.rejected, 0.0, fit.significance() ** 2)[fit.design.place]
    kept = fit.design.per_star((~fit.rejected)[fit.design.place].astype(np.float64))
    excess = fit.design.per_star(square) - kept
    flags[lit & (excess > _POOR_SIGMA * np.sqrt(2.0 * np.maximum(kept, 1.0)))] |= Flag.POOR_FIT
    return flags


def _any_within(fit: ChipFit, mask: Booleans, radius: float) -> Booleans:
    """Return which stars have a pixel of a mask within a radius of their central pixel."""
    ny, nx = fit.frame.shape
    # integer steps: a pixel and those whose centres are within the radius of its centre
    reach = int(radius)
    x = np.floor(fit.design.x + 0.5).astype(np.int64)
    y = np.floor(fit.design.y + 0.5).astype(np.int64)
    result = np.zeros(x.size, np.bool_)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy > radius * radius:
                continue
            inside = (x + dx >= 0) & (x + dx < nx) & (y + dy >= 0) & (y + dy < ny)
            result[inside] |= mask[y[inside] + dy, x[inside] + dx]
    return result
