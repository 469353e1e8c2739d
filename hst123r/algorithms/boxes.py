"""Which pixels of a frame, and which stars of a list, lie in a box on the sky."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.sphere import to_tangent_plane

Box = tuple[float, float, float]
"""Right ascension and declination of the middle in degrees, and half a side in arcsec."""
_STEP_PIX: Final = 32
_BEND: Final = 0.1
"""By this part of its size a cell may bulge; distortions of Hubble's cameras bend far less."""


class Placed(Protocol):
    """A list of stars that knows their places, and can be cut down to some of its rows."""

    @property
    def ra_deg(self) -> NDArray[np.float64]:
        """Right ascensions in degrees."""

    @property
    def dec_deg(self) -> NDArray[np.float64]:
        """Declinations in degrees."""

    def where(self, rows: NDArray[Any]) -> Self:
        """Return the stars of some rows."""


Stars = TypeVar("Stars", bound=Placed)


def in_boxes(
    ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], boxes: Sequence[Box]
) -> NDArray[np.bool_]:
    """Return which positions lie in any of some boxes on the sky.

    A box is that of :func:`pixels_in_box`, so a star is in it if the pixel under it is.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees.
    boxes : sequence of (float, float, float)
        Middle in degrees and half a side in arcsec.

    Returns
    -------
    (n,) ndarray of bool
        True inside, sides included.
    """
    found = np.zeros(len(ra_deg), bool)
    for ra, dec, half in boxes:
        east, north = to_tangent_plane(ra_deg, dec_deg, ra, dec)
        # comparisons with the NaN of the other half of the sky are false
        found |= (np.abs(east) <= half) & (np.abs(north) <= half)
    return found


def outside(stars: Stars, boxes: Sequence[Box]) -> Stars:
    """Return the stars of a list that lie in none of some boxes.

    Parameters
    ----------
    stars : Placed
        A list of any kind.
    boxes : sequence of (float, float, float)
        Middle in degrees and half a side in arcsec.

    Returns
    -------
    Placed
        Of the same kind, in the same order; the list itself where there are no boxes.
    """
    if not boxes:
        return stars
    return stars.where(np.flatnonzero(~in_boxes(stars.ra_deg, stars.dec_deg, boxes)))


def pixels_in_box(
    wcs: Any, shape: tuple[int, int], ra_deg: float, dec_deg: float, half_arcsec: float
) -> NDArray[np.bool_]:
    """Return the pixels whose centre lies in a box on the sky.

    The box is a square of the plane that touches the sky in its middle, with sides to the east
    and north. Pixels go through the whole WCS forwards, so no inverse of a distortion is needed,
    which far from a frame has no meaning. Every 32nd pixel tells which part of the frame can be
    in the box; there each pixel is looked at.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        With all its distortion.
    shape : (int, int)
        Rows and columns of the frame.
    ra_deg, dec_deg : float
        Middle of the box in degrees.
    half_arcsec : float
        From the middle to a side, in arcsec.

    Returns
    -------
    (ny, nx) ndarray of bool
        True inside the box, its sides included.
    """
    found = np.zeros(shape, bool)
    rows, columns = (np.append(np.arange(0, n, _STEP_PIX), n) for n in shape)
    near = np.ones((rows.size - 1, columns.size - 1), bool)
    for offset in _offsets(wcs, rows, columns, ra_deg, dec_deg):
        corners = (offset[:-1, :-1], offset[:-1, 1:], offset[1:, :-1], offset[1:, 1:])
        low, high = np.min(corners, axis=0), np.max(corners, axis=0)
        bulge = _BEND * (high - low)
        # comparisons with the NaN of the other half of the sky are false
        near &= (low - bulge <= half_arcsec) & (high + bulge >= -half_arcsec)
    if not near.any():
        return found
    cells = np.argwhere(near)
    (top, left), (bottom, right) = cells.min(axis=0), cells.max(axis=0) + 1
    lines = np.arange(rows[top], rows[bottom])
    places = np.arange(columns[left], columns[right])
    east, north = _offsets(wcs, lines, places, ra_deg, dec_deg)
    found[np.ix_(lines, places)] = (np.abs(east) <= half_arcsec) & (np.abs(north) <= half_arcsec)
    return found


def _offsets(
    wcs: Any, rows: NDArray[Any], columns: NDArray[Any], ra_deg: float, dec_deg: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the pixels of these rows and columns lie, east and north of a position, arcsec."""
    x, y = np.meshgrid(columns.astype(float), rows.astype(float))
    ra, dec = wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    east, north = to_tangent_plane(ra, dec, ra_deg, dec_deg)
    return east.reshape(x.shape), north.reshape(x.shape)
