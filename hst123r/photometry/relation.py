"""Upper limits from the sources around: how the error of a flux grows with the flux."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.photometry.limits import limiting_flux

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

METHOD: Final = "local S/N relation"
"""Name of the method, for tables."""
FEWEST: Final = 10
"""Fewer faint sources than this say nothing about a limit."""
BRIGHT_SNR: Final = 20.0
"""Sources above this S/N tell of their own photons, not of the limit."""
FAINT: Final = 2.0
"""Sources count as faint below this many times the S/N of the limit: without them the limit would
be extrapolated."""
_CLIP: Final = 4.0
_TURNS: Final = 10


@dataclass(frozen=True, slots=True)
class Relation:
    """Variance of a flux as a straight line in the flux, ``a + s flux``.

    Parameters
    ----------
    background : float
        a, the variance of no light, in the unit of the fluxes squared; NaN where the sources do
        not tell.
    slope : float
        s, by how much the variance grows per unit of flux, not below zero.
    sources : int
        How many sources it is made of.
    """

    background: float
    slope: float
    sources: int

    def limit(self, nsigma: float) -> float:
        """Return the flux with a given S/N, NaN where the sources do not tell."""
        if not self.background > 0:
            return float("nan")
        return float(limiting_flux(0.0, np.sqrt(self.background), self.slope, nsigma))


def fit_relation(flux: ArrayLike, error: ArrayLike, nsigma: float = 3.0) -> Relation:
    """Fit the variance of fluxes as a straight line in the flux.

    Each variance is known to about the same fraction, so weights are the inverse squares of the
    line; sources further from it than four robust standard deviations, such as blends, are left
    out. The first line, which decides who is far, is the median of those through any two
    sources (Theil and Sen): a few blends with large errors would turn one of least squares until
    it has no background. Nothing is drawn at random, and the order of the sources does not
    matter. Negative fluxes take part with the variance of no light.

    Parameters
    ----------
    flux, error : array_like of float, shape (n,)
        Fluxes of sources near a place and their standard errors, in any one unit.
    nsigma : float
        S/N of the limit that is wanted.

    Returns
    -------
    Relation
        With a background of NaN where fewer than ten sources are below twice that S/N, because the
        limit would be extrapolated, or where no straight line with a background fits.
    """
    values, sigma = np.asarray(flux, np.float64), np.asarray(error, np.float64)
    known = np.isfinite(values) & np.isfinite(sigma) & (sigma > 0)
    known[known] = values[known] < BRIGHT_SNR * sigma[known]
    values, variance = np.maximum(values[known], 0.0), sigma[known] ** 2
    faint = np.count_nonzero(values < FAINT * nsigma * np.sqrt(variance))
    nothing = Relation(float("nan"), 0.0, int(values.size))
    if faint < FEWEST:
        return nothing
    order = np.lexsort((variance, values))
    values, variance = values[order], variance[order]
    line = _first_line(values, variance)
    kept = _near(line, variance, np.ones(values.size, np.bool_))
    a, s = 0.0, 0.0
    for _ in range(_TURNS):
        a, s = _straight(values[kept], variance[kept], line[kept])
        if not a > 0:
            return nothing
        line = a + s * values
        now = _near(line, variance, kept)
        if np.array_equal(now, kept):
            break
        kept = now
    return Relation(a, s, int(np.count_nonzero(kept)))


def _first_line(flux: Floats, variance: Floats) -> Floats:
    """Return the line of Theil and Sen at each flux; level where it falls or has no background."""
    rise, run = variance[:, None] - variance, flux[:, None] - flux
    apart = run > 0
    slope = max(float(np.median(rise[apart] / run[apart])), 0.0) if apart.any() else 0.0
    background = float(np.median(variance - slope * flux))
    if not background > 0:
        return np.full(flux.size, float(np.median(variance)))
    return background + slope * flux


def _near(line: Floats, variance: Floats, kept: Booleans) -> Booleans:
    """Return which variances are within four robust standard deviations of the line.

    Never fewer than ten: a few that happen to agree would throw out all others.
    """
    off = variance / line - 1.0
    width = 1.4826 * float(np.median(np.abs(off[kept] - np.median(off[kept]))))
    tenth = float(np.sort(np.abs(off))[FEWEST - 1])
    return np.asarray(np.abs(off) <= max(_CLIP * width, tenth, 1e-6))


def _straight(flux: Floats, variance: Floats, line: Floats) -> tuple[float, float]:
    """Return intercept and slope of a weighted line whose slope is not negative."""
    weight = line**-2.0
    total = weight.sum()
    x, y = (weight * flux).sum() / total, (weight * variance).sum() / total
    spread = (weight * (flux - x) ** 2).sum()
    slope = (weight * (flux - x) * (variance - y)).sum() / spread if spread > 0 else 0.0
    slope = max(float(slope), 0.0)
    return float(y - slope * x), slope
