"""Limits of the rows of a light curve from the sources around the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hst123r.photometry.flags import Flag
from hst123r.products.photometry_tables import read_table
from hst123r.records.outcome import Product

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.photometry.relation import Relation

RADIUS_ARCSEC: Final = 10.0
"""Sources nearer than this are asked first."""
DOUBLINGS: Final = 3
"""How often the radius is doubled while they are too few, up to 80 arcsec."""
MOST: Final = 400
"""The nearest sources, at most; more say nothing about the place any more."""
_LESS: Final = int(Flag.PARTLY_MASKED | Flag.POOR_FIT | Flag.BLENDED)
"""The errors of such fluxes are larger than those of a star alone on whole pixels. One that has
lost pixels further out to a cosmic ray has its error unchanged."""


@dataclass(frozen=True, slots=True)
class LocalLimit:
    """A limit from the sources around a place.

    Parameters
    ----------
    magnitude : float
        AB magnitude; NaN where the sources do not tell.
    sources : int
        How many sources it is made of.
    radius_arcsec : float
        How far they are away at most.
    """

    magnitude: float
    sources: int
    radius_arcsec: float


class Neighbours:
    """Fluxes of the sources around a place in every exposure of a filter.

    Parameters
    ----------
    product : Product
        A result of the stage `photometry`.
    ra_deg, dec_deg : float
        The place.
    without : collection of int
        Numbers of sources to leave out: what the limit is about.
    """

    def __init__(
        self, product: Product, ra_deg: float, dec_deg: float, without: Sequence[int]
    ) -> None:
        import numpy as np

        from hst123r.algorithms.sphere import separation_arcsec

        table = read_table(product.files["catalog"], ("source", "ra", "dec", "target"))
        numbers = np.asarray(table["source"])
        distance = separation_arcsec(
            ra_deg, dec_deg, np.asarray(table["ra"]), np.asarray(table["dec"])
        )
        other = ~np.isin(numbers, list(without))
        other &= np.array([str(name) == "" for name in table["target"]], np.bool_)
        other &= distance <= RADIUS_ARCSEC * 2**DOUBLINGS
        near = np.flatnonzero(other)
        near = near[np.lexsort((numbers[near], distance[near]))][:MOST]
        self.distance: NDArray[np.float64] = distance[near]
        needs = ("source", "exposure", "flux", "flux_err", "flags", "used")
        self._read(read_table(product.files["measurements"], needs), numbers[near])

    def _read(self, singles: Any, numbers: NDArray[np.int64]) -> None:
        import numpy as np

        source = np.asarray(singles["source"], np.int64)
        here = np.flatnonzero(np.isin(source, numbers))
        roots = np.array([str(name).strip() for name in singles["exposure"][here]])
        self.roots = sorted(set(roots.tolist()))
        order = np.argsort(numbers)
        column = order[np.searchsorted(numbers, source[here], sorter=order)]
        row = np.searchsorted(self.roots, roots) if self.roots else np.zeros(0, np.int64)
        shape = (len(self.roots), numbers.size)
        arrays = {}
        for name in ("flux", "flux_err"):
            arrays[name] = np.full(shape, np.nan)
            arrays[name][row, column] = np.asarray(singles[name], np.float64)[here]
        self.flux, self.error = arrays.values()
        self.whole = np.zeros(shape, np.bool_)
        whole = (np.asarray(singles["flags"], np.int64)[here] & _LESS) == 0
        self.whole[row, column] = whole & np.asarray(singles["used"], np.bool_)[here]

    def limit(self, roots: Sequence[str], nsigma: float) -> LocalLimit:
        """Return the limit for the mean of some exposures.

        The sources tell the variance of each exposure by itself, so that a source which one of many
        exposures has lost still speaks of the others. Variances add as those of the mean do.

        Parameters
        ----------
        roots : sequence of str
            Root names of the exposures.
        nsigma : float
            Its S/N.

        Returns
        -------
        LocalLimit
            From the sources within 10 arcsec, or within twice that, and so on, until they tell of
            each exposure; the number is that of the exposure with the fewest.
        """
        import numpy as np

        from hst123r.photometry.limits import limiting_flux
        from hst123r.photometry.magnitudes import magnitude_ab

        rows = [number for number, root in enumerate(self.roots) if root in roots]
        told = [self._relation(row, nsigma) for row in rows]
        if not told:
            return LocalLimit(float("nan"), 0, RADIUS_ARCSEC * 2**DOUBLINGS)
        weight = 1.0 / np.array([relation.background for relation, _ in told])
        slope = np.array([relation.slope for relation, _ in told])
        total = weight.sum()
        mean_slope = float((weight**2 * slope).sum() / total**2)
        flux = limiting_flux(0.0, total**-0.5, mean_slope, nsigma)
        return LocalLimit(
            float(magnitude_ab(flux)),
            min(relation.sources for relation, _ in told),
            max(radius for _, radius in told),
        )

    def _relation(self, row: int, nsigma: float) -> tuple[Relation, float]:
        """Return what the sources tell of an exposure, and within which radius."""
        from hst123r.photometry.relation import fit_relation

        for turn in range(DOUBLINGS + 1):
            radius = RADIUS_ARCSEC * 2**turn
            near = self.whole[row] & (self.distance <= radius)
            found = fit_relation(self.flux[row, near], self.error[row, near], nsigma)
            if found.background > 0:
                break
        return found, radius


def with_local_limits(
    rows: Sequence[Mapping[str, Any]],
    photometry: Sequence[Product],
    place: tuple[float, float],
    nsigma: float,
) -> list[dict[str, Any]]:
    """Return rows of light curves with limits from the sources around.

    Parameters
    ----------
    rows : sequence of mapping
        As `light_curve` gives them.
    photometry : sequence of Product
        Results of the stage `photometry`.
    place : (float, float)
        Right ascension and declination of the target in degrees.
    nsigma : float
        S/N of the limit.

    Returns
    -------
    list of dict
        With other limits, and their method; None where the sources do not tell.
    """
    import math

    from hst123r.photometry.relation import METHOD

    around: dict[tuple[str, str], Neighbours] = {}
    known: dict[tuple[str, str, tuple[str, ...]], LocalLimit] = {}
    own = sorted({int(row["source"]) for row in rows})
    for product in photometry:
        group = product.labels["detector"], product.labels["filter"]
        around[group] = Neighbours(product, *place, own)
    done = []
    for row in rows:
        band = row["detector"], row["filter"]
        members = tuple(members_of(row, rows))
        key = (*band, members)
        if key not in known:
            known[key] = around[band].limit(members, nsigma)
        limit = known[key].magnitude
        value = limit if math.isfinite(limit) else None
        done.append({**row, "limit_ab": value, "limit_method": METHOD})
    return done


def members_of(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the root names of the exposures that a row of a light curve is about.

    Parameters
    ----------
    row : mapping
        A row.
    rows : sequence of mapping
        All rows.

    Returns
    -------
    list of str
        Sorted.
    """
    if row["level"] == "exposure":
        return [row["exposure"]]
    return sorted(
        {
            other["exposure"]
            for other in rows
            if other["level"] == "exposure"
            and all(other[name] == row[name] for name in ("source", "detector", "filter"))
            and (row["level"] == "filter" or other[row["level"]] == row[row["level"]])
        }
    )
