"""An effective PSF measured on a frame's own stars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from hst123r.errors import StageError
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.chipfit import ChipFit, FitOptions
from hst123r.photometry.flags import Flag
from hst123r.photometry.frame import Frame
from hst123r.photometry.free import Stars, free
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
_EXPECTED: Final = 0.05
"""How wrong the model is expected to be, relative to itself and to its surroundings."""
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
    """

    psf: EffectivePSF
    stars: Integers
    error_before: float
    error_after: float


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
    current = frame
    for turn in range(ROUNDS):
        if turn:
            stars = free(current, place_x, place_y, background, options, steps=_LATER_STEPS)
            place_x, place_y = stars.x, stars.y
        fit = ChipFit(
            current, background, replace(options, fit_radius_pix=radius_pix), place_x, place_y
        )
        fit.settle()
        psf = _corrected(current.psf, *samples(fit, numbers), radius_pix)
        current = replace(current, psf=psf)
    last = ChipFit(current, background, options, place_x, place_y)
    last.settle()
    return ImagePSF(current.psf, chosen, error_before, last.model_error)


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


def samples(fit: ChipFit, chosen: Integers) -> tuple[Floats, Floats, Floats, Floats]:
    """Return offsets, PSF residuals and weights of all good pixels around the chosen stars."""
    design = fit.design
    mine = np.isin(design.star, chosen) & ~fit.rejected[design.place]
    star, place = design.star[mine], design.place[mine]
    flux = fit.flux[star]
    return (
        design.column[place] - design.x[star],
        design.row[place] - design.y[star],
        fit.residual()[place] / flux,
        flux**2 / fit.variance()[place],
    )


def _corrected(
    psf: EffectivePSF, dx: Floats, dy: Floats, value: Floats, weight: Floats, radius_pix: float
) -> EffectivePSF:
    """Return a PSF after adding the smoothed mean of its residuals."""
    nodes = np.flatnonzero(
        np.abs(np.arange(psf.data.shape[0]) - psf.middle) <= radius_pix * psf.oversampling
    )
    offsets = (nodes - psf.middle) / psf.oversampling
    core = psf.data[np.ix_(nodes, nodes)]
    top, bottom = _gridded(offsets, dx, dy, value, weight)
    # where samples say little the model stays
    expected = _EXPECTED * (core + 0.02 * psf.central_fraction)
    change = top / (bottom + expected**-2.0)
    radius = np.hypot(offsets[:, None], offsets[None, :])
    fade = np.clip(2.0 * (1.0 - radius / radius_pix), 0.0, 1.0)
    change = _without_motion(change * fade, psf, nodes)
    whole = np.zeros_like(psf.data)
    whole[np.ix_(nodes, nodes)] = change
    return psf.plus(whole)


def _gridded(
    offsets: Floats, dx: Floats, dy: Floats, value: Floats, weight: Floats
) -> tuple[Floats, Floats]:
    """Return sums of weight * value and weight over samples around each node, smoothed."""
    kernel_x = np.exp(-0.5 * ((dx[:, None] - offsets) / _KERNEL_PIX) ** 2)
    kernel_y = np.exp(-0.5 * ((dy[:, None] - offsets) / _KERNEL_PIX) ** 2)
    top = kernel_y.T @ (kernel_x * (weight * value)[:, None])
    bottom = kernel_y.T @ (kernel_x * weight[:, None])
    return np.asarray(top), np.asarray(bottom)


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
