"""Cosmic rays in exposures of one field: the model without them, and what departs from it.

The rules are those of AstroDrizzle (the DrizzlePac Handbook describes them in its chapters on
`createMedian` and `drizCR`), and so are the results, bit for bit; the arithmetic is done with a
third of its passes over the pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS: Final = 64
"""Rows that are combined at once, so that they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What is known of the noise of an exposure.

    Parameters
    ----------
    readnoise : float
        Electrons.
    exposure_time : float
        Seconds.
    background : float
        Sky that was subtracted, electrons in a pixel.
    """

    readnoise: float
    exposure_time: float
    background: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where a pixel is a cosmic ray.

    Parameters
    ----------
    snr : (float, float)
        Sigma, for pixels alone and for those beside one that is hit.
    scale : (float, float)
        Factors of the derivative of the model, for both.
    grow : int
        Side of the box around a hit pixel that is flagged with it; 1 for none.
    tail : int
        Length of the tails of charge transfer that are flagged, pixels.
    tail_direction : int
        1 or -1, along y; 0 where there are no tails.
    """

    snr: tuple[float, float]
    scale: tuple[float, float]
    grow: int = 1
    tail: int = 0
    tail_direction: int = 0


def minimum_or_median(
    images: Sequence[NDArray[np.float32]],
    weights: Sequence[NDArray[np.float32]],
    least: Sequence[float],
    noises: Sequence[Noise],
    median: Callable[[Any, Any], Any],
    *,
    grow: int,
    nsigma: tuple[float, float],
) -> NDArray[np.float32]:
    """Combine images by their median, or their minimum where the median is far above it.

    Parameters
    ----------
    images : sequence of (ny, nx) ndarray of float32
        Images on one grid, electrons per second.
    weights : sequence of (ny, nx) ndarray of float32
        Their weights, seconds.
    least : sequence of float
        Pixels with less weight are left out, seconds.
    noises : sequence of Noise
        Of each image.
    median : callable
        Takes images and their masks, (k, m, nx) each, True where left out, and returns the (m, nx)
        combination that the minimum stands in for.
    grow : int
        Pixels around one that was replaced in which the second threshold holds.
    nsigma : (float, float)
        How far above the minimum the median may be, sigma: alone, and beside a replaced pixel.

    Returns
    -------
    (ny, nx) ndarray of float32
        0 where no image has enough weight.
    """
    rows = images[0].shape[0]
    found = np.zeros_like(images[0])
    for first in range(0, rows, _ROWS):
        last = min(first + _ROWS, rows)
        low, high = max(first - grow, 0), min(last + grow, rows)
        some = np.stack([image[low:high] for image in images])
        heavy = np.stack([weight[low:high] for weight in weights])
        if not heavy.any():
            continue
        combined = _combined(some, heavy, least, noises, median, grow, nsigma)
        found[first:last] = combined[first - low : last - low]
    return found


def _combined(
    images: NDArray[np.float32],
    weights: NDArray[np.float32],
    least: Sequence[float],
    noises: Sequence[Noise],
    median: Callable[[Any, Any], Any],
    grow: int,
    nsigma: tuple[float, float],
) -> NDArray[np.float32]:
    number = len(images)
    masks = light(weights, least)
    left_out = masks.sum(axis=0, dtype=np.int16)
    nothing = left_out == number
    middle = median(images, masks)
    good = np.where(masks, np.float32(0), images)
    if number > 2:
        # where one image alone is left, it is no outlier
        alone = left_out == number - 1
        middle[alone] = good.sum(axis=0)[alone]
    lowest = np.where(masks, np.float32(np.inf), images).min(axis=0)
    lowest[nothing] = 0
    sky = sum(
        weight * np.float64(n.background / n.exposure_time)
        for weight, n in zip(weights, noises, strict=True)
    )
    reading = sum(
        np.where(mask, 0.0, n.readnoise**2) for mask, n in zip(masks, noises, strict=True)
    )
    time = weights.sum(axis=0)
    floor, electrons = lowest * time, middle * time
    sigma = np.sqrt(np.fmax(electrons + sky + reading, 0.0))
    replaced = floor < electrons - sigma * nsigma[0]
    if grow:
        near = _spread(replaced, grow)
        replaced = np.where(near, floor < electrons - sigma * nsigma[1], replaced)
    combined = np.where(replaced, lowest, middle)
    combined[nothing] = 0
    return np.asarray(combined, np.float32)


def light(weights: NDArray[np.float32], least: Sequence[float]) -> NDArray[np.bool_]:
    """Return where images have no weight, or less than they need.

    Parameters
    ----------
    weights : (k, ny, nx) ndarray of float32
        Weights of each image.
    least : sequence of float
        What each needs; 0 for one that has no weight anywhere.

    Returns
    -------
    (k, ny, nx) ndarray of bool
        True where a pixel is left out.
    """
    # without the second, an image that is nowhere would be one of zeros everywhere
    return (weights < np.asarray(least)[:, None, None]) | (weights <= 0)


def derivative(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest step from each pixel to a neighbour along the axes.

    AstroDrizzle takes what lies beyond the first and the last rows and columns for 0, and does not
    look to the left in its last column and row; so does this.

    Parameters
    ----------
    image : (ny, nx) ndarray of float32
        The model.

    Returns
    -------
    (ny, nx) ndarray of float32
        Absolute differences, never negative.
    """
    rows, columns = image.shape
    found = np.zeros_like(image)
    shifted = np.zeros_like(image)
    # the destinations and sources that `quickDeriv` of drizzlepac has, its borders included
    for to, of in (
        ((slice(0, rows - 1), slice(1, columns - 1)), (slice(0, rows - 1), slice(0, columns - 2))),
        ((slice(0, rows - 1), slice(0, columns - 2)), (slice(0, rows - 1), slice(1, columns - 1))),
        ((slice(1, rows - 1), slice(0, columns - 1)), (slice(0, rows - 2), slice(0, columns - 1))),
        ((slice(0, rows - 2), slice(0, columns - 1)), (slice(1, rows - 1), slice(0, columns - 1))),
    ):
        shifted[:] = 0
        shifted[to] = image[of]
        np.subtract(image, shifted, out=shifted)
        np.abs(shifted, out=shifted)
        np.maximum(found, shifted, out=found)
    return found


def without_cosmic_rays(
    image: NDArray[np.float32],
    model: NDArray[np.float32],
    background: float,
    readnoise: float,
    thresholds: Thresholds,
) -> NDArray[np.bool_]:
    """Return where an image is as its model says, within noise and the model's own steepness.

    Parameters
    ----------
    image : (ny, nx) ndarray of float32
        The exposure with its sky, electrons.
    model : (ny, nx) ndarray of float32
        What it would be without cosmic rays, with the sky, electrons.
    background : float
        Sky, electrons in a pixel.
    readnoise : float
        Electrons.
    thresholds : Thresholds
        What departs too far.

    Returns
    -------
    (ny, nx) ndarray of bool
        False where a cosmic ray hit.
    """
    steep = derivative(model)
    away = np.abs(image - model)
    sigma = np.sqrt(np.abs(model + np.float32(background)) + np.float32(readnoise**2))
    hit = away > _limit(steep, sigma, thresholds, 0)
    # beside a hit pixel, the second threshold holds
    good = (away <= _limit(steep, sigma, thresholds, 1)) | ~_spread(hit, 1)
    return _grown(good, thresholds)


def _limit(
    steep: NDArray[np.float32], sigma: NDArray[np.float32], thresholds: Thresholds, which: int
) -> NDArray[np.float32]:
    found = sigma * np.float32(thresholds.snr[which])
    found += steep * np.float32(thresholds.scale[which])
    return found


def _spread(mask: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Return the mask and everything within a box around its pixels."""
    if not mask.any():
        return mask.copy()
    along = mask.copy()
    for step in range(1, reach + 1):
        along[step:] |= mask[:-step]
        along[:-step] |= mask[step:]
    found = along.copy()
    for step in range(1, reach + 1):
        found[:, step:] |= along[:, :-step]
        found[:, :-step] |= along[:, step:]
    return found


def _grown(good: NDArray[np.bool_], thresholds: Thresholds) -> NDArray[np.bool_]:
    """Flag boxes around hit pixels, and tails behind them."""
    from scipy.signal import convolve2d

    found = good
    if thresholds.grow > 1:
        box = np.ones((thresholds.grow, thresholds.grow), np.uint16)
        found = convolve2d(good, box, boundary="symm", mode="same") >= thresholds.grow**2
    if thresholds.tail and thresholds.tail_direction:
        # AstroDrizzle would flag every pixel of a detector without a direction
        tail = np.zeros((2 * thresholds.tail + 1,) * 2)
        if thresholds.tail_direction > 0:
            tail[: thresholds.tail, thresholds.tail] = 1
        else:
            tail[thresholds.tail + 1 :, thresholds.tail] = 1
        found = found & (convolve2d(good, tail, boundary="symm", mode="same") >= thresholds.tail)
    return found
