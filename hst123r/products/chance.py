"""How likely a source stands so near a target by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RADIUS_ARCSEC: Final = 10.0
"""The density is that of the sources nearer than this to the target."""
_SAMPLES: Final = 4000
"""Points that tell how much of that circle is on exposures; 1 % or better."""
_GOLDEN: Final = 2.399963229728653
"""Golden angle in radians: points at multiples of it fill a circle evenly."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Probability of a chance alignment.

    Parameters
    ----------
    probability : float
        ``1 - exp(-pi r^2 rho)``: that at least one unrelated source as bright lies within the
        separation r.
    density_arcsec2 : float
        rho, sources per square arcsecond at least as bright, the source itself counted.
    sources : int
        How many those are.
    radius_arcsec : float
        Within this distance of the target.
    covered : float
        Fraction of that circle that is on exposures.
    brighter_than_ab : float
        AB magnitude of the source: sources fainter than this do not count.
    band : str
        Detector and filter of that magnitude, the one with the highest S/N of the source.
    """

    probability: float
    density_arcsec2: float
    sources: int
    radius_arcsec: float
    covered: float
    brighter_than_ab: float
    band: str

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain values, by names that say what they are about."""
        return {f"chance_{name}": value for name, value in asdict(self).items()}


def probability(separation_arcsec: float, density_arcsec2: float) -> float:
    """Return the probability of one or more sources within a separation.

    Parameters
    ----------
    separation_arcsec : float
        r.
    density_arcsec2 : float
        rho; sources are taken to lie independently of one another (Poisson).

    Returns
    -------
    float
        ``1 - exp(-pi r^2 rho)``.
    """
    import math

    return -math.expm1(-math.pi * separation_arcsec**2 * density_arcsec2)


def covered(polygons: Sequence[NDArray[np.float64]], radius: float) -> float:
    """Return the fraction of a circle around the origin that polygons cover.

    Parameters
    ----------
    polygons : sequence of (k, 2) ndarray of float64
        Corners on a plane.
    radius : float
        Radius of the circle in the same unit.

    Returns
    -------
    float
        From 0 to 1, of points that fill the circle evenly and are always the same.
    """
    import numpy as np

    from hst123r.algorithms.polygons import covers

    steps = np.arange(_SAMPLES)
    distance = radius * np.sqrt((steps + 0.5) / _SAMPLES)
    points = np.stack(
        [distance * np.cos(steps * _GOLDEN), distance * np.sin(steps * _GOLDEN)], axis=1
    )
    return float(np.mean(covers(polygons, points)))


def chance_of(
    source: int,
    separation_arcsec: float,
    place: tuple[float, float],
    catalogues: Sequence[tuple[str, Any, Sequence[Sequence[Sequence[float]]]]],
    nsigma: float,
) -> Chance | None:
    """Return the probability that a source is near a target by chance.

    Parameters
    ----------
    source : int
        Number of the source.
    separation_arcsec : float
        How far it is from the target.
    place : (float, float)
        Right ascension and declination of the target in degrees.
    catalogues : sequence of (str, Table, corners)
        Detector and filter, catalogue, and corners in degrees of the chips that were measured.
    nsigma : float
        S/N that sources must have to count.

    Returns
    -------
    Chance or None
        None where the source has no magnitude in any filter.
    """
    import numpy as np

    from hst123r.algorithms.sphere import separation_arcsec as separation
    from hst123r.photometry.magnitudes import magnitude_ab

    best: tuple[float, str, Any, Any] | None = None
    for band, table, corners in catalogues:
        row = np.flatnonzero(np.asarray(table["source"]) == source)
        snr = float(table["snr"][row[0]]) if row.size else float("nan")
        if snr >= nsigma and (best is None or snr > best[0]):
            best = snr, band, table, corners
    if best is None:
        return None
    _, band, table, corners = best
    ra, dec = place
    distance = separation(ra, dec, np.asarray(table["ra"]), np.asarray(table["dec"]))
    flux = np.asarray(table["flux"], np.float64)
    own = float(flux[np.asarray(table["source"]) == source][0])
    with np.errstate(invalid="ignore"):
        counts = (distance <= RADIUS_ARCSEC) & (flux >= own)
        counts &= np.asarray(table["snr"], np.float64) >= nsigma
    narrow = np.cos(np.radians(dec))
    polygons = []
    for polygon in corners:
        corner = np.asarray(polygon, np.float64)
        east = (corner[:, 0] - ra + 180.0) % 360.0 - 180.0
        polygons.append(np.stack([east * narrow, corner[:, 1] - dec], axis=1) * 3600)
    share = covered(polygons, RADIUS_ARCSEC)
    number = max(int(np.count_nonzero(counts)), 1)
    density = number / (np.pi * RADIUS_ARCSEC**2 * max(share, 1.0 / _SAMPLES))
    magnitude = float(magnitude_ab(own))
    return Chance(
        probability(separation_arcsec, density), float(density), number, RADIUS_ARCSEC, share,
        magnitude, band,
    )  # fmt: skip
