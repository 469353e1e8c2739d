"""Compact galaxies as landmarks: where stars are few, they are what exposures are aligned by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.detection import GAUSSIAN_FWHM, PIXEL_FWHM, refine_centroids
from hst123r.photometry.flags import Flag
from hst123r.photometry.frame import Frame
from hst123r.photometry.free import Stars

Floats = NDArray[np.float64]

WINDOW: Final = 2.0
"""Width of the window over that of a star: it takes in the middle of a compact galaxy."""
FLOOR_PIX: Final = 0.05
"""What a galaxy's centroid is wrong by beside its noise: its shape is sampled by pixels."""
MOST_LOST: Final = 0.1
"""Share of the window's weight that may be on bad pixels; they pull the centroid away."""
BROADER_SIGMA: Final = 3.0
"""How many errors broader than a star a galaxy is; cosmic rays and hot pixels are narrower."""


@dataclass(frozen=True, slots=True, eq=False)
class Galaxies:
    """Centroids of extended sources.

    Parameters
    ----------
    x, y : (n,) ndarray of float64
        Zero-based pixels.
    error_pix : (n,) ndarray of float64
        Standard error along each axis.
    flux, flux_error : (n,) ndarray of float64
        Twice the light under the window, electrons: what a Gaussian as wide as it has.
    usable : (n,) ndarray of bool
        Whether the centroid is one.
    """

    x: Floats
    y: Floats
    error_pix: Floats
    flux: Floats
    flux_error: Floats
    usable: NDArray[np.bool_]


def looks_extended(stars: Stars) -> NDArray[np.bool_]:
    """Return which sources are broader than a star.

    Parameters
    ----------
    stars : Stars
        The fit of all sources of a frame as stars.

    Returns
    -------
    (n,) ndarray of bool
        True for galaxies, and for blends, which are landmarks as good.
    """
    with np.errstate(invalid="ignore"):
        broader = stars.sharpness > BROADER_SIGMA * stars.sharpness_error
    # the fit of a PSF may have rejected every pixel of a galaxy, so NO_PIXELS says nothing
    inside = (stars.fluxes.flags & Flag.OFF_FRAME) == 0
    return np.asarray(broader & ~stars.looks_like_star(0.0) & inside)


def measure_extended(frame: Frame, sky: NDArray[np.floating], x: Floats, y: Floats) -> Galaxies:
    """Measure the windowed centroids of extended sources.

    Parameters
    ----------
    frame : Frame
        The chip.
    sky : (ny, nx) ndarray
        Its sky, electrons.
    x, y : (n,) ndarray of float64
        Zero-based pixels where they were found.

    Returns
    -------
    Galaxies
        In the order of the input. The errors are those of SExtractor's ``ERRX2WIN``, with the
        noise of the pixels, and a floor.
    """
    if x.size == 0:
        empty = np.zeros(0)
        return Galaxies(x, y, empty, empty, empty, np.zeros(0, np.bool_))
    image = np.where(frame.bad, np.nan, frame.data - sky)
    fwhm = WINDOW * frame.psf.fwhm_pix
    # the peak of a galaxy in noise may be two pixels from its middle: get near it first
    near = refine_centroids(image, x, y, fwhm, rounds=2)
    new_x, new_y = refine_centroids(image, *near, fwhm)
    sigma = float(np.hypot(fwhm, PIXEL_FWHM)) / GAUSSIAN_FWHM
    half = int(np.ceil(3.0 * sigma))
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1].reshape(2, -1)
    columns = np.round(new_x).astype(np.int64)[:, None] + dx
    rows = np.round(new_y).astype(np.int64)[:, None] + dy
    ny, nx = image.shape
    inside = (columns >= 0) & (columns < nx) & (rows >= 0) & (rows < ny)
    at = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
    across, up = columns - new_x[:, None], rows - new_y[:, None]
    weight = np.exp(-0.5 * (across**2 + up**2) / sigma**2)
    use = inside & np.isfinite(image[at])
    lost = 1.0 - np.sum(weight * use, axis=1) / np.sum(weight, axis=1)
    light = np.where(use, image[at], 0.0)
    quiet = np.maximum(sky[at], 0.0) + frame.dark_e + frame.read_noise_e**2
    variance = np.maximum(light, 0.0) + quiet
    total = np.maximum(np.sum(weight * light, axis=1), np.finfo(np.float64).tiny)
    noise = np.sqrt(np.sum(weight**2 * variance, axis=1))
    moment = np.sum(weight**2 * variance * (across**2 + up**2) / 2.0, axis=1)
    kept = (lost <= MOST_LOST) & ((new_x != near[0]) | (new_y != near[1]))
    return Galaxies(
        new_x,
        new_y,
        np.hypot(2.0 * np.sqrt(moment) / total, FLOOR_PIX),
        2.0 * total,
        2.0 * noise,
        kept,
    )
