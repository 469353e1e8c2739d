"""Footprints as an archive writes them: what they are, and how far from a place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

FRAMES: Final = frozenset({"ICRS", "J2000", "FK5", "GSC1", "GSC2"})
"""Frames that agree within an arcsecond or two with the ICRS, less than a pointing is wrong by."""
_ARCSEC: Final = 3600.0 * 180.0 / math.pi


@dataclass(frozen=True, slots=True)
class Footprint:
    """Polygons and circles on the sky; what is inside any of them is inside.

    Parameters
    ----------
    polygons : tuple of tuple of (float, float)
        Corners in degrees.
    circles : tuple of (float, float, float)
        Centre and radius in degrees.
    """

    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()

    def distance_arcsec(self, ra_deg: float, dec_deg: float) -> float:
        """Return how far outside a place is.

        Parameters
        ----------
        ra_deg, dec_deg : float
            The place in degrees.

        Returns
        -------
        float
            Arcseconds to the nearest edge, 0 inside; infinity on the other side of the sky.
        """
        found = [_of_polygon(corners, ra_deg, dec_deg) for corners in self.polygons]
        for ra, dec, radius in self.circles:
            away = math.hypot(*_plane(ra, dec, ra_deg, dec_deg))
            found.append(max(0.0, away - math.tan(math.radians(radius)) * _ARCSEC))
        return min(found, default=math.inf)


def parse(text: str | None) -> Footprint | None:
    """Read a footprint.

    Parameters
    ----------
    text : str or None
        STC-S as in the column ``s_region``: ``POLYGON ICRS 1 2 3 4 5 6``, several of them in a
        row, or ``CIRCLE ICRS 1 2 0.1``.

    Returns
    -------
    Footprint or None
        None where it is not known or not understood, be it in part: then only the WCS can tell.
    """
    words = (text or "").upper().split()
    starts = [i for i, word in enumerate(words) if word in {"POLYGON", "CIRCLE"}]
    if not starts or starts[0] != 0:
        return None
    polygons: list[tuple[tuple[float, float], ...]] = []
    circles: list[tuple[float, float, float]] = []
    for start, end in pairwise([*starts, len(words)]):
        rest = words[start + 1 : end]
        if rest and rest[0][0].isalpha() and rest.pop(0) not in FRAMES:
            return None
        try:
            numbers = [float(word) for word in rest]
        except ValueError:
            return None
        if words[start] == "CIRCLE":
            if len(numbers) != 3:
                return None
            circles.append((numbers[0], numbers[1], numbers[2]))
        else:
            if len(numbers) < 6 or len(numbers) % 2:
                return None
            polygons.append(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    return Footprint(tuple(polygons), tuple(circles))


def _plane(ra: float, dec: float, ra0: float, dec0: float) -> tuple[float, float]:
    """Gnomonic projection (Calabretta & Greisen 2002, section 5.1.3), in arcsec.

    Great circles become straight lines, so that inside and outside are exact.
    """
    away, here, there = math.radians(ra - ra0), math.radians(dec), math.radians(dec0)
    down = math.sin(there) * math.sin(here) + math.cos(there) * math.cos(here) * math.cos(away)
    if down <= 0:
        return math.inf, math.inf
    east = math.cos(here) * math.sin(away)
    north = math.cos(there) * math.sin(here) - math.sin(there) * math.cos(here) * math.cos(away)
    return east / down * _ARCSEC, north / down * _ARCSEC


def _of_polygon(corners: tuple[tuple[float, float], ...], ra: float, dec: float) -> float:
    points = [_plane(*corner, ra, dec) for corner in corners]
    if any(math.isinf(x) for x, _ in points):
        return math.inf
    inside, nearest = False, math.inf
    for (x1, y1), (x2, y2) in pairwise([*points, points[0]]):
        if (y1 > 0) != (y2 > 0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0:
            inside = not inside
        along, up = x2 - x1, y2 - y1
        length = along**2 + up**2
        share = 0.0 if length == 0 else min(1.0, max(0.0, -(x1 * along + y1 * up) / length))
        nearest = min(nearest, math.hypot(x1 + share * along, y1 + share * up))
    return 0.0 if inside else nearest
