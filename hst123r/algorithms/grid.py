"""Where the pixels of a mosaic lie: one lattice for all stacks of a field and scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PAD_PIX = 10
"""Empty pixels around the footprint."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle of a lattice whose origin pixel is centred on the tangent point.

    Parameters
    ----------
    crpix : (float, float)
        One-based pixel of the tangent point; whole numbers.
    shape : (int, int)
        Rows and columns.
    """

    crpix: tuple[float, float]
    shape: tuple[int, int]


def extent(
    corners: Sequence[tuple[float, float]],
    ra_deg: float,
    dec_deg: float,
    scale_arcsec: float,
    rotation_deg: float,
) -> Extent:
    """Return the rectangle that holds all corners.

    All rectangles with one tangent point, scale and rotation share their pixels: they differ by
    whole numbers in CRPIX, so stacks of different epochs and filters can be subtracted without
    resampling.

    Parameters
    ----------
    corners : sequence of (float, float)
        Right ascension and declination in degrees, at least one.
    ra_deg, dec_deg : float
        Tangent point in degrees.
    scale_arcsec : float
        Pixel scale.
    rotation_deg : float
        Position angle of the y axis, degrees east of north.

    Returns
    -------
    Extent
        With a few empty pixels around.
    """
    from hst123r.algorithms.sphere import to_tangent_plane

    ra, dec = np.array([c[0] for c in corners]), np.array([c[1] for c in corners])
    east, north = to_tangent_plane(ra, dec, ra_deg, dec_deg)
    angle = math.radians(rotation_deg)
    # x runs to the west when y runs to the north, as in all images of the sky
    x = -(east * math.cos(angle) - north * math.sin(angle)) / scale_arcsec
    y = (north * math.cos(angle) + east * math.sin(angle)) / scale_arcsec
    left, bottom = math.floor(x.min()) - PAD_PIX, math.floor(y.min()) - PAD_PIX
    right, top = math.ceil(x.max()) + PAD_PIX, math.ceil(y.max()) + PAD_PIX
    return Extent((float(1 - left), float(1 - bottom)), (top - bottom + 1, right - left + 1))


def centred(side_pix: int) -> Extent:
    """Return a square around the tangent point.

    Parameters
    ----------
    side_pix : int
        Its side, at least 1.

    Returns
    -------
    Extent
        On the lattice of :func:`extent`; of an even side the tangent point is the pixel right of
        and above the middle.
    """
    middle = float(side_pix // 2 + 1)
    return Extent((middle, middle), (side_pix, side_pix))
