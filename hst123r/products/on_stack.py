"""Which exposures have a pixel on a stack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.external.astrodrizzle import Grid
    from hst123r.stage.contract import Job

_POINTS: Final = 65
"""Along each side, of chips and of the stack: what they share is missed below 1/64 of a side."""


def on_stack(job: Job, grid: Grid) -> tuple[Job, list[Caveat]]:
    """Leave exposures out of a job that lie beside its stack.

    They would be combined as images of zeros with those that do lie on it, and the cores of stars
    taken for cosmic rays.

    Parameters
    ----------
    job : Job
        With ``exposure`` and ``cosmic-ray mask``.
    grid : Grid
        The pixels of the stack.

    Returns
    -------
    Job, list of Caveat
        Without them, and a caveat for each. As it is where no exposure lies on the stack.
    """
    gone = {
        product.name
        for product in job.inputs["exposure"]
        if not reaches(_outlines(product.files["science"], Exposure.own(product.facts)), grid)
    }
    if not gone or len(gone) == len(job.inputs["exposure"]):
        return job, []
    inputs = {
        kind: [product for product in products if product.name not in gone]
        for kind, products in job.inputs.items()
    }
    text = "lies beside the stack, and was left out; make `size` larger to have it"
    caveats = [Caveat("beside_stack", f"{root} {text}", root) for root in sorted(gone)]
    return replace(job, inputs=inputs), caveats


def reaches(outlines: Sequence[NDArray[np.float64]], grid: Grid) -> bool:
    """Return whether chips and a stack share a place.

    Parameters
    ----------
    outlines : sequence of (k, 2) ndarray of float64
        Right ascension and declination along the edge of each chip, in order, degrees.
    grid : Grid
        The pixels of the stack.

    Returns
    -------
    bool
        Also true where they share an edge.
    """
    import numpy as np

    from hst123r.algorithms.polygons import covers
    from hst123r.algorithms.sphere import to_tangent_plane

    rows, columns = grid.shape
    angle = math.radians(grid.rotation_deg)
    places = []
    for outline in outlines:
        east, north = to_tangent_plane(outline[:, 0], outline[:, 1], grid.ra_deg, grid.dec_deg)
        # x runs to the west when y runs to the north; the first pixel is from 0.5 to 1.5
        x = -(east * math.cos(angle) - north * math.sin(angle)) / grid.scale_arcsec
        y = (north * math.cos(angle) + east * math.sin(angle)) / grid.scale_arcsec
        places.append(np.stack([x + grid.crpix[0] - 0.5, y + grid.crpix[1] - 0.5], axis=1))
    # the other side of the sky has no place on the plane
    places = [place for place in places if np.isfinite(place).all()]
    if any(((p >= 0) & (p <= [columns, rows])).all(axis=1).any() for p in places):
        return True
    x, y = np.meshgrid(np.linspace(0, columns, _POINTS), np.linspace(0, rows, _POINTS))
    return bool(covers(places, np.stack([x.ravel(), y.ravel()], axis=1)).any())


def _outlines(path: str, exposure: Exposure) -> list[NDArray[np.float64]]:
    """Return the edge of each chip on the sky, by its distorted WCS."""
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
