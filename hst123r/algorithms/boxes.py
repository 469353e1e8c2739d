"""Which pixels of a frame lie in a box on the sky."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.sphere import to_tangent_plane

_STEP_PIX: Final = 32
_BEND: Final = 0.1
"""By this part of its size a cell may bulge; distortions of Hubble's cameras bend far less."""


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
