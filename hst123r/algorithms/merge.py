"""Star lists of several exposures merged into one reference catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hst123r.algorithms.matching import Match, MatchOptions, NoMatch, match
from hst123r.algorithms.polygons import covers
from hst123r.algorithms.proper_motion import Motions, carried
from hst123r.algorithms.sphere import from_tangent_plane, to_tangent_plane
from hst123r.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_OF_A_LIST: Final = ("ra_deg", "dec_deg", "flux", "flux_error", "position_error_arcsec")
DEFAULT_SHIFTS: Final = MatchOptions(search_arcsec=0.5, tolerance_arcsec=0.05, geometry="shift")


@dataclass(frozen=True, eq=False)
class StarList:
    """Stars found in one exposure.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees.
    flux, flux_error : (n,) ndarray of float64
        Fluxes and standard errors, in a unit common to all lists.
    position_error_arcsec : (n,) ndarray of float64
        Standard errors of the positions along each axis.
    footprints : tuple of (k, 2) ndarray of float64
        Right ascension and declination, in degrees, of the corners of each chip in order.
    label : str
        Name for messages.
    """

    ra_deg: Floats
    dec_deg: Floats
    flux: Floats
    flux_error: Floats
    position_error_arcsec: Floats
    footprints: tuple[Floats, ...]
    label: str = ""

    def where(self, rows: NDArray[Any]) -> StarList:
        """Return the stars of some rows, on the same footprints."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _OF_A_LIST})


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Stars of several exposures, the brightest first.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Inverse-variance mean positions.
    position_error_arcsec : (n,) ndarray of float64
        Standard errors along each axis.
    flux, flux_error : (n,) ndarray of float64
        Inverse-variance mean fluxes.
    detections, covering : (n,) ndarray of int64
        In how many lists the star is, and how many have it in their footprint.
    shift_arcsec : (lists, 2) ndarray of float64
        What was added to each list's positions, to the east and north; their mean is zero over
        the lists that could be matched.
    problems : dict of str to str
        Why lists could not be shifted, by label; their positions were taken as they are.
    motions : Motions or None
        How its stars move; None where nothing is known of it.
    frame_error_arcsec : (n,) ndarray of float64, optional
        Standard error along each axis that a star shares with those of its visit: that of the
        fits which tie the visit to the frame. None where all are of one visit.
    links : (n,) ndarray of int64, optional
        How many such fits lie between a star and the frame.
    group : (n,) ndarray of int64, optional
        Stars of one number are on one frame, 0 that of the reference. None where all are on that.
    """

    ra_deg: Floats
    dec_deg: Floats
    position_error_arcsec: Floats
    flux: Floats
    flux_error: Floats
    detections: Integers
    covering: Integers
    shift_arcsec: Floats
    problems: dict[str, str]
    motions: Motions | None = None
    frame_error_arcsec: Floats | None = None
    links: Integers | None = None
    group: Integers | None = None

    def where(self, rows: NDArray[Any]) -> Catalogue:
        """Return the stars of some rows."""
        names = (*_OF_A_LIST, "detections", "covering", "frame_error_arcsec", "links", "group")
        given = {name: getattr(self, name) for name in names}
        kept = {name: value[rows] for name, value in given.items() if value is not None}
        motions = None if self.motions is None else self.motions.where(rows)
        return replace(self, **kept, motions=motions)

    def at_year(self, year: float, to: float) -> Catalogue:
        """Return stars that stand at one Julian year at another, as far as they have motions."""
        if self.motions is None or not np.isfinite(to - year):
            return self
        error = self.position_error_arcsec * 1000.0
        then = carried(self.ra_deg, self.dec_deg, error, self.motions, year, to)
        return replace(
            self, ra_deg=then.ra_deg, dec_deg=then.dec_deg,
            position_error_arcsec=then.error_mas / 1000.0,
        )  # fmt: skip


def motions_of(catalogues: Sequence[Catalogue]) -> Motions | None:
    """Return the motions of the stars of several catalogues; None where none has any."""
    if all(item.motions is None for item in catalogues):
        return None
    return Motions.chained(
        [item.motions or Motions.unknown(item.ra_deg.size) for item in catalogues]
    )


@dataclass(frozen=True, eq=False)
class _Points:
    """One list on the common tangent plane."""

    place: Floats
    weight: Floats
    flux: Floats
    flux_weight: Floats
    polygons: tuple[Floats, ...]


def merge(
    lists: Sequence[StarList],
    radius_arcsec: float,
    *,
    shifts: MatchOptions | None = DEFAULT_SHIFTS,
    floor_arcsec: float = 0.001,
) -> Catalogue:
    """Merge the star lists of the exposures of a visit.

    Small shifts between the lists are found by :func:`~hst123r.algorithms.matching.match` and
    taken out, so that the lists stay where they are on average. Then each list in turn is
    matched to the stars so far, one to one within the radius. A star counts if two exposures
    have found it, which keeps cosmic rays out, or if only one could.

    Parameters
    ----------
    lists : sequence of StarList
        At least one.
    radius_arcsec : float
        Detections closer than this may be one star.
    shifts : MatchOptions or None
        How shifts are found; None takes positions as they are.
    floor_arcsec : float
        Added to position errors in quadrature: what distortion leaves.

    Returns
    -------
    Catalogue
        The same for the same lists in the same order.

    Raises
    ------
    InputError
        If there are no lists, or the radius is not above zero.
    """
    if not lists or not radius_arcsec > 0:
        raise InputError(f"{len(lists)} star lists and a radius of {radius_arcsec} arcsec")
    ra0, dec0 = _middle(lists)
    points = [_project(item, ra0, dec0, floor_arcsec) for item in lists]
    shift, problems = _shifts(points, [item.label for item in lists], shifts)
    points = [_moved(item, move) for item, move in zip(points, shift, strict=True)]
    sums = _Sums()
    for item in points:
        sums.add(item, radius_arcsec)
    place = sums.place / sums.weight[:, None]
    covering = np.zeros(len(place), np.int64)
    for item in points:
        covering += covers(item.polygons, place)
    # a star found in a list is covered by it, whatever its rounded corners say
    covering = np.maximum(covering, sums.count)
    real = sums.count >= np.minimum(covering, 2)
    flux = sums.flux / sums.flux_weight
    rows = np.flatnonzero(real)
    rows = rows[np.lexsort((place[rows, 0], place[rows, 1], -flux[rows]))]
    ra, dec = from_tangent_plane(place[rows, 0], place[rows, 1], ra0, dec0)
    return Catalogue(
        ra_deg=ra,
        dec_deg=dec,
        position_error_arcsec=sums.weight[rows] ** -0.5,
        flux=flux[rows],
        flux_error=sums.flux_weight[rows] ** -0.5,
        detections=sums.count[rows],
        covering=covering[rows],
        shift_arcsec=shift,
        problems=problems,
    )


class _Sums:
    """Weighted sums over the detections of each star so far."""

    def __init__(self) -> None:
        self.place = np.empty((0, 2))
        self.weight = np.empty(0)
        self.flux = np.empty(0)
        self.flux_weight = np.empty(0)
        self.count = np.empty(0, np.int64)

    def add(self, item: _Points, radius: float) -> None:
        """Take in a list: what is near a star joins it, the rest are new stars."""
        star, row = self._pairs(item, radius)
        new = np.setdiff1d(np.arange(len(item.place)), row)
        self.place[star] += item.weight[row, None] * item.place[row]
        self.weight[star] += item.weight[row]
        self.flux[star] += item.flux_weight[row] * item.flux[row]
        self.flux_weight[star] += item.flux_weight[row]
        self.count[star] += 1
        self.place = np.concatenate([self.place, item.weight[new, None] * item.place[new]])
        self.weight = np.concatenate([self.weight, item.weight[new]])
        self.flux = np.concatenate([self.flux, item.flux_weight[new] * item.flux[new]])
        self.flux_weight = np.concatenate([self.flux_weight, item.flux_weight[new]])
        self.count = np.concatenate([self.count, np.ones(new.size, np.int64)])

    def _pairs(self, item: _Points, radius: float) -> tuple[Integers, Integers]:
        """Return stars and rows that are each other's nearest within the radius."""
        if not (self.count.size and len(item.place)):
            empty = np.empty(0, np.int64)
            return empty, empty
        known = cKDTree(self.place / self.weight[:, None])
        away, star = known.query(item.place, distance_upper_bound=radius)
        _, back = cKDTree(item.place).query(known.data, distance_upper_bound=radius)
        row = np.flatnonzero(np.isfinite(away))
        row = row[back[star[row]] == row]
        return star[row].astype(np.int64), row


def _middle(lists: Sequence[StarList]) -> tuple[float, float]:
    """Return the direction in the middle of all corners and stars."""
    corners = [np.asarray(polygon, np.float64) for item in lists for polygon in item.footprints]
    stars = [np.column_stack([item.ra_deg, item.dec_deg]) for item in lists]
    positions = np.concatenate([np.empty((0, 2)), *(corners or stars)])
    if not len(positions):
        return 0.0, 0.0
    ra, dec = np.radians(positions).T
    x, y, z = (np.cos(dec) * np.cos(ra)).sum(), (np.cos(dec) * np.sin(ra)).sum(), np.sin(dec).sum()
    return float(np.degrees(np.arctan2(y, x)) % 360), float(
        np.degrees(np.arctan2(z, np.hypot(x, y)))
    )


def _project(item: StarList, ra0: float, dec0: float, floor: float) -> _Points:
    """Return a list on the tangent plane, without entries that are not finite."""
    xi, eta = to_tangent_plane(item.ra_deg, item.dec_deg, ra0, dec0)
    error = np.hypot(item.position_error_arcsec, floor)
    good = np.isfinite(xi + eta + item.flux + error)
    good &= np.isfinite(item.flux_error) & (item.flux_error > 0)
    polygons = []
    for corners in item.footprints:
        positions = np.asarray(corners, np.float64)
        ra, dec = positions[:, 0], positions[:, 1]
        polygons.append(np.column_stack(to_tangent_plane(ra, dec, ra0, dec0)))
    return _Points(
        np.column_stack([xi, eta])[good],
        error[good] ** -2.0,
        np.asarray(item.flux, np.float64)[good],
        np.asarray(item.flux_error, np.float64)[good] ** -2.0,
        tuple(polygons),
    )


def _shifts(
    points: list[_Points], labels: Sequence[str], options: MatchOptions | None
) -> tuple[Floats, dict[str, str]]:
    """Return what to add to each list, and why some could not be matched."""
    shift = np.zeros((len(points), 2))
    problems: dict[str, str] = {}
    if options is None or len(points) == 1:
        return shift, problems
    anchor = int(np.argmax([len(item.place) for item in points]))
    matched = np.zeros(len(points), np.bool_)
    matched[anchor] = True
    order = [np.argsort(-item.flux, kind="stable") for item in points]
    for index, item in enumerate(points):
        if index == anchor:
            continue
        result: Match | NoMatch = match(
            item.place[order[index]],
            points[anchor].place[order[anchor]],
            options,
            first_error=item.weight[order[index]] ** -0.5,
            second_error=points[anchor].weight[order[anchor]] ** -0.5,
        )
        if isinstance(result, NoMatch):
            problems[labels[index] or str(index)] = result.text
        else:
            shift[index] = result.transform.shift
            matched[index] = True
    shift[matched] -= shift[matched].mean(axis=0)
    return shift, problems


def _moved(item: _Points, move: Floats) -> _Points:
    polygons = tuple(polygon + move for polygon in item.polygons)
    return replace(item, place=item.place + move, polygons=polygons)
