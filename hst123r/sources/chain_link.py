"""How visits are fitted to a catalogue that grows, and what became of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hst123r.records.geometry import Geometry


@dataclass(frozen=True, slots=True)
class ChainOptions:
    """How a visit is fitted to the catalogue, and what makes a fit good.

    Parameters
    ----------
    search_arcsec, tolerance_arcsec : float
        How far stars may be from where the headers put them, and how well they agree then.
    geometry : str
        What is fitted.
    min_matches : int
        Fewest matches.
    max_rms_mas, max_error_mas : float
        Largest residual along an axis, and largest standard error at the edge of the visit.
    """

    search_arcsec: float = 1.0
    tolerance_arcsec: float = 0.1
    geometry: Geometry = "rshift"
    min_matches: int = 8
    max_rms_mas: float = 25.0
    max_error_mas: float = 10.0


@dataclass(frozen=True, slots=True)
class Link:
    """What became of a visit that was to be added.

    Parameters
    ----------
    label : str
        Name of the visit.
    why_not : str
        Why it was not added, empty where it was.
    through : str
        Name of the visit that it was fitted to most of all.
    links : int
        Fits between its stars and those of the reference, its own among them.
    matches, added : int
        Stars that it shares with the catalogue, and stars that it adds.
    rms_mas : (float, float)
        Root mean square residuals to the east and north, NaN without matches.
    error_mas : float
        Standard error of its place at its edge, against what it was fitted to.
    moved_arcsec : (float, float)
        How far its middle was moved to the east and north.
    rotation_deg : float
        By how much it was turned.
    stars, carried : int
        Its stars, and those that were brought to the time of the reference.
    years : float
        How much later than the reference it was observed, NaN where that does not matter.
    instead : str
        What became of exposures that it was to reach, empty where nothing did or it was added.
    """

    label: str
    why_not: str
    through: str = ""
    links: int = 0
    matches: int = 0
    added: int = 0
    rms_mas: tuple[float, float] = (math.nan, math.nan)
    error_mas: float = math.nan
    moved_arcsec: tuple[float, float] = (math.nan, math.nan)
    rotation_deg: float = math.nan
    stars: int = 0
    carried: int = 0
    years: float = math.nan
    instead: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what people want to read, as plain values."""
        numbers = {
            "rms_east_mas": self.rms_mas[0],
            "rms_north_mas": self.rms_mas[1],
            "error_mas": self.error_mas,
            "moved_east_arcsec": self.moved_arcsec[0],
            "moved_north_arcsec": self.moved_arcsec[1],
            "rotation_deg": self.rotation_deg,
            "years": self.years,
        }
        return {
            "label": self.label,
            "why_not": self.why_not,
            "instead": self.instead,
            "through": self.through,
            "links": self.links,
            "matches": self.matches,
            "added": self.added,
            "stars": self.stars,
            "carried": self.carried,
            **{k: None if math.isnan(v) else round(v, 6) for k, v in numbers.items()},
        }
