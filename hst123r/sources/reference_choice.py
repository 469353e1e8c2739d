"""Which exposures make the best reference: a score whose parts are all magnitudes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r import instruments
from hst123r.algorithms.polygons import covers
from hst123r.algorithms.sphere import ARCSEC, to_tangent_plane
from hst123r.errors import InputError
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Product

MIRROR_M: Final = 2.4
DIFFRACTION: Final = 1.03
"""Full width at half maximum of an Airy disc in units of lambda/D."""
SCALE_ARCSEC: Final = 0.05
"""Pixel scale and diffraction width that cost nothing."""
NO_OVERLAP_MAG, NO_TARGET_MAG, SINGLE_MAG = 2.5, 1.0, 1.0
"""What a reference pays that overlaps nothing, has no target, or is one exposure alone."""
MAG_PER_YEAR: Final = 0.02
"""Stars move: a year from the middle of all exposures costs as much as 4 % of exposure time."""
_GRID: Final = 5
_YEAR_DAYS: Final = 365.25
_SHOWN: Final = 0.05
Polygons = list[NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Score:
    """A group of exposures that could be the reference, and how good it would be.

    Parameters
    ----------
    detector, filter, visit : str
        The group.
    exposures : int
        Number of exposures.
    exposure_time_s : float
        Their sum.
    depth_mag : float
        Zeropoint plus 1.25 log10 of the exposure time: how faint stars it shows against the
        sky, up to a constant.
    sharpness_mag : float
        -2.5 log10 of the pixel scale over 0.05 arcsec: fine pixels place stars better.
    psf_mag : float
        -2.5 log10 of the diffraction width over 0.05 arcsec; 0 where no wavelength is known.
    overlap : float
        Share of the field's exposures that it overlaps, itself among them.
    on_target : float
        Share of its exposures that have a target of the recipe on a chip.
    years : float
        From the median time of the field's exposures.
    avoided : bool
        Whether the recipe avoids the detector.
    """

    detector: str
    filter: str
    visit: str
    exposures: int
    exposure_time_s: float
    depth_mag: float
    sharpness_mag: float
    psf_mag: float
    overlap: float
    on_target: float
    years: float
    avoided: bool

    @property
    def parts(self) -> dict[str, float]:
        """What is added up, in magnitudes; one exposure alone cannot tell cosmic rays and pays."""
        return {
            "depth_mag": self.depth_mag,
            "sharpness_mag": self.sharpness_mag,
            "psf_mag": self.psf_mag,
            "overlap_mag": -NO_OVERLAP_MAG * (1.0 - self.overlap),
            "target_mag": -NO_TARGET_MAG * (1.0 - self.on_target),
            # by whole years, so that visits of a season are alike and the first of them is taken
            "epoch_mag": -MAG_PER_YEAR * round(abs(self.years)),
            "single_mag": -SINGLE_MAG if self.exposures == 1 else 0.0,
        }

    @property
    def total(self) -> float:
        """What groups are ordered by."""
        return sum(self.parts.values())

    def holds(self, product: Product) -> bool:
        """Whether an exposure belongs to the group."""
        labels = product.labels
        mine = (self.detector, self.filter, self.visit)
        return (labels["detector"], labels["filter"], labels["visit"]) == mine

    def as_json(self) -> dict[str, Any]:
        """Return the score as plain values."""
        return {
            "detector": self.detector,
            "filter": self.filter,
            "visit": self.visit,
            "exposures": self.exposures,
            "exposure_time_s": round(self.exposure_time_s, 3),
            # no negative zeros, which people would wonder at
            **{name: round(value, 3) + 0.0 for name, value in self.parts.items()},
            "score": round(self.total, 3),
            "avoided": self.avoided,
        }


def score(
    members: Sequence[Product],
    field: str,
    *,
    filter_name: str | None = None,
    detector: str | None = None,
    avoid: Sequence[str] = (),
) -> list[Score]:
    """Score the groups of a field that could be its reference, the best first.

    Parameters
    ----------
    members : sequence of Product
        Exposures of the field.
    field : str
        The field, for messages.
    filter_name, detector : str, optional
        The only ones that are allowed.
    avoid : sequence of str
        Detectors that come last, whatever their score.

    Returns
    -------
    list of Score
        One for each detector, filter and visit that is allowed.

    Raises
    ------
    InputError
        If nothing is left.
    """
    everything = [Exposure.own(product.facts) for product in members]
    groups: dict[tuple[str, str, str], list[Exposure]] = {}
    for product, exposure in zip(members, everything, strict=True):
        labels = product.labels
        key = (labels["detector"], labels["filter"], labels["visit"])
        groups.setdefault(key, []).append(exposure)
    middle = statistics.median(exposure.middle_mjd for exposure in everything)
    chips = places(everything)
    scores = [
        _score(key, exposures, chips, middle, avoided=key[0] in avoid)
        for key, exposures in groups.items()
        if filter_name in (None, key[1]) and detector in (None, key[0])
    ]
    if not scores:
        wanted = " ".join(word for word in (detector, filter_name) if word)
        present = ", ".join(sorted({f"{key[0]} {key[1]}" for key in groups}))
        raise InputError(
            f"the field {field} has no exposure of {wanted} to be the reference",
            hint=f"There are {present}",
        )
    return sorted(
        scores, key=lambda s: (s.avoided, -round(s.total, 3), s.detector, s.filter, s.visit)
    )


def apart(members: Sequence[Product], chosen: Sequence[Product]) -> list[str]:
    """Name the exposures that have no part on any of the chosen ones.

    Parameters
    ----------
    members : sequence of Product
        Exposures of a field.
    chosen : sequence of Product
        Those of the reference.

    Returns
    -------
    list of str
        Root names in order; none where footprints are not known.
    """
    chips = places([Exposure.own(product.facts) for product in members])
    roots = [product.name for product in chosen]
    mine = [polygon for root in roots for polygon in chips[root]]
    if not mine:
        return []
    others = {root: polygons for root, polygons in chips.items() if polygons and root not in roots}
    return sorted(set(others) - touching(mine, others))


def explain(scores: Sequence[Mapping[str, Any]]) -> str:
    """Say in a sentence why the first of some scores is the first.

    Parameters
    ----------
    scores : sequence of mapping
        As :meth:`Score.as_json` gives them, the best first.

    Returns
    -------
    str
        With the score of the next one, and the parts in which the two differ.
    """

    def named(entry: Mapping[str, Any]) -> str:
        return f"{entry['detector']} {entry['filter']} of visit {entry['visit']}"

    first = f"{named(scores[0])} (score {scores[0]['score']:.2f})"
    if len(scores) == 1:
        return f"{first}: there is no other"
    one, two = scores[:2]
    differences = {
        name.removesuffix("_mag"): one[name] - two[name] for name in one if name.endswith("_mag")
    }
    told = [
        f"{name} {value:+.2f}"
        for name, value in sorted(differences.items(), key=lambda item: -abs(item[1]))
        if abs(value) >= _SHOWN
    ]
    if two["avoided"] and not one["avoided"]:
        told.insert(0, f"{two['detector']} is avoided")
    reason = ", ".join(told) or "nearly the same"
    return f"{first} before {named(two)} ({two['score']:.2f}): {reason}"


def _score(
    key: tuple[str, str, str],
    exposures: list[Exposure],
    chips_of: Mapping[str, Polygons],
    middle_mjd: float,
    *,
    avoided: bool,
) -> Score:
    seconds = sum(exposure.exposure_time_s for exposure in exposures)
    chips = [chip for exposure in exposures for chip in exposure.chips]
    zeropoints = [chip.zeropoint_ab for chip in chips if chip.zeropoint_ab is not None]
    pivots = [chip.photplam for chip in chips if chip.photplam]
    scale = instruments.get(key[0]).pixel_scale.value
    width = SCALE_ARCSEC
    if pivots:
        width = DIFFRACTION * statistics.median(pivots) * 1e-10 / MIRROR_M * ARCSEC
    mjd = statistics.median(exposure.middle_mjd for exposure in exposures)
    return Score(
        *key,
        exposures=len(exposures),
        exposure_time_s=seconds,
        depth_mag=(max(zeropoints) if zeropoints else 20.0) + 1.25 * math.log10(max(seconds, 1.0)),
        sharpness_mag=-2.5 * math.log10(scale / SCALE_ARCSEC),
        psf_mag=-2.5 * math.log10(width / SCALE_ARCSEC),
        overlap=_overlap([exposure.root for exposure in exposures], chips_of),
        on_target=sum(bool(exposure.targets) for exposure in exposures) / len(exposures),
        years=(mjd - middle_mjd) / _YEAR_DAYS,
        avoided=avoided,
    )


def places(exposures: Sequence[Exposure]) -> dict[str, Polygons]:
    """Return the chips of every exposure on one tangent plane.

    Parameters
    ----------
    exposures : sequence of Exposure
        Exposures of one field.

    Returns
    -------
    dict of str to list of (4, 2) ndarray of float64
        Corners in arcsec by root name; empty lists where footprints are not known.
    """
    corners = [corner for e in exposures for chip in e.chips for corner in chip.corners]
    if not corners:
        return {exposure.root: [] for exposure in exposures}
    ra0, dec0 = corners[0]
    return {
        exposure.root: [
            np.column_stack(
                to_tangent_plane(
                    [c[0] for c in chip.corners], [c[1] for c in chip.corners], ra0, dec0
                )
            )
            for chip in exposure.chips
            if chip.corners
        ]
        for exposure in exposures
    }


def _overlap(roots: Sequence[str], chips_of: Mapping[str, Polygons]) -> float:
    """Return the share of exposures that have a part on any chip of some of them."""
    mine = [polygon for root in roots for polygon in chips_of[root]]
    if not mine:
        return 1.0
    own = set(roots)
    others = {root: polygons for root, polygons in chips_of.items() if root not in own}
    return (len(own) + len(touching(mine, others))) / len(chips_of)


def touching(mine: Polygons, others: Mapping[str, Polygons]) -> set[str]:
    """Return which exposures have a part on some polygons.

    Parameters
    ----------
    mine : list of (4, 2) ndarray of float64
        Corners of chips, at least one.
    others : mapping of str to list of (4, 2) ndarray of float64
        Chips by exposure, on the same plane.

    Returns
    -------
    set of str
        Names of exposures.
    """
    low, high = np.concatenate(mine).min(0), np.concatenate(mine).max(0)
    owners = np.array([root for root, polygons in others.items() for _ in polygons])
    chips = np.array([polygon for polygons in others.values() for polygon in polygons])
    chips = chips.reshape(-1, 4, 2)
    boxed = (chips.min(axis=1) <= high).all(axis=1) & (chips.max(axis=1) >= low).all(axis=1)
    found: set[str] = set()
    # the middle of a chip tells for most, and a grid of points for most of the others
    for grid in (1, _GRID):
        left = np.flatnonzero(boxed & ~np.isin(owners, list(found)))
        if left.size:
            inside = covers(mine, grid_points(chips[left], grid).reshape(-1, 2))
            found.update(owners[left[inside.reshape(left.size, -1).any(axis=1)]].tolist())
    # a large exposure may hold a small one whole
    dots = grid_points(np.array(mine), _GRID).reshape(-1, 2)
    left = np.flatnonzero(boxed & ~np.isin(owners, list(found)))
    found.update(str(owners[n]) for n in left if covers([chips[n]], dots).any())
    return found


def grid_points(polygons: NDArray[np.float64], grid: int) -> NDArray[np.float64]:
    """Return grids of points inside polygons of four corners.

    Parameters
    ----------
    polygons : (n, 4, 2) ndarray of float64
        Corners in order.
    grid : int
        Points along each side.

    Returns
    -------
    (n, grid**2, 2) ndarray of float64
        The same places in each.
    """
    u, v = (w.ravel() for w in np.meshgrid(*[(np.arange(grid) + 0.5) / grid] * 2))
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)
    return np.asarray(weights @ polygons)
