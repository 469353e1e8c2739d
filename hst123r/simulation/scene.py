"""The sky: stars and transients with positions, and magnitudes in any filter at any date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.simulation.model import Programme, Star, StarField, Transient

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REFERENCE_UM: Final = 0.555
_COLOUR_UM: Final = 0.814
FAINTEST: Final = 99.0
"""Magnitude that stands for no light at all."""

STAR_SEED: Final = 11
"""First word of the seeds of the star field, so that it shares none with the exposures."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All point sources, one row each.

    Parameters
    ----------
    number : (n,) ndarray of int64
        Star numbers, from 1, unique.
    ra_deg, dec_deg : (n,) ndarray of float64
        True positions, ICRS.
    magnitude_ab, colour : (n,) ndarray of float64
        AB magnitude at 555 nm, and that less the magnitude at 814 nm. The magnitude of a
        transient is meaningless; its light curve counts.
    by_filter : dict of str to (n,) ndarray of float64
        Given magnitudes, NaN where the colour decides.
    transients : dict of int to Transient
        Light curves by star number.
    """

    number: Integers
    ra_deg: Floats
    dec_deg: Floats
    magnitude_ab: Floats
    colour: Floats
    by_filter: dict[str, Floats]
    transients: dict[int, Transient]

    def magnitudes(self, filter_name: str, pivot_angstrom: float, mjd: float) -> Floats:
        """Return AB magnitudes in a filter at a date.

        Between filters a magnitude is a straight line in 1/wavelength, which is nearly what
        a black body does; given magnitudes go before it.

        Parameters
        ----------
        filter_name : str
            Name of the filter.
        pivot_angstrom : float
            Its pivot wavelength in Angstrom.
        mjd : float
            Modified Julian date, for transients.

        Returns
        -------
        (n,) ndarray of float64
            AB magnitudes, 99 for no light.
        """
        steps = _colour_steps(pivot_angstrom)
        result = self.magnitude_ab - self.colour * steps
        for row in np.flatnonzero(np.isin(self.number, list(self.transients))):
            curve = self.transients[int(self.number[row])]
            result[row] = light_curve(curve, mjd) - curve.colour * steps
        given = self.by_filter.get(filter_name)
        if given is not None:
            result = np.where(np.isnan(given), result, given)
        return np.asarray(np.minimum(result, FAINTEST))


def _colour_steps(pivot_angstrom: float) -> float:
    """Return how many colours (555 nm to 814 nm) lie between 555 nm and a wavelength."""
    wave = 1 / REFERENCE_UM - 1 / (pivot_angstrom * 1e-4)
    return wave / (1 / REFERENCE_UM - 1 / _COLOUR_UM)


def light_curve(transient: Transient, mjd: float) -> float:
    """Return the magnitude of a transient at 555 nm at a date, 99 before its first point."""
    dates, magnitudes = np.array(transient.dates_mjd), np.array(transient.magnitudes_ab)
    if mjd < dates[0]:
        return FAINTEST
    if mjd > dates[-1] and len(dates) > 1:
        slope = (magnitudes[-1] - magnitudes[-2]) / (dates[-1] - dates[-2])
        return float(min(magnitudes[-1] + slope * (mjd - dates[-1]), FAINTEST))
    return float(np.interp(mjd, dates, magnitudes))


def build(programme: Programme) -> Scene:
    """Return the scene of a programme: its random field, its stars and its transients.

    Parameters
    ----------
    programme : Programme
        The programme.

    Returns
    -------
    Scene
        Numbered from 1: first the field from the brightest star on, then the given stars,
        then the transients.
    """
    ra, dec, magnitude, colour = _random_field(
        programme.field, programme.ra_deg, programme.dec_deg, programme.seed
    )
    others: list[Star | Transient] = [*programme.stars, *programme.transients]
    ra = np.append(ra, [item.ra_deg for item in others])
    dec = np.append(dec, [item.dec_deg for item in others])
    colour = np.append(colour, [item.colour for item in others])
    magnitude = np.append(magnitude, [star.magnitude_ab for star in programme.stars])
    magnitude = np.append(magnitude, [FAINTEST for _ in programme.transients])
    number = np.arange(1, ra.size + 1)
    first_star = ra.size - len(others)
    given = sorted({name for star in programme.stars for name in star.by_filter})
    by_filter = {name: np.full(ra.size, np.nan) for name in given}
    for index, star in enumerate(programme.stars):
        for name, value in star.by_filter.items():
            by_filter[name][first_star + index] = value
    first_transient = ra.size - len(programme.transients)
    transients = {
        int(number[first_transient + index]): item
        for index, item in enumerate(programme.transients)
    }
    return Scene(number, ra, dec, magnitude, colour, by_filter, transients)


def _random_field(
    field: StarField, ra_deg: float, dec_deg: float, seed: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Draw stars uniformly over a disc, from the brightest on."""
    rng = np.random.default_rng(np.random.SeedSequence([STAR_SEED, seed]))
    # inverse of the cumulative luminosity function dN/dm ~ 10**(slope m)
    share = np.sort(rng.random(field.stars))
    span = field.faintest_ab - field.brightest_ab
    growth = field.slope * span
    if abs(growth) < 1e-6:
        magnitude = field.brightest_ab + span * share
    else:
        magnitude = field.brightest_ab + np.log10(1 + share * (10**growth - 1)) / field.slope
    colour = rng.normal(field.colour, field.colour_scatter, field.stars)
    radius = field.radius_arcsec * np.sqrt(rng.random(field.stars))
    angle = rng.uniform(0, 2 * np.pi, field.stars)
    xi, eta = radius * np.sin(angle), radius * np.cos(angle)
    if field.separation_arcsec > 0:
        keep = _apart(xi, eta, field.separation_arcsec)
        xi, eta, magnitude, colour = xi[keep], eta[keep], magnitude[keep], colour[keep]
    ra, dec = from_tangent_plane(xi, eta, ra_deg, dec_deg)
    return ra, dec, magnitude, colour


def _apart(x: Floats, y: Floats, distance: float) -> Integers:
    """Return the points that have no earlier, kept point closer than a distance."""
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([x, y]))
    keep = np.ones(x.size, bool)
    for first, second in sorted(tree.query_pairs(distance)):
        if keep[first]:
            keep[second] = False
    return np.flatnonzero(keep).astype(np.int64)


def from_tangent_plane(
    xi_arcsec: Floats, eta_arcsec: Floats, ra_deg: float, dec_deg: float
) -> tuple[Floats, Floats]:
    """Deproject points of a tangent plane (Calabretta & Greisen 2002, A&A 395, 1077).

    Parameters
    ----------
    xi_arcsec, eta_arcsec : ndarray of float64
        Coordinates to the east and north, in arcseconds.
    ra_deg, dec_deg : float
        The point of contact.

    Returns
    -------
    ra_deg, dec_deg : ndarray of float64
        Sky positions, right ascension in [0, 360).
    """
    xi, eta = np.radians(xi_arcsec / 3600), np.radians(eta_arcsec / 3600)
    ra0, dec0 = np.radians(ra_deg), np.radians(dec_deg)
    down = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0 + np.arctan2(xi, down)
    dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, down))
    return np.degrees(ra) % 360.0, np.degrees(dec)
