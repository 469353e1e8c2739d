"""How pixels lie on the sky: their Jacobian and their area."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_STEP_PIX: Final = 0.5
_NODE_PIX: Final = 32
_ROUND_TRIP_PIX: Final = 1e-3
_NEAR: Final = 0.25
"""Fraction of the frame's size by which distortion may move a pixel."""


def pixel_jacobian(wcs: Any, x: ArrayLike, y: ArrayLike) -> Floats:
    """Return how sky offsets change with pixels, by central differences of half a pixel.

    Parameters
    ----------
    wcs : `astropy.wcs.WCS`
        With all its distortion.
    x, y : array_like of float, shape (n,)
        Zero-based pixel positions.

    Returns
    -------
    (n, 2, 2) ndarray of float64
        ``[[d east/dx, d east/dy], [d north/dx, d north/dy]]`` in arcsec per pixel, where
        ``d east = cos(dec) d ra``.
    """
    px = np.atleast_1d(np.asarray(x, np.float64))
    py = np.atleast_1d(np.asarray(y, np.float64))
    result = np.empty((px.size, 2, 2))
    if px.size == 0:
        return result
    _, dec = wcs.all_pix2world(px, py, 0)
    shrink = np.cos(np.radians(dec))
    for column, (dx, dy) in enumerate(((_STEP_PIX, 0.0), (0.0, _STEP_PIX))):
        ra_high, dec_high = wcs.all_pix2world(px + dx, py + dy, 0)
        ra_low, dec_low = wcs.all_pix2world(px - dx, py - dy, 0)
        along_ra = (ra_high - ra_low + 180.0) % 360.0 - 180.0
        result[:, 0, column] = along_ra * shrink
        result[:, 1, column] = dec_high - dec_low
    return np.asarray(result * (3600.0 / (2 * _STEP_PIX)))


def pixel_area(wcs: Any, x: ArrayLike, y: ArrayLike, scale_arcsec: float) -> Floats:
    """Return the area of pixels on the sky, relative to a square of the nominal scale.

    ``|det J| / scale**2`` with J of :func:`pixel_jacobian`: the pixel area map (e.g. Kalirai et
    al. 2010, WFC3 ISR 2010-08). Flat-fielding makes an evenly lit frame flat, so a point source
    in a flat-fielded frame has its true electrons divided by this.

    Parameters
    ----------
    wcs : `astropy.wcs.WCS`
        With all its distortion.
    x, y : array_like of float, shape (n,)
        Zero-based pixel positions.
    scale_arcsec : float
        Nominal side of a pixel in arcsec, which the zeropoint refers to.

    Returns
    -------
    (n,) ndarray of float64
        Near 1.
    """
    jacobian = pixel_jacobian(wcs, x, y)
    determinant = jacobian[:, 0, 0] * jacobian[:, 1, 1] - jacobian[:, 0, 1] * jacobian[:, 1, 0]
    return np.asarray(np.abs(determinant) / scale_arcsec**2)


class AreaMap:
    """The pixel area of a frame, taken at about every 32nd pixel and interpolated linearly.

    Distortions of Hubble's cameras bend so little that this is good to a few millionths.

    Parameters
    ----------
    wcs : `astropy.wcs.WCS`
        With all its distortion.
    shape : (ny, nx)
        Size of the frame.
    scale_arcsec : float
        Nominal side of a pixel in arcsec.
    """

    def __init__(self, wcs: Any, shape: tuple[int, int], scale_arcsec: float) -> None:
        self._last = np.maximum(np.array([shape[1], shape[0]]) - 1.0, 1.0)
        counts = [max(2, int(last) // _NODE_PIX + 2) for last in self._last]
        x, y = (
            np.linspace(0.0, last, count) for last, count in zip(self._last, counts, strict=True)
        )
        grid_x, grid_y = np.meshgrid(x, y)
        area = pixel_area(wcs, grid_x.ravel(), grid_y.ravel(), scale_arcsec)
        self._nodes = area.reshape(grid_x.shape)

    def __call__(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return relative areas at zero-based pixels; outside the frame, those of its edge."""
        low, share = [], []
        for axis, place in enumerate((x, y)):
            steps = self._nodes.shape[1 - axis] - 1
            clipped = np.clip(np.asarray(place, np.float64), 0.0, self._last[axis])
            node = clipped * (steps / self._last[axis])
            low.append(np.minimum(node.astype(np.int64), steps - 1))
            share.append(node - low[-1])
        (i, j), (t, s) = low, share
        nodes = self._nodes
        below = nodes[j, i] + t * (nodes[j, i + 1] - nodes[j, i])
        above = nodes[j + 1, i] + t * (nodes[j + 1, i + 1] - nodes[j + 1, i])
        return np.asarray(below + s * (above - below))

    def image(self) -> Floats:
        """Return the relative areas of all pixels of the frame, shape (ny, nx)."""
        result = self._nodes
        for axis in (0, 1):
            steps, last = result.shape[axis] - 1, self._last[1 - axis]
            node = np.arange(int(last) + 1) * (steps / last)
            low = np.minimum(node.astype(np.int64), steps - 1)
            share = (node - low).reshape((-1, 1) if axis == 0 else (1, -1))
            lower = result.take(low, axis)
            result = lower + share * (result.take(low + 1, axis) - lower)
        return np.asarray(result)


def sky_to_pixel(
    wcs: Any, shape: tuple[int, int], ra_deg: ArrayLike, dec_deg: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the pixel positions of sky positions on and near a frame.

    The inverse of a distortion polynomial is meaningless far outside the frame and may even
    come back inside; such positions are not taken.

    Parameters
    ----------
    wcs : `astropy.wcs.WCS`
        With all its distortion.
    shape : (ny, nx)
        Size of the frame.
    ra_deg, dec_deg : array_like of float, shape (n,)
        Sky positions in degrees.

    Returns
    -------
    x, y : (n,) ndarray of float64
        Zero-based pixels; NaN for positions that are not on or around the frame.
    """
    ra = np.atleast_1d(np.asarray(ra_deg, np.float64))
    dec = np.atleast_1d(np.asarray(dec_deg, np.float64))
    x, y = np.full(ra.shape, np.nan), np.full(ra.shape, np.nan)
    near = np.flatnonzero(_on_this_side(wcs, shape, ra, dec))
    if near.size == 0:
        return x, y
    px, py = wcs.wcs_world2pix(ra[near], dec[near], 0)
    reach_x, reach_y = 32 + _NEAR * shape[1], 32 + _NEAR * shape[0]
    kept = (px > -reach_x) & (px < shape[1] + reach_x)
    kept &= (py > -reach_y) & (py < shape[0] + reach_y)
    near = near[kept]
    if near.size == 0:
        return x, y
    px, py = wcs.all_world2pix(
        ra[near], dec[near], 0, tolerance=1e-6, maxiter=40, adaptive=True, quiet=True
    )
    finite = np.isfinite(px) & np.isfinite(py)
    near, px, py = near[finite], px[finite], py[finite]
    back_ra, back_dec = wcs.all_pix2world(px, py, 0)
    east = ((back_ra - ra[near] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec[near]))
    scale = float(np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))))
    closed = np.hypot(east, back_dec - dec[near]) < _ROUND_TRIP_PIX * scale
    x[near[closed]], y[near[closed]] = px[closed], py[closed]
    return x, y


def _on_this_side(wcs: Any, shape: tuple[int, int], ra: Floats, dec: Floats) -> NDArray[np.bool_]:
    """Return which positions are within a few sizes of the frame; the plane shows both sides."""
    middle = wcs.wcs_pix2world((shape[1] - 1) / 2, (shape[0] - 1) / 2, 0)
    ra0, dec0 = np.radians(float(middle[0])), np.radians(float(middle[1]))
    scale = float(np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))))
    reach = min(5.0 * max(shape) * scale + 0.01, 60.0)
    cosine = np.sin(np.radians(dec)) * np.sin(dec0) + np.cos(np.radians(dec)) * np.cos(
        dec0
    ) * np.cos(np.radians(ra) - ra0)
    return np.asarray(cosine > np.cos(np.radians(reach)))
