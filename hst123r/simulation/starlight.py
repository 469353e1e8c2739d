"""How the light of stars falls on a chip: the PSF of each star's own place, with published light.

The shape of the pixels changes over a chip smoothly, so the PSF is taken to be a polynomial of the
place. Its terms are painted one after the other: all but the constant one are faint, and few pixels
of them are seen. Photometry interpolates in another way between other places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from hst123r.optics.encircled import Matrix, Published, published_light, sky_circle
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.telescope import chip_facts, effective_psf, pixel_matrix

if TYPE_CHECKING:
    from hst123r.instruments.detector import Detector
    from hst123r.optics.varying import VaryingPSF
    from hst123r.simulation.geometry import Window

Floats = NDArray[np.float64]
Nodes = tuple[tuple[float, float], ...]
Orders = tuple[tuple[int, int], ...]

SMALL: Final = 0.25
"""Up to this share of a side of the chip the PSF is linear along it, and quadratic beyond: fluxes
are right to 0.0001 mag (measured by us on all detectors)."""
_LEAST: Final = 2e-5
"""Terms whose largest value is below this fraction of the PSF's are left out."""
_REACH_PIX: Final = 24
"""What changes with the place is not followed further out, where it is 0.0002 of the light."""
_CORNERS: Final = ((-0.6, -0.6), (0.6, -0.6), (0.0, 0.8))
"""Where the PSF is computed that is linear along both axes, -1 to 1 over the part."""
_WIDER: Final = 1.5
"""The light beyond the published circle is that of the halo from this many radii on."""


@dataclass(frozen=True, eq=False)
class Starlight:
    """The PSF of stars on a chip, or on a part of it.

    Parameters
    ----------
    terms : tuple of EffectivePSF
        What is multiplied by the polynomials, and added up.
    orders : tuple of (int, int)
        Orders of the Chebyshev polynomials of each term, along x and y.
    columns, rows : int
        Size of the part, on which the polynomials run from -1 to 1.
    """

    terms: tuple[EffectivePSF, ...]
    orders: Orders
    columns: int
    rows: int

    @property
    def half_pix(self) -> int:
        """How far the light of a star reaches, in pixels."""
        return self.terms[0].half_pix

    def shares(self, x: Floats, y: Floats) -> Iterator[tuple[EffectivePSF, Floats]]:
        """Return each term, and what it is multiplied by.

        Parameters
        ----------
        x, y : (n,) ndarray of float64
            Zero-based pixels of the part.

        Yields
        ------
        term : EffectivePSF
            The term.
        share : (n,) ndarray of float64
            Its factor for each star.
        """
        places = np.stack([2 * x / (self.columns - 1) - 1, 2 * y / (self.rows - 1) - 1], axis=1)
        yield from zip(self.terms, _chebyshev(places, self.orders).T, strict=True)


def starlight(detector: Detector, filter_name: str, chip: int, window: Window) -> Starlight:
    """Compute the PSF over a part of a chip.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    filter_name : str
        Name of the filter.
    chip : int
        Number of the chip.
    window : Window
        The part that is kept; the PSFs of few places are enough where it is small.

    Returns
    -------
    Starlight
        With the published light, where there is a table.

    Raises
    ------
    InputError
        As :func:`~hst123r.optics.telescope.effective_psf`.
    """
    facts = chip_facts(detector, chip)
    nodes, orders = _nodes(
        2 if window.columns <= SMALL * facts.columns else 3,
        2 if window.rows <= SMALL * facts.rows else 3,
    )
    places = [
        (
            window.x0 + (window.columns - 1) * (1 + u) / 2,
            window.y0 + (window.rows - 1) * (1 + v) / 2,
        )
        for u, v in nodes
    ]
    psfs = tuple(effective_psf(detector, filter_name, chip=chip, position=p) for p in places)
    pixels = tuple(pixel_matrix(detector, facts.geometry, place) for place in places)
    terms, kept = _polynomial(psfs, pixels, published_light(detector, filter_name), nodes, orders)
    return Starlight(terms, kept, window.columns, window.rows)


def starlight_of_grid(
    detector: Detector, filter_name: str, chip: int, window: Window, psf: VaryingPSF
) -> Starlight:
    """Return measured PSFs over a part of a chip, with the published light.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    filter_name : str
        Name of the filter.
    chip : int
        Number of the chip.
    window : Window
        The part that is kept.
    psf : VaryingPSF
        The PSF of the full chip, interpolated as the library's authors do it.

    Returns
    -------
    Starlight
        Of one term.
    """
    published = published_light(detector, filter_name)
    if published is not None:
        grid, geometry = psf.grid, chip_facts(detector, chip).geometry
        brought = [
            _with_light(one, grid.oversampling, pixel_matrix(detector, geometry, place), published)
            for one, place in zip(
                grid.psfs.reshape(-1, *psf.data.shape),
                [(float(x), float(y)) for y in grid.y for x in grid.x],
                strict=True,
            )
        ]
        psf = psf.of(replace(grid, psfs=np.reshape(brought, grid.psfs.shape)))
    return Starlight((psf.moved(window.x0, window.y0),), ((0, 0),), window.columns, window.rows)


def _nodes(along_x: int, along_y: int) -> tuple[Nodes, Orders]:
    """Return where a PSF is computed that has so many terms along each axis, and their orders."""
    orders = tuple((i, j) for j in range(along_y) for i in range(along_x))
    if along_x == along_y == 2:
        # the product of both is nothing on a small part
        return _CORNERS, orders[:3]
    zeros = [
        [float(np.cos(np.pi * (k + 0.5) / count)) for k in range(count)]
        for count in (along_x, along_y)
    ]
    return tuple((u, v) for v in zeros[1] for u in zeros[0]), orders


def _chebyshev(nodes: Floats, orders: Orders) -> Floats:
    """Return the polynomials at places from -1 to 1, shape (places, orders)."""
    highest = max(max(order) for order in orders)
    along = [chebvander(values, highest) for values in np.transpose(nodes)]
    return np.stack([along[0][:, i] * along[1][:, j] for i, j in orders], axis=1)


@lru_cache(maxsize=8)
def _polynomial(
    psfs: tuple[EffectivePSF, ...],
    pixels: tuple[Matrix, ...],
    published: Published | None,
    nodes: Nodes,
    orders: Orders,
) -> tuple[tuple[EffectivePSF, ...], Orders]:
    """Return the terms of the polynomial through PSFs at nodes, and their orders."""
    step, middle = psfs[0].oversampling, psfs[0].middle
    values = [
        psf.data if published is None else _with_light(psf.data, step, matrix, published)
        for psf, matrix in zip(psfs, pixels, strict=True)
    ]
    inverse = np.linalg.inv(_chebyshev(np.array(nodes), orders))
    found = np.tensordot(inverse, np.array(values), axes=1)
    least = _LEAST * float(np.abs(found[0]).max())
    reach = _REACH_PIX * step
    inner = slice(max(0, middle - reach), middle + reach + 1)
    terms = [EffectivePSF(found[0], step)]
    kept = [orders[0]]
    for order, term in zip(orders[1:], found[1:], strict=True):
        if float(np.abs(term).max()) > least:
            terms.append(EffectivePSF(term[inner, inner], step))
            kept.append(order)
    return tuple(terms), tuple(kept)


def _with_light(data: Floats, oversampling: int, pixel: Matrix, published: Published) -> Floats:
    """Return a PSF that has the published fraction of its light within the published circle.

    It is scaled within the circle; beyond, so much goes into the halo, or out of it, that all of
    the light is still 1. The circle is one on the sky, whatever the shape of the pixels.
    """
    radius = published.radius_arcsec
    distance, circle = sky_circle(data.shape[0], oversampling, pixel, radius)
    inside = float(np.sum(data * circle)) / oversampling**2
    t = np.clip((distance / radius - 1) / (_WIDER - 1), 0.0, 1.0)
    halo = t**2 * (3 - 2 * t)
    # what is beyond the array is all halo
    beyond = 1.0 - float(np.sum(data * (1.0 - halo))) / oversampling**2
    scale = published.fraction / inside
    return np.asarray(data * (scale + (1.0 - scale) / beyond * halo), np.float64)
