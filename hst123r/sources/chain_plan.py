"""Which visits carry the frame of the reference to exposures that it does not reach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.polygons import covers
from hst123r.records.exposure import Exposure
from hst123r.records.groups import by_time
from hst123r.records.outcome import Product
from hst123r.sources.reference_choice import (
    Polygons,
    Score,
    grid_points,
    places,
    score,
    touching,
)

Booleans = NDArray[np.bool_]
_GRID: Final = 6
"""Points along each side of a chip by which overlaps are counted, good to three per cent."""
_UNIMPORTANT: Final = ("overlap_mag", "target_mag")
"""Parts of a score that say how well a visit would do as the reference, not as a link."""


def connect(
    members: Sequence[Product], chosen: Sequence[Product], field: str, *, cover: float
) -> list[list[Product]]:
    """Choose visits that carry the frame to exposures which the reference does not cover.

    One after the other the visit is taken that overlaps what is covered so far and reaches what
    is not, by depth, sharpness and PSF, with both shares as the roots of the numbers of stars that
    they stand for: 1.25 log10 of each, as `depth_mag` has the exposure time.

    Parameters
    ----------
    members : sequence of Product
        Exposures of a field.
    chosen : sequence of Product
        Those of the reference.
    field : str
        The field, for messages.
    cover : float
        Exposures of which less than this share is covered ask for another visit.

    Returns
    -------
    list of list of Product
        Visits, or parts of them that overlap, in the order in which they are to be fitted, each in
        the order of time; none where footprints are not known.
    """
    if not cover:
        return []
    polygons = places([Exposure.own(product.facts) for product in members])
    mine = [polygon for product in chosen for polygon in polygons[product.name]]
    if not mine:
        return []
    chart = Chart(polygons)
    chart.covered |= chart.reached(mine)
    missing = chart.missing(cover)
    if not missing:
        return []
    groups = groups_of(members, chosen, field, polygons)
    taken: list[list[Product]] = []
    while missing and groups:
        values = {key: worth(chart, item, missing) for key, item in groups.items()}
        best = max(groups, key=lambda key: values[key])
        if values[best] == -math.inf:
            break
        _, exposures = groups.pop(best)
        chart.covered |= chart.of(exposures)
        taken.append(exposures)
        missing = chart.missing(cover)
    return taken


class Chart:
    """Points on all exposures of a field, and which of them are covered.

    Parameters
    ----------
    polygons : mapping of str to list of (4, 2) ndarray of float64
        Chips by exposure, on one plane.
    """

    def __init__(self, polygons: Mapping[str, Polygons]) -> None:
        self.roots = [root for root, chips in polygons.items() if chips]
        counts = [len(polygons[root]) * _GRID**2 for root in self.roots]
        chips = np.array([chip for root in self.roots for chip in polygons[root]])
        self.points = grid_points(chips.reshape(-1, 4, 2), _GRID).reshape(-1, 2)
        self.owner = np.repeat(np.arange(len(self.roots)), counts)
        self.covered: Booleans = np.zeros(len(self.points), np.bool_)
        self._polygons = polygons
        self._known: dict[tuple[str, ...], Booleans] = {}

    def of(self, exposures: Sequence[Product]) -> Booleans:
        """Return which points some exposures hold; looked up where it was asked before."""
        names = tuple(product.name for product in exposures)
        if names not in self._known:
            chips = [polygon for name in names for polygon in self._polygons[name]]
            self._known[names] = self.reached(chips)
        return self._known[names]

    def reached(self, polygons: Polygons) -> Booleans:
        """Return which points some polygons hold."""
        low, high = np.concatenate(polygons).min(axis=0), np.concatenate(polygons).max(axis=0)
        near = np.flatnonzero(((self.points >= low) & (self.points <= high)).all(axis=1))
        found: Booleans = np.zeros(len(self.points), np.bool_)
        found[near] = covers(polygons, self.points[near])
        return found

    def touched(self, points: Booleans) -> set[str]:
        """Return the exposures that some points lie on."""
        return {self.roots[number] for number in np.unique(self.owner[points]).tolist()}

    def shares(self, points: Booleans) -> dict[str, float]:
        """Return the share of every exposure that some points are."""
        count = len(self.roots)
        some = np.bincount(self.owner, weights=points, minlength=count)
        every = np.bincount(self.owner, minlength=count)
        return dict(zip(self.roots, (some / every).tolist(), strict=True))

    def missing(self, cover: float) -> list[str]:
        """Return the exposures of which too little is covered."""
        return [root for root, share in self.shares(self.covered).items() if share < cover]


def groups_of(
    members: Sequence[Product],
    chosen: Sequence[Product],
    field: str,
    polygons: Mapping[str, Polygons],
) -> dict[str, tuple[Score, list[Product]]]:
    """Return the visits that could be added.

    One whose exposures do not all overlap is cut into parts.

    Parameters
    ----------
    members, chosen : sequence of Product
        Exposures of the field, and those that are in the catalogue already.
    field : str
        The field, for messages.
    polygons : mapping of str to list of (4, 2) ndarray of float64
        Chips by exposure, on one plane.

    Returns
    -------
    dict of str to (Score, list of Product)
        By their first exposures, the better first.
    """
    names = {product.name for product in chosen}
    found = {}
    for entry in score(members, field):
        mine = [product for product in members if entry.holds(product) and polygons[product.name]]
        if names & {product.name for product in mine}:
            continue
        for part in parts([product.name for product in mine], polygons):
            exposures = sorted((p for p in mine if p.name in part), key=by_time)
            found[exposures[0].name] = (entry, exposures)
    return found


def parts(roots: Sequence[str], polygons: Mapping[str, Polygons]) -> list[set[str]]:
    """Return exposures in sets that overlap, directly or through others.

    Parameters
    ----------
    roots : sequence of str
        Root names of exposures.
    polygons : mapping of str to list of (4, 2) ndarray of float64
        Chips by exposure, on one plane.

    Returns
    -------
    list of set of str
        Root names; every exposure is in one set.
    """
    found = []
    left = {root: polygons[root] for root in roots}
    while left:
        part = {next(iter(left))}
        new = part
        while new:
            left = {root: chips for root, chips in left.items() if root not in new}
            edge = [polygon for root in sorted(new) for polygon in polygons[root]]
            new = touching(edge, left) if left else set()
            part = part | new
        found.append(part)
    return found


def worth(chart: Chart, item: tuple[Score, list[Product]], missing: Sequence[str]) -> float:
    """Return what a visit is worth as the next one.

    Parameters
    ----------
    chart : Chart
        What is covered.
    item : (Score, list of Product)
        The visit.
    missing : sequence of str
        Exposures that are not covered.

    Returns
    -------
    float
        Magnitudes; minus infinity where it is no link.
    """
    entry, exposures = item
    shares = chart.shares(chart.covered)
    overlap = sum(shares[product.name] for product in exposures) / len(exposures)
    if overlap == 0:
        return -math.inf
    gains = chart.shares(chart.of(exposures) & ~chart.covered)
    gain = sum(gains[root] for root in missing) / len(missing)
    if gain == 0:
        return -math.inf
    own = sum(value for name, value in entry.parts.items() if name not in _UNIMPORTANT)
    return own + 1.25 * math.log10(overlap) + 1.25 * math.log10(gain)


def named(exposures: Sequence[Product]) -> str:
    """Return the name of a visit for people.

    Parameters
    ----------
    exposures : sequence of Product
        Of one detector, filter and visit.

    Returns
    -------
    str
        These three.
    """
    names = [exposures[0].labels[key] for key in ("detector", "filter", "visit")]
    return f"{names[0]} {names[1]} of visit {names[2]}"


def labels(
    links: Sequence[Sequence[Product]], taken: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return visits as plain values: a name for people, and the exposures in order.

    Parameters
    ----------
    links : sequence of sequence of Product
        As :func:`connect` gives them.
    taken : dict of str to str, optional
        First exposures of visits that have names already, by these; the new ones are added. What
        becomes of a visit is told by its name, so no two of a plan may have the same.

    Returns
    -------
    list of dict
        ``label`` and ``exposures``.
    """
    owners = {} if taken is None else taken
    told: list[dict[str, Any]] = []
    for exposures in links:
        label, first = named(exposures), exposures[0].name
        if owners.get(label, first) != first:
            label = f"{label}, {first} and on"
        owners[label] = first
        told.append({"label": label, "exposures": [product.name for product in exposures]})
    return told
