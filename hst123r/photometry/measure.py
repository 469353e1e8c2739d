"""Sky and stars of a frame together: each is found on what is left when the other is taken off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.forced import DEFAULTS, Fluxes, fluxes_of, positions
from hst123r.photometry.frame import Frame
from hst123r.photometry.paint import paint
from hst123r.photometry.sky import Background, estimate_sky
from hst123r.photometry.solve import star_covariances

BOX_PIX: Final = 64
_LIT_SIGMA: Final = 1.0
_FIRST_RADIUS_PIX: Final = 3.0


@dataclass(frozen=True, eq=False)
class Measured:
    """Sky and fluxes of a frame.

    Parameters
    ----------
    fluxes : Fluxes
        The stars.
    background : Background
        The sky.
    """

    fluxes: Fluxes
    background: Background


def measure(
    frame: Frame,
    x: ArrayLike,
    y: ArrayLike,
    options: FitOptions = DEFAULTS,
    *,
    box_pix: int = BOX_PIX,
    passes: int = 2,
) -> Measured:
    """Find the sky of a frame and the fluxes of stars at given places.

    The sky is estimated first with discs around the stars left out, and then, as often as
    asked, on the frame less the stars, leaving out the pixels where they are brighter than the
    noise.

    Parameters
    ----------
    frame : Frame
        The chip.
    x, y : array_like of float, shape (n,)
        Zero-based positions of all known stars.
    options : FitOptions
        Fit radius and rejection.
    box_pix : int
        Side of the boxes of the sky.
    passes : int
        How often the sky is found anew.

    Returns
    -------
    Measured
        Fluxes as :func:`~hst123r.photometry.forced.forced` gives them, and the sky.

    Raises
    ------
    InputError
        If no pixel is left for the sky, or positions are not of one length.
    """
    background = first_sky(frame, x, y, box_pix)
    star_x, star_y = positions(frame, x, y, background)
    fit = ChipFit(frame, background, options, star_x, star_y)
    fit.settle()
    for _ in range(passes):
        fit.take_off(sky_without_stars(frame, fit.image(), fit.background, box_pix))
        fit.settle()
    covariance = star_covariances(fit.normal(), 1)[:, 0, 0]
    return Measured(fluxes_of(fit, covariance), fit.background)


def first_sky(frame: Frame, x: ArrayLike, y: ArrayLike, box_pix: int = BOX_PIX) -> Background:
    """Estimate the sky of a frame whose stars are known by their places alone.

    Parameters
    ----------
    frame : Frame
        The chip.
    x, y : array_like of float, shape (n,)
        Zero-based positions, around which discs of 3 pixels are left out.
    box_pix : int
        Side of the boxes.

    Returns
    -------
    Background
        The sky, a little too high: wings are in it.
    """
    ny, nx = frame.shape
    discs = np.zeros(frame.shape, np.bool_)
    star_x, star_y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    known = np.isfinite(star_x) & np.isfinite(star_y)
    column = np.floor(star_x[known] + 0.5).astype(np.int64)
    row = np.floor(star_y[known] + 0.5).astype(np.int64)
    reach = int(_FIRST_RADIUS_PIX)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if np.hypot(dx, dy) <= _FIRST_RADIUS_PIX:
                inside = (column + dx >= 0) & (column + dx < nx)
                inside &= (row + dy >= 0) & (row + dy < ny)
                discs[row[inside] + dy, column[inside] + dx] = True
    mask = frame.bad | discs
    if mask.mean() > 0.9:
        # crowded beyond hope: clipping must do
        mask = frame.bad
    return estimate_sky(frame.data, mask, box_pix)


def model_image(frame: Frame, fluxes: Fluxes, noise: float = 0.0) -> NDArray[np.float32]:
    """Return the light of fitted stars in the frame, without sky.

    Parameters
    ----------
    frame : Frame
        The chip.
    fluxes : Fluxes
        Its stars.
    noise : float
        Noise of an empty pixel; wings far below it are left out.

    Returns
    -------
    (ny, nx) ndarray of float32
        Electrons per pixel.
    """
    known = np.isfinite(fluxes.flux)
    x, y = fluxes.x[known], fluxes.y[known]
    light = fluxes.flux[known] / frame.area_at(x, y)
    return paint(frame.shape, frame.psf, x, y, light, noise)


def sky_without_stars(
    frame: Frame, stars: NDArray[np.float32], background: Background, box_pix: int = BOX_PIX
) -> Background:
    """Estimate the sky of a frame whose stars have been measured.

    Parameters
    ----------
    frame : Frame
        The chip.
    stars : (ny, nx) ndarray of float32
        Light of its stars, as :func:`model_image` gives it.
    background : Background
        The sky so far, for its noise.
    box_pix : int
        Side of the boxes.

    Returns
    -------
    Background
        The sky.
    """
    noise = background.rms if np.isfinite(background.rms) else frame.read_noise_e
    mask = frame.bad | (stars > _LIT_SIGMA * noise)
    if mask.mean() > 0.9:
        mask = frame.bad
    return estimate_sky(frame.data - stars, mask, box_pix)
