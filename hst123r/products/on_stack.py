"""Which exposures have a pixel on a stack."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.algorithms.grid import Extent
    from hst123r.records.outcome import Product

_POINTS: Final = 65
"""Along each side, of chips and of the stack: what they share is missed below 1/64 of a side."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of a stack lie.

    Parameters
    ----------
    centre : (float, float)
        Right ascension and declination of the tangent point, degrees.
    extent : Extent
        Its one-based pixel, and rows and columns.
    scale_arcsec : float
        Pixel scale.
    rotation_deg : float
        Position angle of the y axis, degrees east of north.
    """

    centre: tuple[float, float]
    extent: Extent
    scale_arcsec: float
    rotation_deg: float


def on_stack(
    inputs: Mapping[str, list[Product]], place: Place
) -> tuple[dict[str, list[Product]], list[Caveat]]:
    """Leave exposures out that lie beside a stack.

    They would be combined as images of zeros with those that do lie on it, and the cores of stars
    taken for cosmic rays.

    Parameters
    ----------
    inputs : mapping of str to list of Product
        Among them ``exposure``; the others are of exposures, by the same names.
    place : Place
        The pixels of the stack.

    Returns
    -------
    dict of str to list of Product, list of Caveat
        What is left, and a caveat for each exposure that is not. Everything where no exposure
        lies on the stack.
    """
    gone = {
        product.name
        for product in inputs["exposure"]
        if not reaches(outlines_of(product.files["science"], Exposure.own(product.facts)), place)
    }
    if len(gone) == len(inputs["exposure"]):
        gone = set()
    left = {
        kind: [product for product in products if product.name not in gone]
        for kind, products in inputs.items()
    }
    text = "lies beside the stack, and was left out; make `size` larger to have it"
    return left, [Caveat("beside_stack", f"{root} {text}", root) for root in sorted(gone)]


def reaches(outlines: Sequence[NDArray[np.float64]], place: Place) -> bool:
    """Return whether chips and a stack share a place.

    Parameters
    ----------
    outlines : sequence of (k, 2) ndarray of float64
        Right ascension and declination along the edge of each chip, in order, degrees.
    place : Place
        The pixels of the stack.

    Returns
    -------
    bool
        Also true where they share an edge.
    """
    import numpy as np

    from hst123r.algorithms.polygons import covers

    rows, columns = place.extent.shape
    # the other side of the sky has no place on the plane
    chips = [chip for chip in _on_plane(outlines, place) if np.isfinite(chip).all()]
    if any(((chip >= 0) & (chip <= [columns, rows])).all(axis=1).any() for chip in chips):
        return True
    x, y = np.meshgrid(np.linspace(0, columns, _POINTS), np.linspace(0, rows, _POINTS))
    return bool(covers(chips, np.stack([x.ravel(), y.ravel()], axis=1)).any())


def whole(outline: NDArray[np.float64], place: Place) -> bool:
    """Return whether all of a chip lies on a stack, a pixel or more from its edge.

    Parameters
    ----------
    outline : (k, 2) ndarray of float64
        Right ascension and declination along the edge of the chip, in order, degrees.
    place : Place
        The pixels of the stack.

    Returns
    -------
    bool
        A stack is convex, so what lies between the edges of the chip lies on it, too.
    """
    rows, columns = place.extent.shape
    (chip,) = _on_plane([outline], place)
    return bool(((chip >= 1.5) & (chip <= [columns - 1.5, rows - 1.5])).all())


def _on_plane(outlines: Sequence[NDArray[np.float64]], place: Place) -> list[NDArray[np.float64]]:
    """Return edges of chips in pixels of a stack, whose first one is from 0 to 1."""
    import numpy as np

    from hst123r.algorithms.sphere import to_tangent_plane

    crpix, angle = place.extent.crpix, math.radians(place.rotation_deg)
    chips = []
    for outline in outlines:
        east, north = to_tangent_plane(outline[:, 0], outline[:, 1], *place.centre)
        # x runs to the west when y runs to the north
        x = -(east * math.cos(angle) - north * math.sin(angle)) / place.scale_arcsec
        y = (north * math.cos(angle) + east * math.sin(angle)) / place.scale_arcsec
        chips.append(np.stack([x + crpix[0] - 0.5, y + crpix[1] - 0.5], axis=1))
    return chips


def outlines_of(path: str, exposure: Exposure) -> list[NDArray[np.float64]]:
    """Return the edge of each chip on the sky, by its distorted WCS.

    Parameters
    ----------
    path : str
        The science file.
    exposure : Exposure
        Its record.

    Returns
    -------
    list of (k, 2) ndarray of float64
        Right ascension and declination along the edge of each chip, in order, degrees.
    """
    import numpy as np

    from hst123r.products.exposures import open_chips

    wcs = open_chips(path, exposure)
    along = np.linspace(0, 1, _POINTS)[:-1]
    up, down = along, 1 - along
    nought, one = np.zeros_like(along), np.ones_like(along)
    edge = np.stack(
        [np.concatenate([up, one, down, nought]), np.concatenate([nought, up, one, down])], axis=1
    )
    return [
        wcs[chip.extver].all_pix2world(edge * [chip.shape[1], chip.shape[0]] - 0.5, 0)
        for chip in exposure.chips
    ]
