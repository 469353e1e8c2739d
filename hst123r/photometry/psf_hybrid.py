"""A model of the PSF whose focus and charge diffusion are those of the frame's own stars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import StageError
from hst123r.optics.perturbed import PerturbedPSF
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.frame import Frame
from hst123r.photometry.free import free
from hst123r.photometry.over_frame import Polynomial, order_for
from hst123r.photometry.psf_image import Samples, bright_isolated, company, samples
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
_FURTHER_ROUNDS: Final = 4
_WIDE: Final = (8.0, 0.06)
"""Steps in nm and pixels of the second derivatives: as far as states differ over a chip."""
_ENOUGH: Final = 4.0
"""As well as by so many stars both are known at every place; see `order_for`."""
_OVER_CHIP: Final = (10.0, 0.05)
"""How far they are expected to differ; it keeps a term that the stars say nothing about small."""


@dataclass(frozen=True, eq=False)
class HybridPSF:
    """A fitted model and what it was made from.

    Parameters
    ----------
    psf : EffectivePSF
        The PSF, normalised to an infinite aperture as the model is.
    focus_nm, blur_pix : float
        Defocus, nanometres rms of the wavefront, and sigma of charge diffusion; where they follow
        the place, their means over the frame.
    focus_error_nm, blur_error_pix : float
        Their statistical errors.
    stars : int
        How many stars it was fitted to.
    error_before, error_after : float
        Relative error of the PSF, as
        :func:`~hst123r.photometry.outliers.measured_model_error` gives it.
    order : int
        Order of the polynomials by which both follow the place on the frame.
    focus_over_frame_nm : float
        Largest less smallest defocus on the frame.
    """

    psf: EffectivePSF
    focus_nm: float
    blur_pix: float
    focus_error_nm: float
    blur_error_pix: float
    stars: int
    error_before: float
    error_after: float
    order: int = 0
    focus_over_frame_nm: float = 0.0


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

    Where the stars suffice (:func:`~hst123r.photometry.over_frame.order_for`) both are then
    polynomials in the place on the frame.

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
    part = company(stars, chosen, _RADIUS_PIX)
    own = _Stars(
        frame, background, options, np.flatnonzero(np.isin(part, chosen)), stars.x[part],
        stars.y[part],
    )  # fmt: skip
    start = model(0.0, blur_pix)
    state, error = _everywhere_alike(own, start, model, blur_pix)
    psf = _changed(frame.psf, start, model(*state))
    order = order_for(frame.shape, stars.x[chosen], stars.y[chosen], _ENOUGH)
    differs = 0.0
    if order:
        following = _follow(own, psf, _Expansion.around(model, state), order)
        psf, states = following.psf, following.over_frame()
        state, differs = state + states.mean(axis=0), float(np.ptp(states[:, 0]))
    return HybridPSF(
        psf, float(state[0]), float(state[1]), float(error[0]), float(error[1]), int(chosen.size),
        stars.fluxes.model_error, own.fit(psf).model_error, order, differs,
    )  # fmt: skip


@dataclass(eq=False)
class _Stars:
    """The stars that a PSF is fitted to, whose places move as it becomes better.

    Parameters
    ----------
    frame : Frame
        The chip.
    background : Background
        The sky.
    options : FitOptions
        How stars are fitted.
    chosen : (k,) ndarray of int64
        Which of the stars tell the PSF.
    x, y : (n,) ndarray of float64
        Zero-based places.
    """

    frame: Frame
    background: Background
    options: FitOptions
    chosen: NDArray[np.int64]
    x: Floats
    y: Floats

    def sampled(self, psf: EffectivePSF) -> Samples:
        """Return what the stars say of a PSF, after their places were fitted with it."""
        stars = free(
            replace(self.frame, psf=psf), self.x, self.y, self.background, self.options,
            steps=_LATER_STEPS,
        )  # fmt: skip
        self.x, self.y = stars.x, stars.y
        return samples(self.fit(psf), self.chosen)

    def fit(self, psf: EffectivePSF) -> ChipFit:
        """Return a settled fit of the fluxes."""
        fit = ChipFit(replace(self.frame, psf=psf), self.background, self.options, self.x, self.y)
        fit.settle()
        return fit


def _everywhere_alike(
    own: _Stars, start: EffectivePSF, model: Model, blur_pix: float
) -> tuple[Floats, Floats]:
    """Return focus and blur that fit all stars of the frame best, and their errors."""
    # a defocus of zero is a stationary point where the telescope has none of its own
    state, error = np.array([_STEP_NM, blur_pix]), np.full(2, np.nan)
    for _ in range(ROUNDS):
        psf = _changed(own.frame.psf, start, model(*state))
        step, error = _step(own.sampled(psf), psf, model, state)
        state = state + np.clip(step, -np.array(_LONGEST), _LONGEST)
        state[1] = max(state[1], 0.05)
        if abs(state[0]) > _FURTHEST_NM:
            raise StageError(f"the focus ran away to {state[0]:.0f} nm", where=own.frame.label)
        if np.all(np.abs(step) < np.maximum(_ARRIVED, 0.3 * error)):
            break
    return state, error


def _changed(psf: EffectivePSF, start: EffectivePSF, now: EffectivePSF) -> EffectivePSF:
    """Return a PSF with the change of the model from its start added."""
    return psf.plus(now.data - start.data)


def _step(found: Samples, psf: EffectivePSF, model: Model, state: Floats) -> tuple[Floats, Floats]:
    """Return the Gauss-Newton step of focus and blur, and their errors."""
    focus, blur = float(state[0]), float(state[1])
    here = model(focus, blur).at(found.dx, found.dy)
    slopes = (
        (model(focus + _STEP_NM, blur).at(found.dx, found.dy) - here) / _STEP_NM,
        (model(focus, blur + _STEP_PIX).at(found.dx, found.dy) - here) / _STEP_PIX,
        psf.at(found.dx, found.dy),
    )
    basis = np.stack(slopes)
    normal = (basis * found.weight) @ basis.T
    normal[[0, 1, 2], [0, 1, 2]] *= 1 + 1e-9
    inverse = np.linalg.inv(normal)
    amount = inverse @ ((basis * found.weight) @ found.value)
    return amount[:2], np.sqrt(np.diagonal(inverse)[:2])


@dataclass(frozen=True, slots=True, eq=False)
class _Expansion:
    """The model to second order around a focus and blur.

    Parameters
    ----------
    slopes : (2, n, n) ndarray of float64
        First derivatives by focus and blur.
    bends : (3, n, n) ndarray of float64
        Second ones: by focus, by both, by blur.
    oversampling : int
        Nodes per native pixel.
    """

    slopes: Floats
    bends: Floats
    oversampling: int

    @classmethod
    def around(cls, model: Model, state: Floats) -> _Expansion:
        """Return the expansion by differences of the model."""
        focus, blur = float(state[0]), float(state[1])
        # a blur has no other side of zero
        far, wide = _WIDE[0], min(_WIDE[1], 0.5 * blur)
        here = model(focus, blur)
        out, back = model(focus + far, blur).data, model(focus - far, blur).data
        more, less = model(focus, blur + wide).data, model(focus, blur - wide).data
        both = model(focus + far, blur + wide).data
        slopes = [(out - back) / (2 * far), (more - less) / (2 * wide)]
        bends = [
            (out + back - 2 * here.data) / far**2,
            (both - out - more + here.data) / (far * wide),
            (more + less - 2 * here.data) / wide**2,
        ]
        return cls(np.array(slopes), np.array(bends), here.oversampling)

    def at(self, found: Samples) -> tuple[Floats, Floats]:
        """Return slopes and bends at the offsets of samples, shapes (2, m) and (3, m)."""
        parts = [
            np.stack([EffectivePSF(a, self.oversampling).at(found.dx, found.dy) for a in arrays])
            for arrays in (self.slopes, self.bends)
        ]
        return parts[0], parts[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Following:
    """Focus and blur that follow the place: polynomials of what they differ by.

    Parameters
    ----------
    base : EffectivePSF
        The PSF where they do not differ.
    expansion : _Expansion
        The model around it.
    polynomial : Polynomial
        The terms.
    factors : (2, k) ndarray of float64
        Of the terms, for focus in nm and blur in pixels.
    """

    base: EffectivePSF
    expansion: _Expansion
    polynomial: Polynomial
    factors: Floats

    def differ(self, x: Floats, y: Floats) -> Floats:
        """Return what focus and blur differ by, shape (n, 2)."""
        return np.asarray(self.polynomial.terms(x, y) @ self.factors.T)

    def over_frame(self) -> Floats:
        """Return the same at 25 places of the frame."""
        return np.asarray(self.polynomial.everywhere() @ self.factors.T)

    def amounts(self, x: Floats, y: Floats) -> Floats:
        """Return the amounts of slopes and bends, shape (n, 5)."""
        focus, blur = self.differ(x, y).T
        return np.stack([focus, blur, focus**2 / 2, focus * blur, blur**2 / 2], axis=1)

    @property
    def psf(self) -> EffectivePSF:
        """The PSF."""
        changes = [*self.expansion.slopes, *self.expansion.bends]
        return PerturbedPSF.of(self.base, changes, self.amounts, self.polynomial.shape)


def _follow(own: _Stars, psf: EffectivePSF, expansion: _Expansion, order: int) -> _Following:
    """Fit how focus and blur follow the place, with a change of light that follows it too."""
    polynomial = Polynomial(own.frame.shape, order)
    number = polynomial.everywhere().shape[1]
    now = _Following(psf, expansion, polynomial, np.zeros((2, number)))
    prior = np.repeat(np.array(_OVER_CHIP) ** -2.0, number)
    for _ in range(_FURTHER_ROUNDS):
        current = now.psf
        found = own.sampled(current)
        terms = polynomial.terms(found.x, found.y).T
        focus, blur = now.differ(found.x, found.y).T
        (by_focus, by_blur), (bend_focus, bend_both, bend_blur) = expansion.at(found)
        slopes = (
            by_focus + bend_focus * focus + bend_both * blur,
            by_blur + bend_both * focus + bend_blur * blur,
            current.at(found.dx, found.dy),
        )
        basis = np.concatenate([slope * terms for slope in slopes])
        normal = (basis * found.weight) @ basis.T
        # what is expected is 0, not what there is now
        known = np.concatenate([prior, np.zeros(number)])
        normal += np.diag(known + 1e-9 * np.diagonal(normal))
        right = (basis * found.weight) @ found.value
        right[: 2 * number] -= prior * now.factors.ravel()
        step = np.linalg.solve(normal, right)[: 2 * number].reshape(2, number)
        longest = np.array(_LONGEST)[:, None]
        now = replace(now, factors=now.factors + np.clip(step, -longest, longest))
        if np.all(np.abs(step) < np.array(_ARRIVED)[:, None]):
            break
    return now
