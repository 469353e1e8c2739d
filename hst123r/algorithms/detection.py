"""Finding stars in an image whose noise is known."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

EVERY: Final = (-np.inf, np.inf)
"""Limits that every source is within."""
MIN_SEPARATION_PIX: Final = 2
"""Sources closer than this are one: the least radius of DAOFIND's kernel (Stetson 1987)."""
MOST_MOVE_PIX: Final = 1.0
"""A centroid that is refined by more than this has run to something else."""
PIXEL_FWHM: Final = 1.5
"""What widens the window of a centroid, pixels: with it, centroids are within 0.1 pixel on
drizzled stars of a FWHM of 1.2 pixels, and without it 0.3 (measured by us on simulated stacks)."""
GAUSSIAN_FWHM: Final = 2.3548
"""FWHM of a Gaussian in sigmas."""
_ANY: Final = 1e6
"""Limits of shape that keep everything: cuts are the caller's, on the returned numbers."""


@dataclass(frozen=True, eq=False)
class Detections:
    """Sources found in an image, the brightest first.

    Parameters
    ----------
    x, y : (n,) ndarray of float64
        Zero-based pixel positions of the centroids.
    flux : (n,) ndarray of float64
        Sum of the pixels of the finder's kernel, a rough flux in the image's unit.
    peak : (n,) ndarray of float64
        Largest pixel.
    snr : (n,) ndarray of float64
        Height of the convolved image over its noise: what the threshold applies to.
    sharpness : (n,) ndarray of float64
        DAOFIND's: the peak over its surroundings relative to the height of the fitted
        Gaussian (Stetson 1987, PASP 99, 191); higher for cosmic rays and hot pixels than for
        stars, lower for extended sources.
    roundness1, roundness2 : (n,) ndarray of float64
        DAOFIND's two measures of how far from round a source is, 0 for round ones.
    """

    x: Floats
    y: Floats
    flux: Floats
    peak: Floats
    snr: Floats
    sharpness: Floats
    roundness1: Floats
    roundness2: Floats

    def __len__(self) -> int:
        return self.x.size

    def where(self, chosen: ArrayLike) -> Detections:
        """Return a part of the sources: a mask, a slice of rows, or row numbers in order."""
        rows = np.asarray(chosen)
        return Detections(**{name: value[rows] for name, value in vars(self).items()})


def find_stars(
    image: NDArray[Any],
    noise: float | NDArray[Any],
    fwhm_pix: float,
    threshold_sigma: float = 5.0,
    *,
    mask: Booleans | None = None,
    reach_sigma: float = 4.0,
    sharpness: tuple[float, float] = EVERY,
    roundness: tuple[float, float] = EVERY,
    edge_pix: int = 0,
    brightest: int | None = None,
) -> Detections:
    """Find point sources with DAOFIND (photutils' ``DAOStarFinder``).

    The image is divided by its noise before it is convolved, so the threshold means the same
    everywhere, in deep and shallow parts of a stack. The noise is given, never guessed: a
    guess from the mode of a sky-subtracted image finds thousands of stars in nothing.

    Parameters
    ----------
    image : (ny, nx) ndarray
        Sky-subtracted; pixels that are not finite are left out.
    noise : float or (ny, nx) ndarray
        Standard deviation of a pixel, see :func:`noise_from_weight` for stacks. Pixels whose
        noise is not finite or not above zero are left out.
    fwhm_pix : float
        Full width at half maximum of a star; of two sources closer together than this, and
        than 2 pixels, the brighter is returned.
    threshold_sigma : float
        Lowest S/N in the convolved image, for noise that is not correlated between pixels.
        Drizzled stacks have correlated noise, and more false sources at a given threshold.
    mask : (ny, nx) ndarray of bool, optional
        True for pixels to leave out.
    reach_sigma : float
        Radius of the kernel in sigmas of its Gaussian. DAOFIND's own 1.5 makes of a star of
        2 pixels width a third less S/N than 4 does, and tells no more neighbours apart; it
        suits fields where stars nearly touch.
    sharpness, roundness : (float, float)
        Lowest and highest accepted. What stars have depends on the detector's sampling, so
        every source is returned unless limits are given.
    edge_pix : int
        Sources nearer than this to the edge of the image are left out.
    brightest : int, optional
        Most sources returned.

    Returns
    -------
    Detections
        The brightest first, then by position: the order is always the same. Perhaps none.

    Raises
    ------
    InputError
        If shapes differ or numbers are impossible.
    """
    if image.ndim != 2 or 0 in image.shape:
        raise InputError(f"stars cannot be found in an array of shape {image.shape}")
    if not (fwhm_pix > 0 and threshold_sigma > 0):
        raise InputError(
            f"a width of {fwhm_pix} pixels and a threshold of {threshold_sigma} sigma: both "
            "must be above zero"
        )
    try:
        sigma = np.broadcast_to(np.asarray(noise), image.shape)
    except ValueError as error:
        raise InputError(
            f"the noise has the shape {np.shape(noise)}, the image {image.shape}"
        ) from error
    out = ~np.isfinite(image) | ~np.isfinite(sigma) | ~(sigma > 0)
    if mask is not None:
        if mask.shape != image.shape:
            raise InputError(f"the mask has the shape {mask.shape}, the image {image.shape}")
        out = out | mask
    if out.all():
        return _none()
    ratio = np.zeros(image.shape, np.float32)
    np.divide(image, sigma, out=ratio, where=~out, casting="unsafe")
    table = _search(ratio, out, fwhm_pix, threshold_sigma, reach_sigma)
    if table is None:
        return _none()
    found = _from_table(table, threshold_sigma, image, sigma)
    ny, nx = image.shape
    keep = (found.x >= edge_pix) & (found.x <= nx - 1 - edge_pix)
    keep &= (found.y >= edge_pix) & (found.y <= ny - 1 - edge_pix)
    keep &= (found.sharpness >= sharpness[0]) & (found.sharpness <= sharpness[1])
    for value in (found.roundness1, found.roundness2):
        keep &= (value >= roundness[0]) & (value <= roundness[1])
    found = found.where(keep)
    order = np.lexsort((found.x, found.y, -found.flux))
    return found.where(order[:brightest])


def refine_centroids(
    image: NDArray[Any], x: Floats, y: Floats, fwhm_pix: float, rounds: int = 10
) -> tuple[Floats, Floats]:
    """Refine positions with windowed centroids, the ``XWIN`` and ``YWIN`` of SExtractor.

    DAOFIND's own centroids are wrong by a quarter of a pixel on undersampled images; these are
    a weighted mean of the pixels under a Gaussian that follows the star (Bertin & Arnouts 1996,
    A&AS 117, 393, and the manual of SExtractor 2.24, section "Windowed positional parameters").

    Parameters
    ----------
    image : (ny, nx) ndarray
        Sky-subtracted; pixels that are not finite count as zero.
    x, y : (n,) ndarray of float64
        Zero-based pixel positions.
    fwhm_pix : float
        Full width at half maximum of a star; the window is wider by what pixels add.
    rounds : int
        Steps of the iteration.

    Returns
    -------
    x, y : (n,) ndarray of float64
        Refined positions; where one strays by more than a pixel, as in the wings of a brighter
        star, it is the one that was given.
    """
    # under a window as narrow as an undersampled star, the centres of pixels attract
    sigma = float(np.hypot(fwhm_pix, PIXEL_FWHM)) / GAUSSIAN_FWHM
    half = max(1, int(np.ceil(3.0 * sigma)))
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1].reshape(2, -1)
    columns = np.round(x).astype(np.int64)[:, None] + dx
    rows = np.round(y).astype(np.int64)[:, None] + dy
    inside = (columns >= 0) & (columns < image.shape[1]) & (rows >= 0) & (rows < image.shape[0])
    inner = image[np.clip(rows, 0, image.shape[0] - 1), np.clip(columns, 0, image.shape[1] - 1)]
    light = np.where(inside & np.isfinite(inner), inner, 0.0).astype(np.float64)
    east, north = np.array(x, np.float64), np.array(y, np.float64)
    for _ in range(rounds):
        across, up = columns - east[:, None], rows - north[:, None]
        weighted = light * np.exp(-0.5 * (across**2 + up**2) / sigma**2)
        total = np.maximum(weighted.sum(axis=1), np.finfo(np.float64).tiny)
        # twice the mean, since the window pulls it back by half
        east += np.clip(2.0 * (weighted * across).sum(axis=1) / total, -0.5, 0.5)
        north += np.clip(2.0 * (weighted * up).sum(axis=1) / total, -0.5, 0.5)
    stray = np.hypot(east - x, north - y) > MOST_MOVE_PIX
    return np.where(stray, x, east), np.where(stray, y, north)


def _search(
    ratio: NDArray[Any], out: Booleans, fwhm_pix: float, threshold: float, reach: float
) -> Any:
    """Run photutils' finder with cuts that keep everything, under their name of the day."""
    from photutils.detection import DAOStarFinder
    from photutils.utils.exceptions import NoDetectionsWarning
    from scipy.ndimage import convolve

    names = inspect.signature(DAOStarFinder).parameters
    if "sharpness_range" in names:
        cuts: dict[str, Any] = {"sharpness_range": (-_ANY, _ANY), "roundness_range": (-_ANY, _ANY)}
    else:
        cuts = {"sharplo": -_ANY, "sharphi": _ANY, "roundlo": -_ANY, "roundhi": _ANY}
    cuts["sigma_radius"] = reach
    alone = DAOStarFinder(threshold=threshold, fwhm=fwhm_pix, **cuts)
    kernel = np.asarray(alone.kernel.data, np.float32)
    # stars are as far apart as their width, in whole pixels, and no nearer than DAOFIND's own 2
    # pixels, or a star between four pixels is found twice
    apart = max(MIN_SEPARATION_PIX, round(fwhm_pix))
    places = _peaks(
        convolve(ratio, kernel, mode="constant", cval=0.0), alone.threshold_eff, apart, out
    )
    if not len(places):
        return None
    finder = DAOStarFinder(threshold=threshold, fwhm=fwhm_pix, xycoords=places, **cuts)
    with warnings.catch_warnings():
        # an image without stars is no surprise
        warnings.simplefilter("ignore", NoDetectionsWarning)
        return finder(ratio, mask=out)


def _peaks(
    convolved: NDArray[Any], threshold: float, apart_pix: int, out: Booleans
) -> NDArray[np.int64]:
    """Return pixels above a threshold that no pixel of the circle around them exceeds.

    photutils' own search looks at every peak of the noise, one after another, which takes longer
    than all the rest of finding stars; here pixels below the threshold are never looked at.

    Parameters
    ----------
    convolved : (ny, nx) ndarray
        The convolved image.
    threshold : float
        Its lowest value.
    apart_pix : int
        Radius of the circle.
    out : (ny, nx) ndarray of bool
        True for pixels that are no peaks.

    Returns
    -------
    (n, 2) ndarray of int64
        Columns and rows.
    """
    around = np.pad(convolved, apart_pix, constant_values=-np.inf)
    row, column = np.nonzero((convolved > threshold) & ~out)
    height = convolved[row, column]
    steps = np.arange(-apart_pix, apart_pix + 1)
    near = [(i, j) for i in steps for j in steps if 0 < i**2 + j**2 <= apart_pix**2]
    # next neighbours first: they leave few pixels for the others
    for i, j in sorted(near, key=lambda step: step[0] ** 2 + step[1] ** 2):
        left = height >= around[row + apart_pix + i, column + apart_pix + j]
        row, column, height = row[left], column[left], height[left]
    return np.stack([column, row], axis=1).astype(np.int64)


def _from_table(
    table: Any, threshold: float, image: NDArray[Any], sigma: NDArray[Any]
) -> Detections:
    """Return what the finder's table says, in the unit of the image."""
    columns = set(table.colnames)
    x = np.asarray(table["x_centroid" if "x_centroid" in columns else "xcentroid"], np.float64)
    y = np.asarray(table["y_centroid" if "y_centroid" in columns else "ycentroid"], np.float64)
    magnitude = np.asarray(table["daofind_mag" if "daofind_mag" in columns else "mag"], float)
    column = np.clip(np.round(x), 0, image.shape[1] - 1).astype(np.int64)
    row = np.clip(np.round(y), 0, image.shape[0] - 1).astype(np.int64)
    local = np.asarray(sigma[row, column], np.float64)
    return Detections(
        x=x,
        y=y,
        flux=np.asarray(table["flux"], np.float64) * local,
        peak=np.asarray(table["peak"], np.float64) * local,
        # the finder's magnitude is that of the height over its threshold
        snr=threshold * 10.0 ** (-0.4 * magnitude),
        sharpness=np.asarray(table["sharpness"], np.float64),
        roundness1=np.asarray(table["roundness1"], np.float64),
        roundness2=np.asarray(table["roundness2"], np.float64),
    )


def _none() -> Detections:
    empty = np.empty(0)
    return Detections(empty, empty, empty, empty, empty, empty, empty, empty)
