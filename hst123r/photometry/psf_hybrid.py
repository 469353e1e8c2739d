"""A model of the PSF whose focus and charge diffusion are those of the frame's own stars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import StageError
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.frame import Frame
from hst123r.photometry.free import free
from hst123r.photometry.psf_image import bright_isolated, company, samples
from hst123r.photometry.sky import Background

Floats = NDArray[np.float64]
Model = Callable[[float, float], EffectivePSF]
"""The PSF for a defocus in nanometres rms and a blur in pixels."""

ROUNDS: Final = 6
_STEP_NM: Final = 4.0
_STEP_PIX: Final = 0.03
_LONGEST: Final = (15.0, 0.08)
"""Longest steps of a round: the PSF is not linear in either."""
_FURTHEST_NM: Final = 60.0
_ARRIVED: Final = (0.3, 0.003)
_RADIUS_PIX: Final = 5.0
_FEWEST_STARS: Final = 8
_MOST_STARS: Final = 200
_LATER_STEPS: Final = 5


@dataclass(frozen=True, eq=False)
class HybridPSF:
    """A fitted model and what it was made from.

    Parameters
    ----------
    psf : EffectivePSF
        The PSF, normalised to an infinite aperture as the model is.
    focus_nm, blur_pix : float
        Defocus, nanometres rms of the wavefront, and sigma of charge diffusion.
    focus_error_nm, blur_error_pix : float
        Their statistical errors.
    stars : int
        How many stars it was fitted to.
    error_before, error_after : float
        Relative error of the PSF, as
        :func:`~hst123r.photometry.outliers.measured_model_error` gives it.
    """

    psf: EffectivePSF
    focus_nm: float
    blur_pix: float
    focus_error_nm: float
    blur_error_pix: float
    stars: int
    error_before: float
    error_after: float


def hybrid_psf(
    frame: Frame,
    x: ArrayLike,
    y: ArrayLike,
    background: Background,
    model: Model,
    blur_pix: float,
) -> HybridPSF:
    """Fit defocus and charge diffusion to a frame's bright isolated stars.

    Gauss-Newton on the two, with places and fluxes of the stars fitted anew in every round. A
    change of light that all stars share is fitted with them: it is what a wrong PSF does to
    fluxes. What the telescope does to the PSF, unlike a correction of its core by samples,
    moves light between core and wings, so that the aperture correction follows.

    Parameters
    ----------
    frame : Frame
        The chip, whose PSF is the model to begin with, and which the change of the model is
        added to; it may be a measured one.
    x, y : array_like of float, shape (n,)
        Zero-based positions of all known stars.
    background : Background
        The sky.
    model : callable
        The computed PSF for a defocus in nm and a blur in pixels, on the grid of the frame's PSF.
    blur_pix : float
        The blur to begin with; the defocus begins at 0.

    Returns
    -------
    HybridPSF
        The PSF.

    Raises
    ------
    StageError
        If there are not enough bright isolated stars, or the focus runs away.
    """
    options = FitOptions(fit_radius_pix=_RADIUS_PIX)
    stars = free(frame, x, y, background, options)
    chosen = bright_isolated(stars, _RADIUS_PIX, _MOST_STARS)
    if chosen.size < _FEWEST_STARS:
        raise StageError(
            f"only {chosen.size} bright isolated stars are there to fit the focus to, "
            f"{_FEWEST_STARS} are needed",
            where=frame.label,
        )
    before = stars.fluxes.model_error
    part = company(stars, chosen, _RADIUS_PIX)
    numbers = np.flatnonzero(np.isin(part, chosen))
    place_x, place_y = stars.x[part], stars.y[part]
    start = model(0.0, blur_pix)
    # a defocus of zero is a stationary point where the telescope has none of its own
    state, error = np.array([_STEP_NM, blur_pix]), np.full(2, np.nan)
    current = frame
    for _ in range(ROUNDS):
        current = replace(frame, psf=_changed(frame.psf, start, model(*state)))
        stars = free(current, place_x, place_y, background, options, steps=_LATER_STEPS)
        place_x, place_y = stars.x, stars.y
        fit = ChipFit(current, background, options, place_x, place_y)
        fit.settle()
        step, error = _step(samples(fit, numbers), current.psf, model, state)
        state = state + np.clip(step, -np.array(_LONGEST), _LONGEST)
        state[1] = max(state[1], 0.05)
        if abs(state[0]) > _FURTHEST_NM:
            raise StageError(f"the focus ran away to {state[0]:.0f} nm", where=frame.label)
        if np.all(np.abs(step) < np.maximum(_ARRIVED, 0.3 * error)):
            break
    psf = _changed(frame.psf, start, model(*state))
    last = ChipFit(replace(frame, psf=psf), background, options, place_x, place_y)
    last.settle()
    return HybridPSF(
        psf, float(state[0]), float(state[1]), float(error[0]), float(error[1]), int(chosen.size),
        before, last.model_error,
    )  # fmt: skip


def _changed(psf: EffectivePSF, start: EffectivePSF, now: EffectivePSF) -> EffectivePSF:
    """Return a PSF with the change of the model from its start added."""
    return psf.plus(now.data - start.data)


def _step(
    sampled: tuple[Floats, Floats, Floats, Floats], psf: EffectivePSF, model: Model, state: Floats
) -> tuple[Floats, Floats]:
    """Return the Gauss-Newton step of focus and blur, and their errors."""
    dx, dy, value, weight = sampled
    focus, blur = float(state[0]), float(state[1])
    here = model(focus, blur).at(dx, dy)
    slopes = (
        (model(focus + _STEP_NM, blur).at(dx, dy) - here) / _STEP_NM,
        (model(focus, blur + _STEP_PIX).at(dx, dy) - here) / _STEP_PIX,
        psf.at(dx, dy),
    )
    basis = np.stack(slopes)
    normal = (basis * weight) @ basis.T
    normal[[0, 1, 2], [0, 1, 2]] *= 1 + 1e-9
    inverse = np.linalg.inv(normal)
    amount = inverse @ ((basis * weight) @ value)
    return amount[:2], np.sqrt(np.diagonal(inverse)[:2])
