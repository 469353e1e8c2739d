"""How well an exposure stands on the reference frame: its stars against the catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.matching import Match, MatchOptions, match
from hst123r.algorithms.sphere import middle, to_tangent_plane
from hst123r.records.geometry import Geometry
from hst123r.sources.stars import ChipStars

if TYPE_CHECKING:
    from hst123r.sources.apart import GroupFrame

Floats = NDArray[np.float64]
SIGNIFICANT: Final = 3.0
"""A correction, or a difference from a sibling, below this many of its standard errors is none."""
LARGEST_KEPT_PIX: Final = 0.05
"""However uncertain a correction is, one above this is made."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceStars:
    """The reference catalogue.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees.
    error_arcsec : (n,) ndarray of float64
        Standard error along each axis.
    rate : (n,) ndarray of float64
        Fluxes.
    moved_arcsec : float
        How far the catalogue was moved away from its headers; exposures are searched for that
        much further.
    frame_error_arcsec : (n,) ndarray of float64, optional
        Standard error along each axis that a star shares with its visit, where visits were added
        to the reference.
    links : (n,) ndarray of int64, optional
        Fits of visits between a star and the reference.
    group : (n,) ndarray of int64, optional
        Stars of one number are on one frame, 0 that of the reference.
    groups : tuple of GroupFrame
        The frames of groups from 1 on, in order.
    """

    ra_deg: Floats
    dec_deg: Floats
    error_arcsec: Floats
    rate: Floats
    moved_arcsec: float = 0.0
    frame_error_arcsec: Floats | None = None
    links: NDArray[np.int64] | None = None
    group: NDArray[np.int64] | None = None
    groups: tuple[GroupFrame, ...] = ()

    def seen_from(self, number: int) -> ReferenceStars:
        """Return the same stars as an exposure of a group searches them."""
        if not number:
            return self
        return replace(self, moved_arcsec=self.groups[number - 1].moved_arcsec)

    def chain_of(self, rows: NDArray[np.int64]) -> tuple[int, float]:
        """Return the most links to some stars, and the frame error that they have on average.

        Parameters
        ----------
        rows : (k,) ndarray of int64
            The stars.

        Returns
        -------
        (int, float)
            Both 0 where the stars are the reference's own; the error in arcsec along each axis,
            the root of the mean square.
        """
        if self.links is None or self.frame_error_arcsec is None or not rows.size:
            return 0, 0.0
        error = float(np.sqrt(np.mean(self.frame_error_arcsec[rows] ** 2)))
        return int(self.links[rows].max()), error

    def as_star_list(self) -> list[tuple[float, float, float]]:
        """Return right ascension, declination and flux of every star, 1 where it is not known."""
        rate = np.nan_to_num(self.rate, nan=1.0)
        columns = (self.ra_deg.tolist(), self.dec_deg.tolist(), rate.tolist())
        return list(zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class Frame:
    """How exposures are compared with the reference.

    Parameters
    ----------
    scale_arcsec : float
        Pixel scale.
    search_pix, tolerance_pix : float
        How far stars may be from where the header puts them, and how well they agree then.
    geometry : str
        What is fitted.
    minimum_pairs : int
        Fewest pairs; twice the number of parameters is asked for anyway.
    clip_sigma : float
        Pairs further apart than this many robust standard deviations are left out.
    """

    scale_arcsec: float
    search_pix: float
    tolerance_pix: float
    geometry: Geometry
    minimum_pairs: int = 6
    clip_sigma: float = 3.5


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """The matched pairs on the tangent plane they were matched on.

    Parameters
    ----------
    centre_deg : (float, float)
        Right ascension and declination of the tangent point.
    star, reference : (pairs, 2) ndarray of float64
        Where the exposure and the catalogue have the stars, east and north in arcsec.
    error_arcsec : (pairs,) ndarray of float64
        Standard error of their difference along each axis.
    """

    centre_deg: tuple[float, float]
    star: Floats
    reference: Floats
    error_arcsec: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """An exposure against the reference.

    Parameters
    ----------
    stars, pairs : int
        Stars of the exposure, and how many of them were matched.
    star, reference : (pairs,) ndarray of int64
        Rows of the pairs, in the exposure's list and in the catalogue.
    east_mas, north_mas : (pairs,) ndarray of float64
        Reference less exposure, as the WCS has it, nothing fitted.
    rms_mas : (float, float)
        Their root mean squares, NaN without pairs.
    offset_mas : float
        Length of their mean.
    error_mas : float
        Standard error of a fitted solution at the star where it is largest.
    correction_mas : float
        How far a fit would move the edge of the frame.
    scale_mas : float
        Pixel scale.
    why_not : str
        Why there are no pairs.
    pairing : Pairing, optional
        The pairs, for a fit.
    """

    stars: int
    pairs: int
    star: NDArray[np.int64]
    reference: NDArray[np.int64]
    east_mas: Floats
    north_mas: Floats
    rms_mas: tuple[float, float]
    offset_mas: float
    error_mas: float
    correction_mas: float
    scale_mas: float
    why_not: str = ""
    pairing: Pairing | None = None

    @property
    def is_aligned(self) -> bool:
        """Whether a fit would change nothing that can be measured."""
        if not self.pairs:
            return False
        largest = min(SIGNIFICANT * self.error_mas, LARGEST_KEPT_PIX * self.scale_mas)
        return self.correction_mas <= largest

    @property
    def rms_pix(self) -> float:
        """Root mean square along an axis in pixels, NaN without pairs."""
        return math.hypot(*self.rms_mas) / math.sqrt(2.0) / self.scale_mas

    def rms_of(self, stars: NDArray[np.int64]) -> float:
        """Return the root mean square along an axis of some stars that were matched, mas."""
        mine = np.isin(self.star, stars)
        if not mine.any():
            return math.nan
        return float(np.sqrt(np.mean(self.east_mas[mine] ** 2 + self.north_mas[mine] ** 2) / 2))

    def as_json(self) -> dict[str, Any]:
        """Return what people want to read, as plain values."""
        return {
            "stars": self.stars,
            "matches": self.pairs,
            "rms_east_mas": _plain(self.rms_mas[0]),
            "rms_north_mas": _plain(self.rms_mas[1]),
            "offset_mas": _plain(self.offset_mas),
            "solution_error_mas": _plain(self.error_mas),
            "why_not": self.why_not,
        }


def compare(
    chips: Mapping[int, ChipStars],
    wcs: Mapping[int, Any],
    reference: ReferenceStars,
    frame: Frame,
) -> Residual:
    """Compare the stars of an exposure with the reference.

    Parameters
    ----------
    chips : mapping of int to ChipStars
        Stars by EXTVER; their pixels count, not the positions of the time they were measured.
    wcs : mapping of int to WCS
        The WCS of every chip as it is now.
    reference : ReferenceStars
        The catalogue.
    frame : Frame
        How to compare.

    Returns
    -------
    Residual
        Without pairs where the two could not be matched.
    """
    return compare_positions(*_positions(chips, wcs), reference, frame)


def compare_positions(
    ra: Floats, dec: Floats, error: Floats, reference: ReferenceStars, frame: Frame
) -> Residual:
    """Compare stars with the reference.

    Parameters
    ----------
    ra, dec : (n,) ndarray of float64
        Their positions in degrees.
    error : (n,) ndarray of float64
        Standard errors along each axis, arcsec.
    reference : ReferenceStars
        The catalogue.
    frame : Frame
        How to compare.

    Returns
    -------
    Residual
        Without pairs where the two could not be matched.
    """
    if ra.size == 0 or reference.ra_deg.size == 0:
        return _none(ra.size, frame, "there are no stars to compare")
    centre = middle(reference.ra_deg, reference.dec_deg)
    first = np.stack(to_tangent_plane(ra, dec, *centre), axis=1)
    second = np.stack(to_tangent_plane(reference.ra_deg, reference.dec_deg, *centre), axis=1)
    found = match(
        first,
        second,
        MatchOptions(
            search_arcsec=frame.search_pix * frame.scale_arcsec + reference.moved_arcsec,
            tolerance_arcsec=frame.tolerance_pix * frame.scale_arcsec,
            geometry=frame.geometry,
            minimum_pairs=frame.minimum_pairs,
            clip_sigma=frame.clip_sigma,
        ),
        first_error=error,
        second_error=reference.error_arcsec,
    )
    if not isinstance(found, Match):
        return _none(ra.size, frame, found.text)
    pairing = Pairing(
        centre,
        first[found.first],
        second[found.second],
        np.hypot(error[found.first], reference.error_arcsec[found.second]),
    )
    return _residual(found, first, pairing, frame)


def as_catalogue(chips: Mapping[int, ChipStars], wcs: Mapping[int, Any]) -> ReferenceStars:
    """Return the stars of an exposure as a catalogue that others can be compared with.

    Parameters
    ----------
    chips : mapping of int to ChipStars
        Stars by EXTVER.
    wcs : mapping of int to WCS
        The WCS of every chip as it is now.

    Returns
    -------
    ReferenceStars
        The brightest first.
    """
    ra, dec, error = _positions(chips, wcs)
    rates = [chip.rate for _, chip in sorted(chips.items()) if chip.x.size]
    rate = np.concatenate(rates) if rates else np.zeros(0)
    order = np.argsort(-rate, kind="stable")
    return ReferenceStars(ra[order], dec[order], error[order], rate[order])


def _positions(
    chips: Mapping[int, ChipStars], wcs: Mapping[int, Any]
) -> tuple[Floats, Floats, Floats]:
    ra, dec, error = [], [], []
    for version, chip in sorted(chips.items()):
        if chip.x.size:
            alpha, delta = wcs[version].all_pix2world(chip.x, chip.y, 0)
            ra.append(np.asarray(alpha, np.float64) % 360.0)
            dec.append(np.asarray(delta, np.float64))
            error.append(chip.error_arcsec)
    if not ra:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    return np.concatenate(ra), np.concatenate(dec), np.concatenate(error)


def _residual(found: Match, first: Floats, pairing: Pairing, frame: Frame) -> Residual:
    left = (pairing.reference - pairing.star) * 1000.0
    rms = np.sqrt(np.mean(left**2, axis=0))
    reach = float(np.max(np.hypot(*(first - np.mean(first, axis=0)).T)))
    edge = np.mean(first, axis=0) + reach * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    moved = found.transform(edge) - edge
    return Residual(
        stars=len(first),
        pairs=found.pairs,
        star=found.first,
        reference=found.second,
        east_mas=left[:, 0],
        north_mas=left[:, 1],
        rms_mas=(float(rms[0]), float(rms[1])),
        offset_mas=float(np.hypot(*np.mean(left, axis=0))),
        error_mas=float(np.max(found.error_at(first))) * 1000.0,
        correction_mas=float(np.max(np.hypot(*moved.T))) * 1000.0,
        scale_mas=frame.scale_arcsec * 1000.0,
        pairing=pairing,
    )


def _none(stars: int, frame: Frame, why: str) -> Residual:
    empty, nothing = np.zeros(0), math.nan
    rows = np.zeros(0, np.int64)
    scale = frame.scale_arcsec * 1000.0
    return Residual(
        stars,
        0,
        rows,
        rows,
        empty,
        empty,
        (nothing, nothing),
        nothing,
        nothing,
        nothing,
        scale,
        why,
    )


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
