"""The catalogue of a field in groups that no overlap connects, each on a frame of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hst123r.algorithms.merge import Catalogue, StarList, motions_of
from hst123r.algorithms.polygons import covers
from hst123r.algorithms.sphere import ARCSEC, middle, to_tangent_plane
from hst123r.sources.absolute import Tie
from hst123r.sources.chain import Carry, Group, group, groups, grow
from hst123r.sources.chain_link import ChainOptions, Link

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
_ROWS: Final = (
    "ra_deg", "dec_deg", "position_error_arcsec", "flux", "flux_error", "detections", "covering",
    "frame_error_arcsec", "links",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GroupFrame:
    """The frame of a group beside the reference's.

    Parameters
    ----------
    group : int
        Its number, from 1.
    label : str
        The visit it begins with.
    frame : str
        ``header``, or the absolute catalogue it was moved to.
    why_not : str
        Why it does not agree with the reference's, empty where both are the catalogue's.
    moved_arcsec : float
        How far any of its stars was moved from where the headers have it.
    """

    group: int
    label: str
    frame: str
    why_not: str
    moved_arcsec: float


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A group with its stars.

    Parameters
    ----------
    number : int
        0 for the reference with the visits that were added to it.
    label : str
        The visit it begins with.
    exposures : tuple of str
        Those of this visit.
    members : tuple of str
        All exposures of the group.
    catalogue : Catalogue
        Its stars in the frame of the headers of the visit.
    footprints : tuple of (k, 2) ndarray of float64
        Corners of the chips that the stars are from, degrees, by their headers.
    links : list of Link
        What became of the visits that were to be added.
    tied : Tie, optional
        What became of the frame, if an absolute one is wanted.
    left : tuple of Group
        Visits that were to be added and could not be, and nothing in their place.
    reaches : mapping of str to list of str
        Exposures that hang on the visits that were to be added, by these visits' first exposures.
    why_apart : str
        Why it is not one group with another that it overlaps, empty where it overlaps none.
    year : float
        Julian year at which its stars with motions stand, NaN where that does not matter.
    """

    number: int
    label: str
    exposures: tuple[str, ...]
    members: tuple[str, ...]
    catalogue: Catalogue
    footprints: tuple[Floats, ...]
    links: list[Link]
    tied: Tie | None = None
    left: tuple[Group, ...] = ()
    reaches: Mapping[str, list[str]] = field(default_factory=dict)
    why_apart: str = ""
    year: float = math.nan

    @property
    def subject(self) -> str:
        """What measurements are about: empty for the reference, which is the whole job."""
        return f"group {self.number}" if self.number else ""

    @property
    def stars(self) -> Catalogue:
        """Its stars in the frame that it has now."""
        return self.catalogue if self.tied is None else self.tied.catalogue

    @property
    def is_absolute(self) -> bool:
        """Whether its frame is that of the absolute catalogue."""
        return self.tied is not None and self.tied.is_good

    @property
    def moved_arcsec(self) -> float:
        """How far any star may be from where the headers of its exposures have it.

        As far as a visit was moved to be added, and all of them to the absolute catalogue.
        """
        added = [math.hypot(*link.moved_arcsec) for link in self.links if not link.why_not]
        tied = 0.0 if self.tied is None else self.tied.reach_arcsec
        return max(added, default=0.0) + tied

    def frame_beside(self, reference: Part, absolute: str) -> GroupFrame:
        """Return how its frame stands to that of the reference.

        Parameters
        ----------
        reference : Part
            The reference.
        absolute : str
            Name of the absolute catalogue, empty without one.

        Returns
        -------
        GroupFrame
            With a reason unless both are on the absolute catalogue.
        """
        if self.is_absolute and reference.is_absolute:
            why_not = ""
        elif self.is_absolute:
            why_not = f"it is on {absolute}, and the reference stands by its headers"
        elif reference.is_absolute:
            why_not = (
                f"it stands by the headers of {self.label}, and the reference is on {absolute}"
            )
        else:
            why_not = f"it stands by the headers of {self.label}"
        return GroupFrame(
            self.number,
            self.label,
            absolute if self.is_absolute else "header",
            why_not,
            self.moved_arcsec,
        )

    def as_json(self, frame: GroupFrame) -> dict[str, Any]:
        """Return what people want to read, as plain values."""
        told: dict[str, Any] = {
            "group": self.number,
            "label": self.label,
            "stars": int(self.catalogue.ra_deg.size),
            "exposures": list(self.exposures),
            "members": list(self.members),
            "links": [link.as_json() for link in self.links],
            "frame": frame.frame,
            "why_not": frame.why_not,
            "why_apart": self.why_apart,
        }
        if self.tied is not None:
            told["absolute"] = self.tied.as_json()
        return told


def grown(
    plan: Mapping[str, Any], lists: Mapping[str, StarList], radius_arcsec: float,
    options: ChainOptions, years: Mapping[str, float] | None = None, carry: Carry | None = None,
) -> Part:  # fmt: skip
    """Merge the stars of a first visit, and add the visits that reach further.

    Parameters
    ----------
    plan : mapping
        As :func:`~hst123r.sources.apart_plan.groups_apart` gives them.
    lists : mapping of str to StarList
        Stars by exposure.
    radius_arcsec : float
        Detections closer than this may be one star.
    options : ChainOptions
        How visits are added.
    years : mapping of str to float, optional
        Julian year of each exposure; without them, or without `carry`, stars stand still.
    carry : callable, optional
        As for :func:`~hst123r.sources.chain.grow`.

    Returns
    -------
    Part
        In the frame of its headers.
    """

    def merged(link: Mapping[str, Any]) -> list[Group]:
        mine = groups([lists[root] for root in link["exposures"]], radius_arcsec, link["label"])
        return [_dated(part, years) for part in mine]

    first = group([lists[root] for root in plan["exposures"]], radius_arcsec, plan["label"])
    others = []
    for link in plan["links"]:
        spares = tuple(part for spare in link.get("spares", ()) for part in merged(spare))
        others += [replace(part, spares=spares) for part in merged(link)]
    return _part(
        _dated(first, years), others, options, carry,
        Part(
            number=plan["group"],
            label=plan["label"],
            exposures=tuple(plan["exposures"]),
            members=tuple(plan["members"]),
            catalogue=first.catalogue,
            footprints=first.footprints,
            links=[],
            reaches={
                root: link.get("reaches", link["exposures"])
                for link in plan["links"]
                for root in link["exposures"]
            },
        ),
    )  # fmt: skip


def _dated(visit: Group, years: Mapping[str, float] | None) -> Group:
    """Return a visit with its time, if there is one."""
    if years is None or not visit.exposures:
        return visit
    return replace(visit, year=sum(years[root] for root in visit.exposures) / len(visit.exposures))


def _part(
    first: Group, others: Sequence[Group], options: ChainOptions, carry: Carry | None, part: Part
) -> Part:
    """Return a group with the visits that could be added to it."""
    catalogue, links = grow(first, others, options, carry)
    by_label = {visit.label: visit for other in others for visit in (*other.spares, other)}
    added = [by_label[link.label] for link in links if not link.why_not]
    lost = {link.label for link in links if link.why_not and not link.instead}
    left = tuple(
        visit for visit in others
        if visit.label in lost and visit.catalogue.ra_deg.size >= options.min_matches
    )  # fmt: skip
    corners = (*first.footprints, *(corner for visit in added for corner in visit.footprints))
    return replace(
        part, catalogue=catalogue, footprints=corners, links=links, left=left, year=first.year
    )


def with_lost(
    parts: Sequence[Part], options: ChainOptions, carry: Carry | None = None
) -> list[Part]:
    """Return groups, and behind them one for each visit that could not be added to any.

    A visit whose fit failed, and those of its spares too, has stars enough to align the exposures
    that hang on it: they agree among themselves, and are tied to an absolute catalogue by
    themselves. Those that fit one another make one group.

    Parameters
    ----------
    parts : sequence of Part
        The reference and the groups that do not overlap it, not yet tied.
    options : ChainOptions
        How visits are added.
    carry : callable, optional
        As for :func:`~hst123r.sources.chain.grow`.

    Returns
    -------
    list of Part
        In the order of their numbers.
    """
    found = list(parts)
    for place, part in enumerate(parts):
        left = [replace(visit, spares=()) for visit in part.left]
        whose = part.subject or "the reference"
        why = {link.label: link.why_not for link in part.links}
        groups_of: dict[str, int] = {}
        while left:
            first, *others = left
            number = len(found)
            begun = Part(
                number, f"{first.label}, group {number}", first.exposures, (), first.catalogue,
                first.footprints, [],
                why_apart=f"{first.label} could not be fitted to {whose}: {why[first.label]}",
            )  # fmt: skip
            made = _part(first, others, options, carry, begun)
            lost = {visit.label for visit in made.left}
            mine = [visit for visit in left if visit.label not in lost]
            roots = {root for visit in mine for root in visit.exposures}
            hanging = {other for root in roots for other in part.reaches.get(root, [root])}
            kept = [link for link in made.links if not link.why_not]
            found.append(replace(made, members=tuple(sorted(hanging | roots)), links=kept, left=()))
            groups_of.update({visit.label: number for visit in mine})
            left = [visit for visit in others if visit.label in lost]
        links = [
            replace(link, instead=f"its exposures make group {groups_of[link.label]}")
            if link.label in groups_of else link
            for link in part.links
        ]  # fmt: skip
        found[place] = replace(part, links=links, left=())
    return found


def joined(parts: Sequence[Part], radius_arcsec: float) -> Catalogue:
    """Return the stars of all groups as one catalogue.

    Of a group those stars are left out that lie on an exposure of one before it by the headers, or
    near a star of one by the frames as they are now, so that none is there twice. What the ties of
    both leave open between a group and the reference is in the frame error of its stars. Stars
    with motions are where they were at the time of the reference.

    Parameters
    ----------
    parts : sequence of Part
        The reference first.
    radius_arcsec : float
        Stars closer than this are one.

    Returns
    -------
    Catalogue
        The brightest star first, with `group`; that of the reference as it is where there is no
        other.
    """
    whole = parts[0].stars
    if len(parts) == 1:
        return whole
    number = np.zeros(whole.ra_deg.size, np.int64)
    corners = list(parts[0].footprints)
    for part in parts[1:]:
        mine = part.stars.at_year(part.year, parts[0].year)
        known = _covered(part.catalogue, corners) | _near(mine, whole, radius_arcsec)
        rows = np.flatnonzero(~known)
        mine = replace(mine, frame_error_arcsec=_frame_error(mine, part, parts[0]))
        new: dict[str, Any] = {
            name: np.concatenate([getattr(whole, name), getattr(mine, name)[rows]])
            for name in _ROWS
        }
        new["motions"] = motions_of([whole, mine.where(rows)])
        whole = replace(whole, **new, problems={**whole.problems, **mine.problems})
        number = np.concatenate([number, np.full(rows.size, part.number, np.int64)])
        corners += part.footprints
    return replace(whole, group=number).where(np.argsort(-whole.flux, kind="stable"))


def _frame_error(stars: Catalogue, part: Part, reference: Part) -> Floats:
    """Return how far stars of a group may be off the frame of the reference, along an axis."""
    own = stars.frame_error_arcsec
    error = np.zeros(stars.ra_deg.size) if own is None else own
    if part.tied is None or reference.tied is None:
        return error
    if not (part.is_absolute and reference.is_absolute):
        # one stands by its headers, and nobody knows how far that is off
        return error
    # a tie's error is that of both axes
    return np.hypot(
        error, math.hypot(part.tied.error_mas, reference.tied.error_mas) / math.sqrt(2) / 1000
    )


def _covered(stars: Catalogue, corners: Sequence[Floats]) -> Booleans:
    """Return which stars lie on some chips."""
    if not stars.ra_deg.size or not corners:
        return np.zeros(stars.ra_deg.size, np.bool_)
    centre = middle(stars.ra_deg, stars.dec_deg)
    place = np.stack(to_tangent_plane(stars.ra_deg, stars.dec_deg, *centre), axis=1)
    chips = [np.stack(to_tangent_plane(c[:, 0], c[:, 1], *centre), axis=1) for c in corners]
    return covers(chips, place)


def _near(stars: Catalogue, others: Catalogue, radius_arcsec: float) -> Booleans:
    """Return which stars have another one close by."""
    if not stars.ra_deg.size or not others.ra_deg.size:
        return np.zeros(stars.ra_deg.size, np.bool_)
    chord = 2 * math.sin(radius_arcsec / ARCSEC / 2)
    away, _ = cKDTree(_directions(others)).query(_directions(stars), distance_upper_bound=chord)
    return np.asarray(np.isfinite(away))


def _directions(stars: Catalogue) -> Floats:
    ra, dec = np.radians(stars.ra_deg), np.radians(stars.dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
