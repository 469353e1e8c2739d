"""The sources of a stack, and one list from several stacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.algorithms.detection import (
    GAUSSIAN_FWHM,
    Detections,
    find_stars,
    refine_centroids,
)
from hst123r.algorithms.noise import MAD, correlated_growth, local_spread, relative_noise
from hst123r.algorithms.sphere import to_tangent_plane
from hst123r.photometry.sky import estimate_sky
from hst123r.sources.coreless import PLACE_PIX, by_wings, once
from hst123r.sources.wings import Wings, stands_out, without_core

Floats = NDArray[np.float64]
CENTROID_FLOOR_PIX: Final = 0.15
"""What centroids are wrong by at most however bright a star is, in pixels of the stack."""
BORDER_PIX: Final = 1
"""How far a cosmic ray can reach into an area where exposures were compared."""
CENTROID_FWHM: Final = 0.6
"""Error of a centroid in units of FWHM over S/N (King 1983, PASP 95, 163)."""
LEAST_NOISE: Final = 0.3
"""No part of a stack has less than this fraction of the noise of the whole."""
HOLE_PIX: Final = 7
"""Holes narrower than this are where a comparison found a hit, not where none was made."""
_CLIP: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Sources on the sky, in order.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees.
    error_arcsec : (n,) ndarray of float64
        Standard error of the position along each axis.
    snr : (n,) ndarray of float64
        Height over the noise, where it was found.
    sharpness, roundness : (n,) ndarray of float64
        DAOFIND's.
    image : (n,) ndarray of int64
        In which image of the sequence it was found.
    """

    ra_deg: Floats
    dec_deg: Floats
    error_arcsec: Floats
    snr: Floats
    sharpness: Floats
    roundness: Floats
    image: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of sources."""
        return int(self.ra_deg.size)

    def where(self, rows: NDArray[Any]) -> Sources:
        """Return the sources of some rows."""
        return Sources(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """What was found in a stack, and above which noise.

    Parameters
    ----------
    sources : Sources
        The brightest first.
    noise : float
        Standard deviation of an empty pixel at the median weight, in the unit of the image; NaN
        for an image without data.
    growth : float
        By how much the noise under a star is larger than independent pixels would make it.
    sky_cut : bool
        Whether most of the sky has one and the same value, so that its noise is only a guess.
    """

    sources: Sources
    noise: float
    growth: float
    sky_cut: bool


@dataclass(frozen=True, slots=True, eq=False)
class StackImage:
    """A stack to be searched.

    Parameters
    ----------
    science, weight : (ny, nx) ndarray of float32
        Image and weight map.
    compared : (ny, nx) ndarray of uint8 or None
        How many exposures were compared at each pixel to find cosmic rays; None where no search
        was made or needed.
    wcs : WCS
        A tangent plane.
    scale_arcsec : float
        Pixel scale.
    fwhm_arcsec : float
        Width of a star.
    wings : Wings
        How bright its surroundings are.
    full : float
        Value of a pixel at the full well of the detector.
    """

    science: NDArray[np.float32]
    weight: NDArray[np.float32]
    compared: NDArray[np.uint8] | None
    wcs: Any
    scale_arcsec: float
    fwhm_arcsec: float
    wings: Wings
    full: float


def find_sources(
    image: StackImage, threshold_sigma: float, number: int = 0, least_compared: int = 2
) -> Search:
    """Find point sources in a stack.

    The noise is measured between the sources, with pixels brought to a common weight, and then
    follows the weight map; that drizzled pixels are correlated is taken into account. Where an
    exposure could not be compared with another, nobody can tell a cosmic ray from a star, and
    sources there are not listed. Bumps in the diffraction rings and spikes of bright stars are left
    out: what is not well above the wings of its brighter neighbours is no source. Nothing is left
    out for its shape: what is left of a hit can look like a star, and a star like a hit.

    Parameters
    ----------
    image : StackImage
        The stack.
    threshold_sigma : float
        Height of a detection over the noise.
    number : int
        What to call the image in :attr:`Sources.image`.
    least_compared : int
        Pixels at which fewer exposures than this were compared are not searched.

    Returns
    -------
    Search
        Without sources where there are no data.
    """
    from scipy.ndimage import binary_dilation, grey_closing

    weight = np.where(np.isfinite(image.weight), image.weight, 0.0)
    empty = (weight <= 0) | ~np.isfinite(image.science)
    if empty.all():
        return Search(_empty(), np.nan, 1.0, sky_cut=False)
    background = estimate_sky(image.science, empty)
    residual = image.science - background.sky
    typical = float(np.median(weight[~empty]))
    even = residual[~empty] * np.sqrt(weight[~empty] / typical)
    rms = MAD * float(np.median(np.abs(even - np.median(even))))
    sky_cut = rms == 0
    if sky_cut:
        rms = _clipped_deviation(even)
    noise = _noise(residual, weight, empty, rms)
    fwhm = image.fwhm_arcsec / image.scale_arcsec
    growth = correlated_growth(residual / noise, empty, fwhm / GAUSSIAN_FWHM)
    found = find_stars(residual, noise * growth, fwhm, threshold_sigma, mask=empty)
    if found.x.size == 0:
        return Search(_empty(), rms, growth, sky_cut)
    real = stands_out(found, residual, weight, image.wings, image.scale_arcsec, image.full)
    if image.compared is not None:
        # stars there are not listed, but known: their wings reach over the border, as hits do
        closed = binary_dilation(
            grey_closing(image.compared, HOLE_PIX) < least_compared, iterations=BORDER_PIX
        )
        real &= ~closed[_pixels(found, closed.shape)]
    found = found.where(np.flatnonzero(real))
    found, x, y, floor = _placed(found, residual, weight, image)
    ra, dec = image.wcs.all_pix2world(x, y, 0)
    centroid = CENTROID_FWHM * image.fwhm_arcsec / np.maximum(found.snr, 1.0)
    sources = Sources(
        ra_deg=np.asarray(ra, np.float64) % 360.0,
        dec_deg=np.asarray(dec, np.float64),
        error_arcsec=np.hypot(centroid, floor),
        snr=np.asarray(found.snr, np.float64),
        sharpness=np.asarray(found.sharpness, np.float64),
        roundness=np.asarray(found.roundness1, np.float64),
        image=np.full(found.x.size, number, np.int64),
    )
    return Search(sources, rms, growth, sky_cut)


def _placed(
    found: Detections, residual: NDArray[Any], weight: Floats, image: StackImage
) -> tuple[Detections, Floats, Floats, Floats]:
    """Return sources with their places, and what these are wrong by however bright a source is."""
    scale = image.scale_arcsec
    fwhm = image.fwhm_arcsec / scale
    x, y = refine_centroids(residual, found.x, found.y, fwhm)
    floor = np.full(x.size, CENTROID_FLOOR_PIX * scale)
    lost = without_core(found, weight, image.wings, scale)
    if not lost.any():
        return found, x, y, floor
    rows = np.flatnonzero(lost)
    east, north, told = by_wings(residual, weight, found.x[rows], found.y[rows], image.wings, scale)
    lost[rows] = told
    x[lost], y[lost] = east[told], north[told]
    floor[lost] = PLACE_PIX * image.wings.native_arcsec
    kept = np.flatnonzero(once(x, y, lost, image.wings.core_arcsec / scale))
    return found.where(kept), x[kept], y[kept], floor[kept]


def _pixels(found: Detections, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Return the row and column of the pixel in which each source is."""
    rows, columns = (np.floor(value + 0.5).astype(np.int64) for value in (found.y, found.x))
    return np.clip(rows, 0, shape[0] - 1), np.clip(columns, 0, shape[1] - 1)


def _noise(residual: NDArray[Any], weight: Floats, empty: NDArray[np.bool_], rms: float) -> Floats:
    """Return the noise of every pixel: what the weights say, scaled to what is seen around it."""
    relative = relative_noise(weight)
    seen = local_spread(residual / relative, empty)
    typical = float(np.median(weight[~empty]))
    # in a corner full of one value nothing is seen
    return np.asarray(relative * np.maximum(seen, LEAST_NOISE * rms * np.sqrt(typical)))


def merge_sources(lists: Sequence[Sources], radius_arcsec: Sequence[float]) -> Sources:
    """Make one list of several: what a later one adds is kept where no earlier one has a source.

    Parameters
    ----------
    lists : sequence of Sources
        The best one first.
    radius_arcsec : sequence of float
        For every list, how close to an earlier source its sources are the same.

    Returns
    -------
    Sources
        Sources of the first list, then what the others add.
    """
    merged = lists[0]
    for extra, radius in zip(lists[1:], radius_arcsec[1:], strict=True):
        if extra.count == 0:
            continue
        far = nearest_arcsec(extra.ra_deg, extra.dec_deg, merged) > radius
        kept = extra.where(np.flatnonzero(far))
        merged = Sources(
            *(
                np.concatenate([getattr(merged, name), getattr(kept, name)])
                for name in Sources.__slots__
            )
        )
    return merged


def nearest_arcsec(ra_deg: Floats, dec_deg: Floats, others: Sources) -> Floats:
    """Return the distance of each position to the nearest source, infinite where there is none.

    Parameters
    ----------
    ra_deg, dec_deg : (n,) ndarray of float64
        Positions in degrees.
    others : Sources
        The sources.

    Returns
    -------
    (n,) ndarray of float64
        In arcsec.
    """
    from scipy.spatial import KDTree

    if others.count == 0:
        return np.full(np.shape(ra_deg), np.inf)
    centre = float(others.ra_deg[0]), float(others.dec_deg[0])
    tree = KDTree(np.stack(to_tangent_plane(others.ra_deg, others.dec_deg, *centre), axis=1))
    points = np.stack(to_tangent_plane(ra_deg, dec_deg, *centre), axis=1)
    distance, _ = tree.query(points)
    return np.asarray(distance, np.float64)


def _clipped_deviation(values: NDArray[Any]) -> float:
    """Return the standard deviation without what is far above it, never zero unless all is equal.

    Each step leaves out what is beyond three deviations, and stops before it would leave only
    one value.
    """
    deviation = float(np.std(values))
    while True:
        kept = values[np.abs(values - np.median(values)) <= _CLIP * deviation]
        clipped = float(np.std(kept))
        if clipped in (0.0, deviation):
            return deviation
        values, deviation = kept, clipped


def _empty() -> Sources:
    nothing = np.zeros(0)
    return Sources(nothing, nothing, nothing, nothing, nothing, nothing, np.zeros(0, np.int64))
