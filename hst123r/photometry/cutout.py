"""A piece of a frame around a place, with the light of stars outside it taken off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.photometry.forced import Fluxes
from hst123r.photometry.frame import Frame
from hst123r.photometry.paint import paint
from hst123r.photometry.sky import Background

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cutout:
    """A piece of a frame.

    Parameters
    ----------
    frame : Frame
        The piece; its WCS is that of the whole frame.
    background : Background
        Its sky.
    corner : (int, int)
        Zero-based column and row of its first pixel in the whole frame.
    inside : (n,) ndarray of int64
        Stars that are on the piece or so near that light of theirs is fitted on it.
    """

    frame: Frame
    background: Background
    corner: tuple[int, int]
    inside: Integers

    def local(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Return zero-based positions on the piece of positions on the whole frame."""
        left, low = self.corner
        return np.asarray(x, np.float64) - left, np.asarray(y, np.float64) - low


def cut_out(
    frame: Frame,
    background: Background,
    stars: Fluxes,
    centre: tuple[float, float],
    half_pix: float,
    edge_pix: float,
) -> Cutout | None:
    """Cut a square out of a frame.

    Parameters
    ----------
    frame : Frame
        The chip.
    background : Background
        Its sky.
    stars : Fluxes
        Its stars; the light of those that are outside is taken off.
    centre : (float, float)
        Zero-based position of the middle.
    half_pix : float
        Half the side.
    edge_pix : float
        Stars this far outside still count as inside.

    Returns
    -------
    Cutout or None
        None where the square is off the frame.
    """
    if not np.all(np.isfinite(centre)):
        return None
    ny, nx = frame.shape
    left, low = (max(0, int(np.floor(c - half_pix))) for c in centre)
    right, high = (int(np.ceil(c + half_pix)) + 1 for c in centre)
    right, high = min(nx, right), min(ny, high)
    if left >= right or low >= high:
        return None
    piece = slice(low, high), slice(left, right)
    x, y = stars.x - left, stars.y - low
    width, height = right - left, high - low
    # comparisons with NaN are false
    near = (x > -edge_pix) & (x < width - 1 + edge_pix)
    near &= (y > -edge_pix) & (y < height - 1 + edge_pix)
    data = np.asarray(frame.data[piece], np.float64)
    noise = background.rms if np.isfinite(background.rms) else frame.read_noise_e
    far = ~near & np.isfinite(stars.flux)
    light = stars.flux[far] / frame.area_at(stars.x[far], stars.y[far])
    psf = frame.psf.moved(left, low)
    data = data - paint((height, width), psf, x[far], y[far], light, noise)
    area = frame.area
    own = replace(
        frame,
        data=data,
        psf=psf,
        mask=frame.mask[piece],
        saturated=frame.saturated[piece],
        area=(lambda px, py: area(px + left, py + low)) if callable(area) else area[piece],
    )
    sky = Background(
        background.mesh, background.x - left, background.y - low, background.rms, own.shape
    )
    return Cutout(own, sky, (left, low), np.flatnonzero(near))
