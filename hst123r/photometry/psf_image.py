"""An effective PSF measured on a frame's own stars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from hst123r.errors import StageError
from hst123r.optics.perturbed import PerturbedPSF
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.frame import Frame
from hst123r.photometry.free import Stars, free
from hst123r.photometry.over_frame import Polynomial, order_for
from hst123r.photometry.sky import Background

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

ROUNDS: Final = 3
_LATER_STEPS: Final = 6
"""Stars are nearly in place after the first round."""
_BRIGHT_SNR: Final = 40.0
_NEIGHBOUR: Final = 0.02
"""A star is isolated if all others within reach together have less of its light than this."""
_KERNEL_PIX: Final = 0.18
"""Samples are smoothed by a Gaussian of this sigma: what a PSF changes over is wider."""
_FINER: Final = 4
"""Places between nodes that samples are counted to."""
_EXPECTED: Final = 0.05
"""How wrong the model is expected to be, relative to itself and to its surroundings."""
_OVER_FRAME: Final = 0.02
"""How much of itself the PSF is expected to change from the middle to the edge of a frame."""
_ENOUGH: Final = 10.0
"""As well as by so many stars a sample is known at every place; see `order_for`."""
_SPOILING: Final = int(
    Flag.OFF_FRAME | Flag.NO_PIXELS | Flag.PARTLY_MASKED | Flag.SATURATED | Flag.BLENDED
    | Flag.MOVED
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class ImagePSF:
    """A measured PSF and what it was made from.

    Parameters
    ----------
    psf : EffectivePSF
        The PSF, normalised like the model it started from.
    stars : (k,) ndarray of int64
        Which of the given stars it was made from.
    error_before, error_after : float
        Relative error of the model and of the result, as
        :func:`~hst123r.photometry.outliers.measured_model_error` gives it.
    order : int
        Order of the polynomial by which the correction follows the place on the frame.
    """

    psf: EffectivePSF
    stars: Integers
    error_before: float
    error_after: float
    order: int


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What pixels around stars say of the PSF.

    Parameters
    ----------
    dx, dy : (m,) ndarray of float64
        Offsets of the pixels from their star, native pixels.
    value : (m,) ndarray of float64
        Data less PSF, sky and neighbours, over the flux of the star.
    weight : (m,) ndarray of float64
        Its inverse variance.
    x, y : (m,) ndarray of float64
        Zero-based place of the star.
    """

    dx: Floats
    dy: Floats
    value: Floats
    weight: Floats
    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True)
class ByPlace:
    """Amounts of all terms of a polynomial but the constant one."""

    polynomial: Polynomial

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """Return the amounts at some places, shape (n, terms - 1)."""
        return self.polynomial.terms(x, y)[:, 1:]


def image_psf(
    frame: Frame,
    x: ArrayLike,
    y: ArrayLike,
    background: Background,
    *,
    radius_pix: float = 6.0,
    minimum_stars: int = 15,
    most_stars: int = 400,
) -> ImagePSF:
    """Correct the PSF of a frame by the frame's own bright isolated stars.

    As Anderson & King (2000, PASP 112, 1360) do: every pixel of a star is one sample of the
    effective PSF at its offset from the star, ``(data - sky - neighbours) / flux``. The mean
    difference between samples and PSF, smoothed, corrects the PSF; then places and fluxes are
    fitted again. Shifts and changes of total light are taken out of the correction, which a
    PSF and its stars' places and fluxes could share otherwise. The correction fades out
    towards `radius_pix`; beyond, and in the light within that radius (the aperture
    correction), the result is the frame's PSF as it was.

    Where the stars suffice (:func:`~hst123r.photometry.over_frame.order_for`) the correction is
    a polynomial in the place on the frame, node by node.

    Parameters
    ----------
    frame : Frame
        The chip, whose PSF is the model to begin with.
    x, y : array_like of float, shape (n,)
        Zero-based positions of all known stars.
    background : Background
        The sky.
    radius_pix : float
        How far from the star the PSF is corrected.
    minimum_stars : int
        Fewest stars that will do.
    most_stars : int
        Most stars used, the brightest first.

    Returns
    -------
    ImagePSF
        The PSF.

    Raises
    ------
    StageError
        If there are not enough bright, isolated, unsaturated stars.
    """
    options = FitOptions(fit_radius_pix=min(radius_pix, 5.0))
    stars = free(frame, x, y, background, options)
    chosen = bright_isolated(stars, radius_pix, most_stars)
    if chosen.size < minimum_stars:
        raise StageError(
            f"only {chosen.size} bright isolated stars are there to measure a PSF on, "
            f"{minimum_stars} are needed",
            where=frame.label,
            hint="Use a computed or a library PSF",
        )
    error_before = stars.fluxes.model_error
    part = company(stars, chosen, radius_pix)
    numbers = np.flatnonzero(np.isin(part, chosen))
    place_x, place_y = stars.x[part], stars.y[part]
    order = order_for(frame.shape, stars.x[chosen], stars.y[chosen], _ENOUGH)
    correction = _Correction.none(frame, order, radius_pix)
    for turn in range(ROUNDS):
        if turn:
            current = replace(frame, psf=correction.psf)
            stars = free(current, place_x, place_y, background, options, steps=_LATER_STEPS)
            place_x, place_y = stars.x, stars.y
        fit = ChipFit(
            replace(frame, psf=correction.psf), background,
            replace(options, fit_radius_pix=radius_pix), place_x, place_y,
        )  # fmt: skip
        fit.settle()
        correction = correction.improved(samples(fit, numbers))
    current = replace(frame, psf=correction.psf)
    last = ChipFit(current, background, options, place_x, place_y)
    last.settle()
    return ImagePSF(current.psf, chosen, error_before, last.model_error, order)


def bright_isolated(stars: Stars, radius_pix: float, most: int) -> Integers:
    """Return the bright isolated stars, the brightest first."""
    fluxes = stars.fluxes
    good = (fluxes.flags & _SPOILING) == 0
    good &= fluxes.flux > _BRIGHT_SNR * fluxes.error
    known = np.flatnonzero(np.isfinite(fluxes.flux) & np.isfinite(fluxes.x + fluxes.y))
    if known.size == 0:
        return known
    tree = cKDTree(np.column_stack([fluxes.x[known], fluxes.y[known]]))
    pairs = tree.query_pairs(2 * radius_pix, output_type="ndarray")
    light = np.zeros(fluxes.flux.size)
    size = np.abs(fluxes.flux)
    first, second = known[pairs[:, 0]], known[pairs[:, 1]]
    np.add.at(light, first, size[second])
    np.add.at(light, second, size[first])
    good &= light < _NEIGHBOUR * np.maximum(fluxes.flux, 0.0)
    rows = np.flatnonzero(good)
    return rows[np.argsort(-fluxes.flux[rows], kind="stable")][:most]


def company(stars: Stars, chosen: Integers, radius_pix: float) -> Integers:
    """Return the chosen stars and all whose light matters to them."""
    light = stars.fluxes.flux
    known = np.isfinite(light) & np.isfinite(stars.x + stars.y)
    tree = cKDTree(np.column_stack([stars.x[chosen], stars.y[chosen]]))
    rows = np.flatnonzero(known)
    away, _ = tree.query(np.column_stack([stars.x[rows], stars.y[rows]]))
    near = away < 4 * radius_pix
    # wings reach far: a star counts that is as bright as the faintest chosen one
    return np.asarray(rows[near | (light[rows] >= light[chosen].min())])


def samples(fit: ChipFit, chosen: Integers) -> Samples:
    """Return what all good pixels around the chosen stars say."""
    design = fit.design
    mine = np.isin(design.star, chosen) & ~fit.rejected[design.place]
    star, place = design.star[mine], design.place[mine]
    flux = fit.flux[star]
    return Samples(
        design.column[place] - design.x[star],
        design.row[place] - design.y[star],
        fit.residual()[place] / flux,
        flux**2 / fit.variance()[place],
        design.x[star],
        design.y[star],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Correction:
    """The PSF of a frame so far: what it came with, and a polynomial of changes of its core.

    Parameters
    ----------
    base : EffectivePSF
        What the frame came with, the change that all places share added.
    changes : (k - 1, m, m) ndarray of float64
        Changes of the other terms, on the middle nodes.
    polynomial : Polynomial
        The terms.
    radius_pix : float
        How far from the star the PSF is corrected.
    """

    base: EffectivePSF
    changes: Floats
    polynomial: Polynomial
    radius_pix: float

    @classmethod
    def none(cls, frame: Frame, order: int, radius_pix: float) -> _Correction:
        """Return the PSF of a frame without a correction."""
        polynomial = Polynomial(frame.shape, order)
        size = _nodes(frame.psf, radius_pix).size
        terms = polynomial.everywhere().shape[1]
        return cls(frame.psf, np.zeros((terms - 1, size, size)), polynomial, radius_pix)

    @property
    def psf(self) -> EffectivePSF:
        """The PSF."""
        if not len(self.changes):
            return self.base
        amounts = ByPlace(self.polynomial)
        return PerturbedPSF.of(self.base, list(self.changes), amounts, self.polynomial.shape)

    def improved(self, found: Samples) -> _Correction:
        """Return the PSF after adding the smoothed mean of its residuals, term by term."""
        psf = self.psf
        nodes = _nodes(psf, self.radius_pix)
        offsets = (nodes - psf.middle) / psf.oversampling
        core = psf.data[np.ix_(nodes, nodes)]
        top, bottom = _gridded(offsets, found, self.polynomial.terms(found.x, found.y))
        # where samples say little the model stays
        expected = np.full(top.shape[-1], _OVER_FRAME)
        expected[0] = _EXPECTED
        expected = expected * (core + 0.02 * psf.central_fraction)[..., None]
        matrix = bottom + np.eye(top.shape[-1]) * expected[..., None, :] ** -2.0
        change = np.moveaxis(np.linalg.solve(matrix, top[..., None])[..., 0], -1, 0)
        radius = np.hypot(offsets[:, None], offsets[None, :])
        fade = np.clip(2.0 * (1.0 - radius / self.radius_pix), 0.0, 1.0)
        common, *others = (_without_motion(term * fade, psf, nodes) for term in change)
        whole = np.zeros_like(psf.data)
        whole[np.ix_(nodes, nodes)] = common
        changes = self.changes + np.array(others).reshape(self.changes.shape)
        return replace(self, base=self.base.plus(whole), changes=changes)


def _nodes(psf: EffectivePSF, radius_pix: float) -> Integers:
    """Return the nodes within a radius along an axis."""
    index = np.arange(psf.data.shape[0])
    return np.flatnonzero(np.abs(index - psf.middle) <= radius_pix * psf.oversampling)


def _gridded(offsets: Floats, found: Samples, terms: Floats) -> tuple[Floats, Floats]:
    """Return normal equations of the terms at each node, of the samples around it.

    Returns
    -------
    top : (m, m, k) ndarray of float64
        Smoothed sums of weight, value and term.
    bottom : (m, m, k, k) ndarray of float64
        Of weight and two terms.
    """
    # samples are counted to the nearest place of a finer grid, a small part of the kernel away
    step = (offsets[1] - offsets[0]) / _FINER
    places = np.arange(_FINER * (offsets.size - 1) + 1) * step + offsets[0]
    row, column = (np.rint((d - offsets[0]) / step).astype(np.int64) for d in (found.dy, found.dx))
    on = (row >= 0) & (row < places.size) & (column >= 0) & (column < places.size)
    where = row[on] * places.size + column[on]
    kernel = np.exp(-0.5 * ((offsets[:, None] - places) / _KERNEL_PIX) ** 2)

    def smoothed(values: Floats) -> Floats:
        total = np.bincount(where, values[on], places.size**2).reshape(places.size, -1)
        return np.asarray(kernel @ total @ kernel.T)

    size, number = offsets.size, terms.shape[1]
    top, bottom = np.empty((size, size, number)), np.empty((size, size, number, number))
    for one in range(number):
        weighted = found.weight * terms[:, one]
        top[..., one] = smoothed(weighted * found.value)
        for other in range(one, number):
            total = smoothed(weighted * terms[:, other])
            bottom[..., one, other] = bottom[..., other, one] = total
    return top, bottom


def _without_motion(change: Floats, psf: EffectivePSF, nodes: Integers) -> Floats:
    """Take out of a correction what a shift of the star or a change of its flux would do."""
    part = np.ix_(nodes, nodes)
    core = psf.data[part]
    slopes = [np.asarray(np.gradient(psf.data, axis=axis))[part] for axis in (0, 1)]
    basis = np.stack([slope.ravel() for slope in slopes], axis=1)
    amount, *_ = np.linalg.lstsq(basis, change.ravel(), rcond=None)
    result = change.ravel() - basis @ amount
    # the light within the radius stays what the model says, so that fluxes stay comparable
    result = result - core.ravel() * (result.sum() / core.sum())
    return np.asarray(result.reshape(change.shape))
