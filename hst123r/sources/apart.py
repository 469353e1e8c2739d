"""The catalogue of a field in groups that no overlap connects, each on a frame of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hst123r.algorithms.merge import Catalogue, StarList
from hst123r.algorithms.polygons import covers
from hst123r.algorithms.sphere import ARCSEC, middle, to_tangent_plane
from hst123r.sources.absolute import Tie
from hst123r.sources.chain import ChainOptions, Link, group, groups, grow

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
    """

    number: int
    label: str
    exposures: tuple[str, ...]
    members: tuple[str, ...]
    catalogue: Catalogue
    footprints: tuple[Floats, ...]
    links: list[Link]
    tied: Tie | None = None

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
        }
        if self.tied is not None:
            told["absolute"] = self.tied.as_json()
        return told


def grown(
    plan: Mapping[str, Any], lists: Mapping[str, StarList], radius_arcsec: float,
    options: ChainOptions,
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

    Returns
    -------
    Part
        In the frame of its headers.
    """
    first = group([lists[root] for root in plan["exposures"]], radius_arcsec, plan["label"])
    others = [
        part
        for link in plan["links"]
        for part in groups([lists[r] for r in link["exposures"]], radius_arcsec, link["label"])
    ]
    catalogue, links = grow(first, others, options)
    corners = [*first.footprints, *(corner for other in others for corner in other.footprints)]
    return Part(
        number=plan["group"],
        label=plan["label"],
        exposures=tuple(plan["exposures"]),
        members=tuple(plan["members"]),
        catalogue=catalogue,
        footprints=tuple(corners),
        links=links,
    )


def joined(parts: Sequence[Part], radius_arcsec: float) -> Catalogue:
    """Return the stars of all groups as one catalogue.

    Of a group those stars are left out that lie on an exposure of one before it by the headers, or
    near a star of one by the frames as they are now, so that none is there twice. What the ties of
    both leave open between a group and the reference is in the frame error of its stars.

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
        mine = part.stars
        known = _covered(part.catalogue, corners) | _near(mine, whole, radius_arcsec)
        rows = np.flatnonzero(~known)
        mine = replace(mine, frame_error_arcsec=_frame_error(mine, part, parts[0]))
        new: dict[str, Any] = {
            name: np.concatenate([getattr(whole, name), getattr(mine, name)[rows]])
            for name in _ROWS
        }
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
