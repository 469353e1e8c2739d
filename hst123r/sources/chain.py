"""A reference catalogue that grows: visits are fitted to it in turn, and then add their stars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.matching import Match, MatchOptions, NoMatch, match, near_box
from hst123r.algorithms.merge import Catalogue, StarList, merge
from hst123r.algorithms.polygons import covers
from hst123r.algorithms.proper_motion import Motions
from hst123r.algorithms.sphere import from_tangent_plane, middle, to_tangent_plane
from hst123r.algorithms.transform import PlaneTransform
from hst123r.sources.chain_link import ChainOptions, Link
from hst123r.sources.clusters import clusters

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Exposures of one visit, detector and filter.

    Parameters
    ----------
    label : str
        Name for messages.
    catalogue : Catalogue
        Their merged stars, where their headers put them.
    footprints : tuple of (k, 2) ndarray of float64
        Right ascension and declination of the corners of their chips, degrees.
    exposures : tuple of str
        Their root names.
    year : float
        Julian year of their middle, NaN where it does not matter.
    spares : tuple of Group
        Visits that reach as far, the best first, for where this one cannot be added.
    """

    label: str
    catalogue: Catalogue
    footprints: tuple[Floats, ...]
    exposures: tuple[str, ...] = ()
    year: float = math.nan
    spares: tuple[Group, ...] = ()


Carry = Callable[[Group, float], tuple[Group, int]]
"""Brings the stars of a visit to where they were in a Julian year, as far as it is known how they
move, and gives them their motions; returns of how many that is so."""


@dataclass(frozen=True, slots=True)
class _Place:
    """How certainly a visit lies on the one it was fitted to; 0 is the reference itself."""

    parent: int
    links: int
    centre_deg: tuple[float, float] = (0.0, 0.0)
    found: Match | None = None
    """The fit, on the tangent plane of that centre; None for the reference."""


def group(lists: Sequence[StarList], radius_arcsec: float, label: str) -> Group:
    """Merge the star lists of the reference.

    Parameters
    ----------
    lists : sequence of StarList
        Of its exposures, at least one.
    radius_arcsec : float
        Detections closer than this may be one star.
    label : str
        Name for messages.

    Returns
    -------
    Group
        As :func:`~hst123r.algorithms.merge.merge` makes it.
    """
    corners = tuple(polygon for item in lists for polygon in item.footprints)
    roots = tuple(item.label for item in lists)
    return Group(label, merge(lists, radius_arcsec), corners, roots)


def groups(lists: Sequence[StarList], radius_arcsec: float, label: str) -> list[Group]:
    """Merge the star lists of a visit that is to be added.

    Parameters
    ----------
    lists : sequence of StarList
        Of its exposures.
    radius_arcsec : float
        Detections closer than this may be one star.
    label : str
        Name for messages.

    Returns
    -------
    list of Group
        One, or one for each part whose stars do not tell how it lies on the others: such an
        exposure is fitted by itself. One without stars where no exposure has any.
    """
    found = clusters(lists, radius_arcsec)
    if not found:
        return [group(lists, radius_arcsec, label)]
    names = [label] if len(found) == 1 else [
        f"{label}, {' '.join(lists[number].label for number in item.members)}" for item in found
    ]  # fmt: skip
    return [
        Group(name, item.catalogue, item.footprints, tuple(lists[n].label for n in item.members))
        for name, item in zip(names, found, strict=True)
    ]


def grow(
    first: Group, others: Sequence[Group], options: ChainOptions, carry: Carry | None = None
) -> tuple[Catalogue, list[Link]]:
    """Add visits to a catalogue, each fitted to what is there with the stars they share.

    A visit whose fit is not good adds nothing, and is tried again when another one was added; when
    nothing helps any more its spares are tried in turn. Of the others the stars count that lie
    where the catalogue had no exposure. The stars that were there do not change.

    With `carry` all stands where it was at the time of the reference, and the stars have their
    motions once a visit was carried, so that those who read them at the time of another exposure
    find them there. One whose motion is not known stays where its own visit saw it, and its
    error is that of the time of the reference.

    Parameters
    ----------
    first : Group
        The reference.
    others : sequence of Group
        The visits, in the order in which they are wanted; their labels differ.
    options : ChainOptions
        How, and the limits.
    carry : callable, optional
        Brings a visit to the time of the reference; by default stars stand still.

    Returns
    -------
    Catalogue, list of Link
        The brightest star first, with `frame_error_arcsec` and `links`, and with `motions` where
        a visit was carried; and what became of the
        visits, in their order, and after them of the spares that were tried.
    """
    chain = _Chain(first)
    told: dict[int, Link] = {}
    tried = list(others)
    waiting = list(range(len(tried)))
    now: dict[int, tuple[Group, int]] = {}
    before = -1
    while waiting:
        before = len(waiting)
        for number in list(waiting):
            if number not in now:
                now[number] = _at_the_time(tried[number], first.year, carry)
            told[number] = chain.add(*now[number], first.year, options)
            if not told[number].why_not:
                waiting.remove(number)
        if before != len(waiting):
            continue
        spare = _spare(tried, waiting)
        if spare is None:
            break
        waiting.append(len(tried))
        tried.append(spare)
    added = {told[number].label for number in range(len(tried)) if not told[number].why_not}
    links = [_with_spare(told[number], tried[number], added) for number in range(len(tried))]
    moving = any(link.carried and not link.why_not for link in links)
    return chain.catalogue(_motions(first, carry) if moving else None), links


def _motions(first: Group, carry: Carry | None) -> Motions:
    """Return what is known of how the stars of the reference move."""
    moved, _ = _at_the_time(first, first.year, carry)
    found = moved.catalogue.motions
    return Motions.unknown(first.catalogue.ra_deg.size, first.year) if found is None else found


def _at_the_time(visit: Group, year: float, carry: Carry | None) -> tuple[Group, int]:
    """Return a visit as it would have been seen then, and the stars of which that is known."""
    if carry is None or math.isnan(visit.year - year):
        return visit, 0
    return carry(visit, year)


def _spare(tried: Sequence[Group], waiting: Sequence[int]) -> Group | None:
    """Return the next visit for one that cannot be added, None where there is none left."""
    labels = {visit.label for visit in tried}
    added = labels - {tried[number].label for number in waiting}
    for number in waiting:
        mine = [spare.label for spare in tried[number].spares]
        if not added.intersection(mine):
            for spare in tried[number].spares:
                if spare.label not in labels:
                    return spare
    return None


def _with_spare(link: Link, visit: Group, added: set[str]) -> Link:
    """Return a link with the visit that was added in its place, if there is one."""
    found = [spare.label for spare in visit.spares if spare.label in added]
    if not (link.why_not and found):
        return link
    return replace(link, instead=f"{found[0]} was added in its place")


class _Chain:
    """Visits that lie on one frame so far."""

    def __init__(self, first: Group) -> None:
        self.stars = first.catalogue
        self.owner: Integers = np.zeros(first.catalogue.ra_deg.size, np.int64)
        self.footprints = list(first.footprints)
        self.places = [_Place(0, 0)]
        self.names = [first.label]
        self.motions: list[Motions] = []
        """Of the visits that were added, one after the other."""

    def add(self, visit: Group, carried: int, year: float, options: ChainOptions) -> Link:
        """Fit a visit and take in its stars, or say why not."""
        mine = visit.catalogue
        stars, years = int(mine.ra_deg.size), visit.year - year
        about: dict[str, Any] = {"stars": stars, "carried": carried, "years": years}
        if not mine.ra_deg.size or not self.stars.ra_deg.size:
            return Link(visit.label, "there are no stars to compare", **about)
        centre = middle(mine.ra_deg, mine.dec_deg)
        here = _plane(mine.ra_deg, mine.dec_deg, centre)
        near, there = self._near(here, centre, options)
        found = match(
            here,
            there,
            MatchOptions(
                search_arcsec=options.search_arcsec,
                tolerance_arcsec=options.tolerance_arcsec,
                geometry=options.geometry,
                minimum_pairs=options.min_matches,
            ),
            first_error=mine.position_error_arcsec,
            second_error=self.stars.position_error_arcsec[near],
        )
        if isinstance(found, NoMatch):
            return Link(visit.label, found.text, matches=found.pairs, **about)
        owners = self.owner[near[found.second]]
        parent = int(np.bincount(owners).argmax())
        link = replace(self._link(visit.label, found, here, parent), **about)
        link = replace(link, rms_mas=_rms_mas(found, mine.motions, options))
        why_not = _against(link, options)
        if why_not:
            return replace(link, why_not=why_not)
        self.places.append(_Place(parent, link.links, centre, found))
        self.names.append(visit.label)
        return replace(link, added=self._join(visit, found.transform, centre))

    def _near(
        self, here: Floats, centre: tuple[float, float], options: ChainOptions
    ) -> tuple[Integers, Floats]:
        """Return the stars that a visit could share: their rows, and places on its plane."""
        there = _plane(self.stars.ra_deg, self.stars.dec_deg, centre)
        rows = near_box(here, there, options.search_arcsec)
        return rows, there[rows]

    def _link(self, label: str, found: Match, here: Floats, parent: int) -> Link:
        middle_arcsec = here.mean(axis=0)
        move = found.transform(middle_arcsec[None, :])[0] - middle_arcsec
        return Link(
            label,
            "",
            through=self.names[parent],
            links=self.places[parent].links + 1,
            matches=found.pairs,
            error_mas=float(np.max(found.error_at(here))) * 1000.0,
            moved_arcsec=(float(move[0]), float(move[1])),
            rotation_deg=found.transform.rotation_deg,
        )

    def _join(self, visit: Group, transform: PlaneTransform, centre: tuple[float, float]) -> int:
        """Take in the stars of a visit that lie where no exposure was; return how many."""
        mine = visit.catalogue
        moved = transform(_plane(mine.ra_deg, mine.dec_deg, centre))
        known = [_plane(polygon[:, 0], polygon[:, 1], centre) for polygon in self.footprints]
        new = np.flatnonzero(~covers(known, moved))
        ra, dec = _sky(moved[new], centre).T
        stars = self.stars
        self.stars = replace(
            stars,
            ra_deg=np.concatenate([stars.ra_deg, ra]),
            dec_deg=np.concatenate([stars.dec_deg, dec]),
            position_error_arcsec=np.concatenate(
                [stars.position_error_arcsec, mine.position_error_arcsec[new]]
            ),
            flux=np.concatenate([stars.flux, mine.flux[new]]),
            flux_error=np.concatenate([stars.flux_error, mine.flux_error[new]]),
            detections=np.concatenate([stars.detections, mine.detections[new]]),
            covering=np.concatenate([stars.covering, mine.covering[new]]),
            problems={**stars.problems, **mine.problems},
        )
        # without any motion a visit stands still
        moving = mine.motions or Motions.unknown(mine.ra_deg.size)
        self.motions.append(moving.where(new))
        number = len(self.places) - 1
        self.owner = np.concatenate([self.owner, np.full(new.size, number, np.int64)])
        for polygon in visit.footprints:
            corners = transform(_plane(polygon[:, 0], polygon[:, 1], centre))
            self.footprints.append(_sky(corners, centre))
        return int(new.size)

    def catalogue(self, motions: Motions | None) -> Catalogue:
        """Return all stars, the brightest first, with the errors of their visits' places.

        With the motions of the reference's own stars they all have motions.
        """
        stars = self.stars
        error, links = np.zeros(self.owner.size), np.zeros(self.owner.size, np.int64)
        for number in range(1, len(self.places)):
            mine = np.flatnonzero(self.owner == number)
            links[mine] = self.places[number].links
            error[mine] = self._error(number, stars.ra_deg[mine], stars.dec_deg[mine])
        stars = replace(stars, frame_error_arcsec=error, links=links)
        if len(self.places) == 1:
            return stars
        moving = None if motions is None else Motions.chained([motions, *self.motions])
        return replace(stars, motions=moving).where(np.argsort(-stars.flux, kind="stable"))

    def _error(self, number: int, ra_deg: Floats, dec_deg: Floats) -> Floats:
        """Return what the fits between some stars and the reference leave open, along an axis."""
        square = np.zeros(ra_deg.size)
        place = self.places[number]
        while place.found is not None:
            error = place.found.error_at(_plane(ra_deg, dec_deg, place.centre_deg))
            # it is that of both axes
            square += error**2 / 2
            place = self.places[place.parent]
        return np.asarray(np.sqrt(square))


def _plane(ra_deg: Floats, dec_deg: Floats, centre: tuple[float, float]) -> Floats:
    return np.stack(to_tangent_plane(ra_deg, dec_deg, *centre), axis=1)


def _sky(place: Floats, centre: tuple[float, float]) -> Floats:
    return np.stack(from_tangent_plane(place[:, 0], place[:, 1], *centre), axis=1)


def _rms_mas(found: Match, motions: Motions | None, options: ChainOptions) -> tuple[float, float]:
    """Return the residuals of a fit, of stars whose motions are known where those are enough.

    Where the others were at the time of the reference nobody knows, and the fit hardly heeds them.
    """
    rms = found.rms
    if motions is not None:
        sure = found.residual[motions.is_known[found.first]]
        if len(sure) >= options.min_matches:
            rms = np.sqrt(np.mean(sure**2, axis=0))
    return float(rms[0]) * 1000.0, float(rms[1]) * 1000.0


def _against(link: Link, options: ChainOptions) -> str:
    """Return what speaks against a fit, empty where nothing does."""
    rms = max(link.rms_mas)
    problems = [
        (rms > options.max_rms_mas, f"the residuals are {rms:.1f} mas"),
        (link.error_mas > options.max_error_mas, f"it is uncertain by {link.error_mas:.1f} mas"),
    ]
    return ", ".join(text for bad, text in problems if bad)
