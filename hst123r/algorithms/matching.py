"""Two lists of the same stars brought together, or a reason why they cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.stats import poisson

from hst123r.algorithms.offsets import Peak, find_peak
from hst123r.algorithms.transform import Fit, PlaneTransform, fit
from hst123r.records.geometry import PARAMETERS, Geometry

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROUNDS: Final = 20
_FLOOR: Final = 1e-9
_MAD: Final = 1.4826
BOX_MARGIN_ARCSEC: Final = 5.0
"""Points are taken this far beyond what is searched, since an offset may come with a rotation."""


class Reason(StrEnum):
    """Why two lists were not matched."""

    TOO_FEW_SOURCES = "too_few_sources"
    NO_PEAK = "no_peak"
    AMBIGUOUS = "ambiguous"
    TOO_FEW_PAIRS = "too_few_pairs"
    CHANCE = "chance"
    IMPLAUSIBLE = "implausible"


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Two lists that could not be matched.

    Parameters
    ----------
    reason : Reason
        Why, for programs.
    text : str
        Why, as a sentence without a final full stop.
    pairs : int
        Pairs there were in the end.
    """

    reason: Reason
    text: str
    pairs: int = 0


@dataclass(frozen=True, eq=False)
class Match:
    """Two lists that were matched.

    Parameters
    ----------
    transform : PlaneTransform
        Takes points of the first list to those of the second.
    geometry : str
        What was fitted.
    first, second : (k,) ndarray of int64
        Rows of the pairs that survived, one to one.
    residual : (k, 2) ndarray of float64
        Second less transformed first, arcsec.
    rms : (2,) ndarray of float64
        Root mean square of the residuals along each axis, for the degrees of freedom, arcsec.
    shift_error : (2,) ndarray of float64
        Standard errors of the shift, arcsec, from the weights or the scatter, whichever is
        larger.
    rotation_error_deg, scale_error : float
        Likewise of rotation and scale.
    linear_variance : (2, 2) ndarray of float64
        Likewise of all linear terms, as in :class:`~hst123r.algorithms.transform.Fit`.
    chance : float
        Probability of as many pairs by chance.
    candidates : int
        Points of the smaller list where the two overlap.
    """

    transform: PlaneTransform
    geometry: Geometry
    first: Integers
    second: Integers
    residual: Floats
    rms: Floats
    shift_error: Floats
    rotation_error_deg: float
    scale_error: float
    linear_variance: Floats
    chance: float
    candidates: int

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self.first.size

    def error_at(self, points: ArrayLike) -> Floats:
        """Return how uncertain the transformation is at some points.

        The linear terms are wrong about the weighted mean of the pairs, so the error grows with
        the distance from there, and not from the middle of all points; with all of them fitted it
        grows fastest where the pairs do not reach.

        Parameters
        ----------
        points : array_like of float, shape (n, 2)
            Points of the first list, arcsec.

        Returns
        -------
        (n,) ndarray of float64
            Standard errors of both axes together, arcsec.
        """
        away = np.asarray(points, np.float64).reshape(-1, 2) - self.transform.origin
        linear = np.einsum("ni,ij,nj->n", away, self.linear_variance, away)
        return np.asarray(np.sqrt(np.sum(self.shift_error**2) + linear))


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """How lists are matched.

    Parameters
    ----------
    search_arcsec : float
        Largest offset to look for.
    tolerance_arcsec : float
        How well positions agree once the offset is taken off; a little more than their errors.
    geometry : str
        ``shift``, ``rshift``, ``rscale`` or ``general``.
    minimum_pairs : int
        Fewest pairs; at least twice the number of parameters is asked for anyway.
    clip_sigma : float
        Pairs further apart than this many robust standard deviations are left out.
    chance : float
        Probability above which a match may be chance and is refused.
    largest_rotation_deg, largest_scale : float
        Rotation and change of scale (and shear) that are refused as impossible.
    """

    search_arcsec: float = 1.0
    tolerance_arcsec: float = 0.1
    geometry: Geometry = "rscale"
    minimum_pairs: int = 6
    clip_sigma: float = 3.5
    chance: float = 1e-5
    largest_rotation_deg: float = 1.0
    largest_scale: float = 0.01


DEFAULTS: Final = MatchOptions()


def match(
    first: ArrayLike,
    second: ArrayLike,
    options: MatchOptions = DEFAULTS,
    *,
    first_error: ArrayLike | None = None,
    second_error: ArrayLike | None = None,
) -> Match | NoMatch:
    """Match two lists of positions that differ by an unknown offset, rotation and scale.

    The offset is where the differences of all near pairs crowd; nearest neighbours, one to
    one, are then matched and the geometry fitted, again and again with an ever smaller radius.
    A result is returned only if neither the crowd nor the number of pairs in the end can be
    chance, no other offset does as well, and the transformation is a possible one.

    Parameters
    ----------
    first, second : array_like of float, shapes (n, 2) and (m, 2)
        Tangent-plane positions in arcsec, the brightest first.
    options : MatchOptions
        How.
    first_error, second_error : array_like of float, shapes (n,) and (m,), optional
        Standard errors along each axis in arcsec, for weights; equal weights without.

    Returns
    -------
    Match or NoMatch
        Never a guess.
    """
    one, two = _points(first), _points(second)
    needed = max(options.minimum_pairs, 2 * PARAMETERS[options.geometry])
    if min(len(one), len(two)) < needed:
        return NoMatch(
            Reason.TOO_FEW_SOURCES,
            f"lists of {len(one)} and {len(two)} sources cannot give {needed} pairs",
        )
    peak = find_peak(one, two, options.search_arcsec, options.tolerance_arcsec)
    refused = _judge_peak(peak, options)
    if refused is not None or peak is None:
        return refused or NoMatch(Reason.NO_PEAK, "there are no pairs")
    weight = _Weights(
        _errors(first_error, len(one)), _errors(second_error, len(two)),
        known=first_error is not None or second_error is not None,
    )  # fmt: skip
    state = _iterate(one, two, weight, peak, options, needed)
    if isinstance(state, NoMatch):
        return state
    return _judge(one, two, state, weight, options)


@dataclass(frozen=True, eq=False)
class _Weights:
    first: Floats
    second: Floats
    known: bool

    def of(self, i: Integers, j: Integers) -> Floats:
        """Return the inverse variances of pairs."""
        return np.asarray(1.0 / np.maximum(self.first[i] ** 2 + self.second[j] ** 2, _FLOOR**2))


@dataclass(frozen=True, eq=False)
class _State:
    i: Integers
    j: Integers
    fit: Fit
    radius: float


def _points(values: ArrayLike) -> Floats:
    points = np.asarray(values, np.float64)
    return points.reshape(-1, 2) if points.size == 0 else points


def _errors(values: ArrayLike | None, size: int) -> Floats:
    if values is None:
        return np.full(size, 2.0**-0.5)
    return np.broadcast_to(np.asarray(values, np.float64), (size,))


def _judge_peak(peak: Peak | None, options: MatchOptions) -> NoMatch | None:
    if peak is None:
        return NoMatch(
            Reason.NO_PEAK, f"no two sources are within {options.search_arcsec:g} arcsec"
        )
    if peak.chance > options.chance:
        return NoMatch(
            Reason.NO_PEAK,
            f"the best offset has {peak.count} pairs where chance gives {peak.expected:.1f}",
            peak.count,
        )
    if peak.rival <= options.chance:
        return NoMatch(
            Reason.AMBIGUOUS,
            f"two different offsets have about {peak.count} pairs each",
            peak.count,
        )
    return None


def _nearest(first: Floats, second: Floats, radius: float) -> tuple[Integers, Integers]:
    """Return pairs of points that are each other's nearest within a radius."""
    forth, to = cKDTree(second).query(first, distance_upper_bound=radius)
    _, back = cKDTree(first).query(second, distance_upper_bound=radius)
    i = np.flatnonzero(np.isfinite(forth))
    j = to[i].astype(np.int64)
    mutual = back[j] == i
    return i[mutual], j[mutual]


def _iterate(
    one: Floats, two: Floats, weight: _Weights, peak: Peak, options: MatchOptions, needed: int
) -> _State | NoMatch:
    """Match and fit until the pairs do not change any more."""
    transform = PlaneTransform(np.eye(2), peak.offset, np.zeros(2))
    geometry: Geometry = "shift"
    radius, before = peak.width, b""
    for turn in range(_ROUNDS):
        i, j = _nearest(transform(one), two, radius)
        if i.size < needed:
            return NoMatch(
                Reason.TOO_FEW_PAIRS, f"{i.size} pairs are left, {needed} are needed", i.size
            )
        fitted = fit(one[i], two[j], weight.of(i, j), geometry)
        residual = two[j] - fitted.transform(one[i])
        away = np.hypot(residual[:, 0], residual[:, 1])
        # the median of a Rayleigh distribution is 1.177 sigma
        sigma = float(np.median(away)) / 1.177
        kept = away <= max(options.clip_sigma * sigma, _FLOOR)
        if np.count_nonzero(kept) >= needed:
            i, j = i[kept], j[kept]
            fitted = fit(one[i], two[j], weight.of(i, j), geometry)
        transform = fitted.transform
        radius = min(radius, max(options.clip_sigma * sigma, options.tolerance_arcsec / 2))
        now = i.tobytes() + j.tobytes()
        if turn > 1 and geometry == options.geometry and now == before:
            break
        # rotation and scale come in once the shift is right
        geometry, before = options.geometry, now
    return _State(i, j, fitted, radius)


def _judge(
    one: Floats, two: Floats, state: _State, weight: _Weights, options: MatchOptions
) -> Match | NoMatch:
    """Accept a match, or say what speaks against it."""
    count, transform = state.i.size, state.fit.transform
    moved = transform(one)
    expected, candidates = _by_chance(moved, two, state.radius)
    # any place of the search area could have given as many
    places = max(1.0, (options.search_arcsec / state.radius) ** 2)
    # a fit brings pairs together: its parameters use up half as many
    free = count - PARAMETERS[options.geometry] / 2
    chance = min(1.0, places * float(poisson.sf(max(free - 1, 0), expected)))
    if chance > options.chance:
        return NoMatch(
            Reason.CHANCE, f"{count} pairs, but chance alone gives {expected:.1f}", count
        )
    strain = float(np.max(np.abs(np.linalg.svd(transform.matrix, compute_uv=False) - 1.0)))
    shift = float(np.hypot(*transform.shift))
    limit = options.search_arcsec + 8 * options.tolerance_arcsec
    if abs(transform.rotation_deg) > options.largest_rotation_deg or (
        strain > options.largest_scale or shift > limit or np.linalg.det(transform.matrix) < 0
    ):
        return NoMatch(
            Reason.IMPLAUSIBLE,
            f"a rotation of {transform.rotation_deg:.3f} deg, a strain of {strain:.4f} and a "
            f"shift of {shift:.3f} arcsec are not possible",
            count,
        )
    residual = two[state.j] - moved[state.i]
    freedom = max(2 * count - PARAMETERS[options.geometry], 1)
    grow = np.sqrt(state.fit.chi2 / freedom)
    if weight.known:
        grow = max(1.0, grow)
    return Match(
        transform=transform,
        geometry=options.geometry,
        first=state.i,
        second=state.j,
        residual=residual,
        rms=np.sqrt(np.sum(residual**2, axis=0) * 2 / freedom),
        shift_error=state.fit.shift_error * grow,
        rotation_error_deg=state.fit.rotation_error_deg * grow,
        scale_error=state.fit.scale_error * grow,
        linear_variance=state.fit.linear_variance * grow**2,
        chance=chance,
        candidates=candidates,
    )


def near_box(first: Floats, second: Floats, search_arcsec: float) -> Integers:
    """Return the points of a large list that could match one of a small list.

    Parameters
    ----------
    first, second : (n, 2) and (m, 2) ndarray of float64
        Tangent-plane positions in arcsec, the small and the large list.
    search_arcsec : float
        Largest offset that is looked for.

    Returns
    -------
    (k,) ndarray of int64
        Rows of `second` in a box around `first`.
    """
    margin = search_arcsec + BOX_MARGIN_ARCSEC
    inside = (second >= first.min(axis=0) - margin) & (second <= first.max(axis=0) + margin)
    return np.flatnonzero(inside.all(axis=1))


def _by_chance(moved: Floats, two: Floats, radius: float) -> tuple[float, int]:
    """Return how many pairs chance gives, and how many sources the overlap has.

    Chance is counted, not computed: pairs at four offsets of some radii, where none belong
    together, which holds for clustered fields too.
    """
    low, high = np.maximum(moved.min(0), two.min(0)), np.minimum(moved.max(0), two.max(0))
    inside = [
        int(np.count_nonzero(np.all((points >= low) & (points <= high), axis=1)))
        for points in (moved, two)
    ]
    extent = float(np.prod(np.maximum(high - low, radius)))
    uniform = inside[0] * inside[1] * np.pi * radius**2 / extent
    counts = []
    for reach in (6.0, 9.0):
        for direction in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            aside = moved + reach * radius * np.array(direction)
            counts.append(_nearest(aside, two, radius)[0].size)
    return max(float(uniform), float(np.mean(counts)), 0.05), min(inside)
