"""Places and fluxes of stars, all of a chip at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.forced import DEFAULTS, Fluxes, fluxes_of, positions
from hst123r.photometry.frame import Frame
from hst123r.photometry.shape import sharpness
from hst123r.photometry.sky import Background

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

STEPS: Final = 14
"""Most Gauss-Newton steps."""
_LONGEST_STEP_PIX: Final = 0.4
_ARRIVED_PIX: Final = 0.002
_ARRIVED_ERRORS: Final = 0.02
_MOST: Final = 0.7
_MISPLACED: Final = 0.5


@dataclass(frozen=True, eq=False)
class Stars:
    """Places, fluxes and shapes of stars in one frame, one element per star.

    Parameters
    ----------
    fluxes : Fluxes
        Positions and fluxes.
    covariance : (n, 2, 2) ndarray of float64
        Covariance of (x, y) in pix².
    sharpness, sharpness_error : (n,) ndarray of float64
        As :func:`~hst123r.photometry.shape.sharpness` gives them.
    """

    fluxes: Fluxes
    covariance: Floats
    sharpness: Floats
    sharpness_error: Floats

    @property
    def x(self) -> Floats:
        """Zero-based columns."""
        return self.fluxes.x

    @property
    def y(self) -> Floats:
        """Zero-based rows."""
        return self.fluxes.y

    @property
    def x_error(self) -> Floats:
        """Standard errors of the columns in pixels."""
        return np.sqrt(self.covariance[:, 0, 0])

    @property
    def y_error(self) -> Floats:
        """Standard errors of the rows in pixels."""
        return np.sqrt(self.covariance[:, 1, 1])

    def looks_like_star(
        self, snr: float = 5.0, sigma: float = 4.0, tolerance_pix2: float = 0.05
    ) -> Booleans:
        """Return which sources are as a star would be, in a single frame.

        On a frame with many cosmic rays this leaves about one in ten of them; the rest go when
        exposures are compared.

        Parameters
        ----------
        snr : float
            Lowest S/N.
        sigma : float
            How many errors the sharpness may be from 0.
        tolerance_pix2 : float
            How far it may be from 0 anyway, in pix²: what PSFs are wrong by.

        Returns
        -------
        (n,) ndarray of bool
            True for sources with the width of a star, a tolerable fit, and most of their pixels
            in use.
        """
        fluxes = self.fluxes
        with np.errstate(invalid="ignore"):
            allowed = np.hypot(sigma * self.sharpness_error, tolerance_pix2)
            good = np.abs(self.sharpness) <= allowed
            good &= fluxes.flux >= snr * fluxes.error
        good &= fluxes.usable >= _MOST
        spoiled = Flag.POOR_FIT | Flag.MOVED | Flag.NO_PIXELS | Flag.OFF_FRAME
        return np.asarray(good & ((fluxes.flags & spoiled) == 0))


def free(
    frame: Frame,
    x: ArrayLike,
    y: ArrayLike,
    background: Background,
    options: FitOptions = DEFAULTS,
    *,
    prior_pix: float = 1.0,
    longest_pix: float = 1.5,
    steps: int = STEPS,
) -> Stars:
    """Fit places and fluxes of all stars of a chip at once.

    Gauss-Newton on all fluxes and positions together, neighbours included, with the weights
    and the rejection of :func:`~hst123r.photometry.forced.forced`. Where a place is searched
    for in the same noise, the flux of a star at the limit comes out too bright; fluxes at
    given places do not.

    Parameters
    ----------
    frame : Frame
        The chip.
    x, y : array_like of float, shape (n,)
        Zero-based pixel positions to begin with.
    background : Background
        The sky.
    options : FitOptions
        Fit radius and rejection.
    prior_pix : float
        Standard error of the positions to begin with, along each axis, which keeps sources
        without light in their place.
    longest_pix : float
        A star that goes further than this is put back and flagged ``MOVED``.
    steps : int
        Most Gauss-Newton steps; isolated stars need six.

    Returns
    -------
    Stars
        In the order of the input.

    Raises
    ------
    InputError
        If x and y differ in length, or the sky is of another frame.
    """
    start_x, start_y = positions(frame, x, y, background)
    fit = ChipFit(frame, background, options, start_x, start_y)
    # a bright star that is not in its place yet must not be taken for cosmic rays
    fit.misplaced = _MISPLACED
    fit.settle()
    moved, arrived = _walk(fit, (start_x, start_y), prior_pix, longest_pix, steps)
    fit.place(fit.x, fit.y, derivatives=True)
    fit.spread_wings(anew=True)
    fit.settle()
    stars = fit.design.stars
    covariance = fit.covariances(np.full((stars, 2), prior_pix**-2.0))
    fluxes = fluxes_of(fit, covariance[:, 0, 0])
    flags = fluxes.flags.copy()
    flags[moved] |= Flag.MOVED
    flags[~arrived & ~moved] |= Flag.NOT_CONVERGED
    shape, shape_error = sharpness(fit)
    places = covariance[:, 1:, 1:].copy()
    places[(flags & Flag.NO_PIXELS) > 0] = np.nan
    return Stars(replace(fluxes, flags=flags), places, shape, shape_error)


def _walk(
    fit: ChipFit, start: tuple[Floats, Floats], prior_pix: float, longest_pix: float, steps: int
) -> tuple[Booleans, Booleans]:
    """Move the stars of a fit to where they fit best; return who ran away and who arrived."""
    start_x, start_y = start
    precision = np.full((start_x.size, 2), prior_pix**-2.0)
    moved = np.zeros(start_x.size, np.bool_)
    arrived = np.ones(start_x.size, np.bool_)
    for _ in range(steps):
        fit.place(fit.x, fit.y, derivatives=True)
        if fit.design.pixels.size == 0:
            break
        offset = np.stack([fit.x - start_x, fit.y - start_y], axis=1)
        step, alone = fit.newton(precision, np.nan_to_num(offset))
        length = np.hypot(step[:, 1], step[:, 2])
        shrink = np.minimum(1.0, _LONGEST_STEP_PIX / np.maximum(length, 1e-9))
        shrink[moved] = 0.0
        fit.flux = fit.flux + step[:, 0]
        x, y = fit.x + shrink * step[:, 1], fit.y + shrink * step[:, 2]
        moved |= np.hypot(x - start_x, y - start_y) > longest_pix
        fit.x, fit.y = np.where(moved, start_x, x), np.where(moved, start_y, y)
        error = np.hypot(alone[:, 1], alone[:, 2])
        arrived = moved | ~(length > np.maximum(_ARRIVED_PIX, _ARRIVED_ERRORS * error))
        if arrived.all() and fit.misplaced == 0:
            break
        # half of it at each step, until the PSF itself is worse
        fit.misplaced = fit.misplaced / 2 if fit.misplaced > fit.model_error else 0.0
        fit.reject()
    fit.misplaced = 0.0
    return moved, arrived
