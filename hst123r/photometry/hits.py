"""Cosmic rays in the cores of stars, found by what the other exposures say about the star.

A hit on the central pixels of a star can look like light of the star, and a fit of one exposure
has nothing to tell them apart by. The other exposures know how bright the star is. Two stories are
compared for each star of a frame: it is as bright as elsewhere, and some of its pixels are hit; or
it has changed, and all its pixels with it, as the PSF demands. A real change is therefore kept.
Noise makes that uncertain for faint stars, so pixels are left out only where another exposure of
the same epoch is against them. Other epochs only make a star suspect: it may be new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.photometry import outliers
from hst123r.photometry.chipfit import ChipFit
from hst123r.photometry.flags import Flag
from hst123r.photometry.forced import Fluxes

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_FIRST: Final = 16.0
_MORE: Final = 8.0
"""What a hit costs in 500 s, as chi²: -2 ln of how rarely noise of 8 electrons is replaced by a
charge of some 100: one pixel of a hundred is hit in that time (ISR ACS 2002-07), their charges
being spread over 10 to 3000 electrons evenly in logarithm; a pixel beside a hit is hit in two cases
of five."""
_FIRST_TIME_S: Final = 500.0
_CHANGE: Final = 14.0
"""What a change of the star costs: one star in a thousand changes between exposures."""
_ALIKE: Final = 0.02
"""Relative error of comparing exposures (flat fields, chips) where bright stars do not tell."""
_LEAST_ALIKE: Final = 0.002
_LARGEST_ALIKE: Final = 0.1
_BRIGHT_SNR: Final = 50.0
_BRIGHT_STARS: Final = 20
_WORTH_SIGMA: Final = 2.0
"""Fluxes that are higher than elsewhere by less than this are left alone."""
_EDGE_SIGMA: Final = 2.0
_GROWTH: Final = 2
_USABLE: Final = 0.5
_SPOILED: Final = int(Flag.OFF_FRAME | Flag.NO_PIXELS | Flag.SATURATED)


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """How bright stars are in the other exposures, in electrons of this frame.

    Parameters
    ----------
    flux, error : (n,) ndarray of float64
        True electrons, as in `Fluxes`; NaN where no other exposure tells.
    near : (n,) ndarray of bool
        Whether exposures of the same epoch tell it; where not, those of other epochs do.
    """

    flux: Floats
    error: Floats
    near: Booleans

    def of(self, stars: NDArray[np.int64]) -> Elsewhere:
        """Return the same of some of the stars."""
        return Elsewhere(self.flux[stars], self.error[stars], self.near[stars])

    def before(self, others: Elsewhere) -> Elsewhere:
        """Return the same of these stars and then of others."""
        names = ("flux", "error", "near")
        pairs = [(getattr(self, name), getattr(others, name)) for name in names]
        return Elsewhere(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, eq=False)
class Hits:
    """What :func:`find_hits` found.

    Parameters
    ----------
    pixels : (p,) ndarray of bool
        Which of the design's pixels are hit.
    judged : (p,) ndarray of bool
        Pixels of the stars that were found to be as bright as elsewhere: none of them is an
        outlier unless it is hit.
    suspect : (n,) ndarray of bool
        Stars that look hit when they are compared with other epochs: nothing is left out.
    """

    pixels: Booleans
    judged: Booleans
    suspect: Booleans


def elsewhere(
    fluxes: Sequence[Fluxes], scales: Floats, epochs: Sequence[int] | None = None
) -> list[Elsewhere]:
    """Return for each frame how bright the others have the stars.

    Parameters
    ----------
    fluxes : sequence of Fluxes
        The same stars in every frame.
    scales : (frames,) ndarray of float64
        What makes electrons of a frame comparable, e.g. nanojansky per electron.
    epochs : sequence of int, optional
        Which epoch each frame is of; all are of one if not given.

    Returns
    -------
    list of Elsewhere
        The median of the others of its epoch, or, of stars that none of these has, of the other
        epochs. Of two in the middle it is the lower one: hits only add light.
        Its error is that of the median of normal values, ``1.25 sigma / sqrt(n)``.
    """
    value = np.array([item.flux for item in fluxes]) * scales[:, None]
    # places, and what is wrong with them, are common to all frames
    error = np.array([item.fixed_error for item in fluxes]) * scales[:, None]
    good = np.array([(item.flags & _SPOILED) == 0 for item in fluxes])
    good &= np.array([item.usable >= _USABLE for item in fluxes]) & np.isfinite(value + error)
    value, error = np.where(good, value, np.nan), np.where(good, error, np.nan)
    when = np.zeros(len(fluxes), np.int64) if epochs is None else np.asarray(epochs, np.int64)
    result = []
    for number, scale in enumerate(scales.tolist()):
        same = when == when[number]
        same[number] = False
        middle, spread = _median(value[same], error[same])
        near = np.isfinite(middle)
        # chips of the same exposure do not have the star
        far = _median(value[when != when[number]], error[when != when[number]])
        middle, spread = np.where(near, middle, far[0]), np.where(near, spread, far[1])
        result.append(Elsewhere(middle / scale, spread / scale, near))
    return result


def _median(value: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Return the lower median of each column and its error, NaN where nothing is known."""
    stars = value.shape[1]
    if len(value) == 0:
        return np.full(stars, np.nan), np.full(stars, np.nan)
    known = np.count_nonzero(np.isfinite(value), axis=0)
    ordered = np.sort(value, axis=0)  # NaN go to the end
    middle = ordered[np.maximum(known - 1, 0) // 2, np.arange(stars)]
    single = np.sqrt(np.nansum(error**2, axis=0) / np.maximum(known, 1))
    median = np.where(known > 2, 1.25 / np.sqrt(np.maximum(known, 1)), 1.0)
    return np.where(known > 0, middle, np.nan), np.where(known > 0, single * median, np.nan)


def find_hits(fit: ChipFit, other: Elsewhere) -> Hits:
    """Find cosmic rays that the fit of a frame has taken for light of its stars.

    Parameters
    ----------
    fit : ChipFit
        A fit that has settled.
    other : Elsewhere
        The same stars in the other exposures.

    Returns
    -------
    Hits
        Pixels, and stars that are only suspect.
    """
    design = fit.design
    first = _first(fit.frame.exposure_time_s)
    place, star, own = design.place, design.star, fit.values
    area = fit.frame.area_at(np.nan_to_num(fit.x), np.nan_to_num(fit.y))
    flux, error = other.flux / area, other.error / area
    own_error = np.maximum(fit.information(), 1e-300) ** -0.5
    offset, alike = _agreement(fit.flux, own_error, flux, error)
    flux = flux * (1.0 + offset)
    error = np.hypot(error, alike * np.abs(flux))
    rise = fit.flux - flux
    sigma = np.hypot(own_error, error)
    with np.errstate(invalid="ignore"):
        asked = rise > _WORTH_SIGMA * sigma
    hits = np.zeros(design.pixels.size, np.bool_)
    judged = hits.copy()
    suspect = np.zeros(asked.size, np.bool_)
    here = np.flatnonzero(asked[star])
    if here.size == 0:
        return Hits(hits, judged, suspect)
    pixel, whose, psf = place[here], star[here], own[here]
    shot = psf / design.area[pixel]
    own_light = np.maximum(fit.flux, 0.0)[whose]
    light, variance = fit.light()[pixel], fit.variance()[pixel]
    changed = fit.residual()[pixel]
    same = changed + rise[whose] * psf
    poisson = np.maximum(flux, 0.0)[whose] * shot
    noise = variance + poisson - own_light * shot + (error[whose] * psf) ** 2
    noise += (fit.model_error * (light - rise[whose] * psf)) ** 2
    significance = same / np.sqrt(noise)
    before = changed / np.sqrt(variance + (fit.model_error * light) ** 2)
    hit = _cost(significance, whose, asked.size, first)
    better = asked & (hit < _cost(before, whose, asked.size, first) + _CHANGE)
    suspect = better & ~other.near
    accepted = (better & other.near)[whose]
    pixel, significance = pixel[accepted], significance[accepted]
    judged[pixel] = True
    # a pixel of several stars that are judged is hit if all of them say so
    least = np.full(design.pixels.size, np.inf)
    np.minimum.at(least, pixel, significance)
    least[~judged] = 0.0
    hits = least > np.sqrt(first)
    for _ in range(_GROWTH):
        hits |= outliers.beside(design, hits) & (least > _EDGE_SIGMA)
    return Hits(hits, judged, suspect)


def leave_out_hits(fit: ChipFit, other: Elsewhere) -> Hits:
    """Find cosmic rays in the stars of a settled fit, and settle it without them.

    Parameters
    ----------
    fit : ChipFit
        A fit that has settled; where there are hits, it is another one afterwards.
    other : Elsewhere
        The same stars in the other exposures.

    Returns
    -------
    Hits
        What was found.
    """
    found = find_hits(fit, other)
    if found.pixels.any():
        fit.rejected = np.where(found.judged, found.pixels, fit.rejected)
        fit.hits = found.pixels
        fit.settle()
    return found


def kept(before: Fluxes, after: Fluxes, suspect: Booleans) -> Fluxes:
    """Return fluxes without hits, or as they were where hits would leave nothing to measure.

    Parameters
    ----------
    before, after : Fluxes
        With the hits, and without.
    suspect : (n,) ndarray of bool
        Stars that are to be flagged though nothing was left out.

    Returns
    -------
    Fluxes
        Those of `after`; stars of which less than half of the weight is left, and that had more
        before, are those of `before`, flagged.
    """
    usable = (before.usable >= _USABLE) & np.isfinite(before.flux)
    lost = usable & ~((after.usable >= _USABLE) & np.isfinite(after.flux))
    names = ("flux", "error", "fixed_error", "photon_slope", "chi2", "pixels", "rejected", "usable",
             "crowding_mag", "flags")  # fmt: skip
    chosen = {n: np.where(lost, getattr(before, n), getattr(after, n)) for n in names}
    # so that means prefer the exposures that have no hit there
    chosen["flags"] |= np.where(lost, int(Flag.OUTLIERS | Flag.POSSIBLE_HIT), 0)
    chosen["flags"] |= np.where(suspect, int(Flag.POSSIBLE_HIT), 0)
    return replace(after, **chosen)


def _first(time_s: float) -> float:
    """Return what the first hit of a star costs: there are more of them in longer exposures."""
    return max(_FIRST - 2.0 * float(np.log(time_s / _FIRST_TIME_S)), _MORE)


def _agreement(
    flux: Floats, error: Floats, other: Floats, other_error: Floats
) -> tuple[float, float]:
    """Return by how much bright stars are brighter than elsewhere, and the scatter beyond noise."""
    noise = np.hypot(error, other_error)
    with np.errstate(invalid="ignore"):
        bright = other > _BRIGHT_SNR * noise
    if np.count_nonzero(bright) < _BRIGHT_STARS:
        return 0.0, _ALIKE
    ratio, noise = flux[bright] / other[bright] - 1.0, noise[bright] / other[bright]
    middle = float(np.median(ratio))
    scatter = (1.4826 * float(np.median(np.abs(ratio - middle)))) ** 2 - float(
        np.median(noise)
    ) ** 2
    alike = float(np.sqrt(np.clip(scatter, _LEAST_ALIKE**2, _LARGEST_ALIKE**2)))
    return (middle if abs(middle) <= _LARGEST_ALIKE else 0.0), alike


def _cost(significance: Floats, star: NDArray[np.int64], stars: int, first: float) -> Floats:
    """Return how unlikely the pixels of each star are, as chi²; bright ones may be hit."""
    square = significance**2
    hit = (significance > 0) & (square > _MORE)
    cost = np.bincount(star, np.where(hit, _MORE, square), minlength=stars)
    return np.asarray(cost + (first - _MORE) * (np.bincount(star[hit], minlength=stars) > 0))
