"""The smooth sky of a frame, and the noise that is left around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_CLIP_SIGMA: Final = 4.0
_CLIPPED_RMS: Final = 0.9994
"""Standard deviation of a unit Gaussian clipped at 4 sigma."""
_HIT_SIGMA: Final = 5.0
_FULL_PERCENT: Final = 90.0
"""A box with more of its pixels left out has no sky of its own."""
_SMALLEST_BOX: Final = 16


@dataclass(frozen=True, eq=False)
class Background:
    """The sky of a frame as a smooth function.

    Parameters
    ----------
    mesh : (my, mx) ndarray of float64
        Level at the nodes, in the unit of the frame.
    x, y : ndarray of float64, shapes (mx,) and (my,)
        Zero-based pixel positions of the nodes, increasing.
    rms : float
        Standard deviation of a pixel about the sky, NaN when it is not known.
    shape : (ny, nx)
        Size of the frame.
    """

    mesh: Floats
    x: Floats
    y: Floats
    rms: float
    shape: tuple[int, int]

    @classmethod
    def flat(cls, level: float, shape: tuple[int, int], rms: float = np.nan) -> Background:
        """Return a sky that is the same everywhere.

        Parameters
        ----------
        level : float
            The sky per pixel.
        shape : (ny, nx)
            Size of the frame.
        rms : float
            Noise of a pixel; NaN leaves the noise to theory.
        """
        one = np.zeros(1)
        return cls(np.full((1, 1), float(level)), one, one, rms, shape)

    @cached_property
    def _spline(self) -> Any:
        from scipy.interpolate import RectBivariateSpline

        mesh, x, y = self.mesh, self.x, self.y
        if len(x) == 1:
            mesh, x = np.repeat(mesh, 2, axis=1), np.array([x[0], x[0] + 1.0])
        if len(y) == 1:
            mesh, y = np.repeat(mesh, 2, axis=0), np.array([y[0], y[0] + 1.0])
        return RectBivariateSpline(y, x, mesh, kx=min(3, len(y) - 1), ky=min(3, len(x) - 1))

    def at(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the sky at zero-based positions; outside the nodes, that of their edge."""
        return np.asarray(self._spline.ev(np.asarray(y), np.asarray(x)), np.float64)

    @property
    def sky(self) -> NDArray[np.float32]:
        """The sky of every pixel, shape (ny, nx)."""
        rows, columns = np.arange(self.shape[0]), np.arange(self.shape[1])
        # beyond the outermost nodes the spline would be clamped anyway
        rows = np.clip(rows, self.y[0], max(self.y[-1], self.y[0]))
        columns = np.clip(columns, self.x[0], max(self.x[-1], self.x[0]))
        return np.asarray(self._spline(rows, columns), np.float32)


def estimate_sky(image: NDArray[Any], mask: Booleans, box_pix: int = 64) -> Background:
    """Estimate a smooth sky and the noise around it.

    The frame is divided into boxes (photutils' ``Background2D``); the sky of a box is the mean
    of its pixels after clipping at 4 sigma about the median. For photon noise that is biased by
    less than a thousandth of its standard deviation; clipping at 3 sigma would be by four, the
    median by fifteen, and a star of S/N 2 covers 14 pixels.
    Pixels above 5 sigma and those around them (cosmic rays) are left out beforehand. Between
    the middles of the boxes a bicubic spline interpolates; up to the edges of the frame straight
    lines go on.

    Parameters
    ----------
    image : (ny, nx) ndarray
        The frame, its known stars subtracted if it can be.
    mask : (ny, nx) ndarray of bool
        True for pixels to leave out.
    box_pix : int
        Side of the boxes; smaller where the frame has not three of them.

    Returns
    -------
    Background
        The sky.

    Raises
    ------
    InputError
        If no pixel is left.
    """
    if not (np.isfinite(image) & ~mask).any():
        raise InputError("no pixel is left to estimate the sky from")
    ny, nx = image.shape
    box = _box(ny, box_pix), _box(nx, box_pix)
    out = mask | ~np.isfinite(image)
    # every second pixel along each axis is enough to find what does not belong to the sky
    if min(box) >= 2 * _SMALLEST_BOX:
        rough = _boxes(image[::2, ::2], out[::2, ::2], (box[0] // 2, box[1] // 2))
        box_rough = 2 * (box[0] // 2), 2 * (box[1] // 2)
        first = _background(rough, box_rough, (ny, nx))
    else:
        first = _background(_boxes(image, out, box), box, (ny, nx))
    hit = (image - first.sky) > _HIT_SIGMA * first.rms
    without = out | _grown(hit & ~out)
    return _background(_boxes(image, out if without.all() else without, box), box, (ny, nx))


def _box(size: int, wanted: int) -> int:
    """Return the side of boxes along an axis: three fit in where that leaves enough pixels."""
    return max(1, min(wanted, max(size // 3, min(_SMALLEST_BOX, size))))


def _boxes(image: NDArray[Any], mask: Booleans, box: tuple[int, int]) -> Any:
    from astropy.stats import SigmaClip
    from photutils.background import Background2D, MeanBackground

    percent = _FULL_PERCENT
    while True:
        try:
            return Background2D(
                image,
                box,
                mask=mask,
                sigma_clip=SigmaClip(sigma=_CLIP_SIGMA, maxiters=10),
                bkg_estimator=MeanBackground(),
                exclude_percentile=percent,
                filter_size=1,
            )
        except ValueError:
            if percent >= 100.0:
                raise
            # all boxes are nearly full: take what there is
            percent = 100.0


def _background(boxes: Any, box: tuple[int, int], shape: tuple[int, int]) -> Background:
    mesh = np.asarray(boxes.background_mesh, np.float64)
    noise = np.asarray(boxes.background_rms_mesh, np.float64)
    rms = float(np.median(noise)) / _CLIPPED_RMS
    mesh, y = _to_the_edges(mesh, box[0], shape[0])
    turned, x = _to_the_edges(mesh.T, box[1], shape[1])
    return Background(np.ascontiguousarray(turned.T), x, y, rms, shape)


def _to_the_edges(mesh: Floats, box: int, size: int) -> tuple[Floats, Floats]:
    """Add rows at the edges of the frame, in line with the last two; return where rows are."""
    start = np.arange(len(mesh)) * box
    nodes = (start + np.minimum(start + box, size) - 1) / 2
    if len(mesh) == 1:
        return mesh, nodes
    low = mesh[0] + (mesh[1] - mesh[0]) * (-0.5 - nodes[0]) / (nodes[1] - nodes[0])
    high = mesh[-1] + (mesh[-1] - mesh[-2]) * (size - 0.5 - nodes[-1]) / (nodes[-1] - nodes[-2])
    return np.vstack([low, mesh, high]), np.concatenate([[-0.5], nodes, [size - 0.5]])


def _grown(hit: Booleans) -> Booleans:
    """Return pixels and all their eight neighbours."""
    result = hit.copy()
    result[1:] |= hit[:-1]
    result[:-1] |= hit[1:]
    wide = result.copy()
    wide[:, 1:] |= result[:, :-1]
    wide[:, :-1] |= result[:, 1:]
    return wide
