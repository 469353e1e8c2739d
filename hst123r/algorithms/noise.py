"""The noise of stacks, whose pixels share what drizzling has spread over them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
MAD: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
REACH_SIGMA: Final = 4.0
"""Radius of the kernel in sigmas of its Gaussian, as for finding stars."""
BOX_PIX: Final = 64
"""Side of the boxes in which noise is measured: thousands of pixels, and smaller than a chip."""
LEAST_FILLED: Final = 0.1
"""A box with a smaller part of its pixels in use takes the noise of its neighbours."""
LARGEST_GROWTH: Final = 4.0
"""More than this is not correlation but crowding."""


def relative_noise(weight: NDArray[Any]) -> Floats:
    """Return the noise of the pixels of a stack up to a common factor.

    Parameters
    ----------
    weight : (ny, nx) ndarray
        Weight map (WHT): exposure times or inverse variances, zero where there are no data.

    Returns
    -------
    (ny, nx) ndarray of float64
        One over the root of the weight, infinite without data.
    """
    known = np.isfinite(weight) & (weight > 0)
    noise = np.full(weight.shape, np.inf)
    noise[known] = np.asarray(weight[known], np.float64) ** -0.5
    return noise


def local_spread(values: NDArray[Any], out: Booleans, box_pix: int = BOX_PIX) -> Floats:
    """Return the robust standard deviation around each pixel.

    The weights of a stack are exposure times; they know nothing of chips whose pixels differ in
    size and noise, nor of a sky that is brighter in one corner.

    Parameters
    ----------
    values : (ny, nx) ndarray
        Residuals brought to a common weight.
    out : (ny, nx) ndarray of bool
        True for pixels to leave out.
    box_pix : int
        Side of the boxes in which it is measured; between their middles it is interpolated.

    Returns
    -------
    (ny, nx) ndarray of float64
        From the median absolute deviation of each box, then the median of 3 by 3 boxes.
    """
    from scipy.ndimage import distance_transform_edt, median_filter

    ny, nx = values.shape
    rows, columns = -(-ny // box_pix), -(-nx // box_pix)
    padded = np.full((rows * box_pix, columns * box_pix), np.nan, np.float32)
    padded[:ny, :nx] = np.where(out, np.nan, values)
    apart = padded.reshape(rows, box_pix, columns, box_pix).swapaxes(1, 2)
    boxes = apart.reshape(rows, columns, -1)
    empty = np.count_nonzero(np.isfinite(boxes), axis=2) < LEAST_FILLED * box_pix**2
    mesh = np.full((rows, columns), np.nan)
    if empty.all():
        return np.full((ny, nx), _spread(values[~out]) if not out.all() else np.nan)
    kept = boxes[~empty]
    middle = np.nanmedian(kept, axis=1, keepdims=True)
    mesh[~empty] = MAD * np.nanmedian(np.abs(kept - middle), axis=1)
    nearest = distance_transform_edt(empty, return_distances=False, return_indices=True)
    mesh = median_filter(mesh[tuple(nearest)], size=3, mode="nearest")
    return np.asarray(_between(ny, rows, box_pix) @ mesh @ _between(nx, columns, box_pix).T)


def _between(size: int, boxes: int, box_pix: int) -> Floats:
    """Return the weights that interpolate linearly between the middles of boxes, (size, boxes)."""
    place = np.clip((np.arange(size) + 0.5) / box_pix - 0.5, 0, boxes - 1)
    below = np.minimum(place.astype(np.int64), max(boxes - 2, 0))
    weights = np.zeros((size, boxes))
    every = np.arange(size)
    weights[every, below] = 1.0 - (place - below)
    weights[every, np.minimum(below + 1, boxes - 1)] += place - below
    return weights


def correlated_growth(ratio: NDArray[Any], out: Booleans, sigma_pix: float) -> float:
    """Return by how much noise grows in a matched filter because pixels are correlated.

    Drizzled pixels share the noise of input pixels, so that their scatter is too small for what
    a star's worth of them does: by 1.4 for the native scale and a drop of 0.8, by more on finer
    pixels (Fruchter & Hook 2002, PASP 114, 144, equations 9 and 10). It is measured: the scatter
    of the image under the filter that finds stars, over that of independent pixels.

    Parameters
    ----------
    ratio : (ny, nx) ndarray
        Sky-subtracted image over its noise per pixel.
    out : (ny, nx) ndarray of bool
        True for pixels to leave out.
    sigma_pix : float
        Sigma of the Gaussian filter.

    Returns
    -------
    float
        At least 1; robust against the stars, and limited where they are everywhere.
    """
    from scipy.signal import fftconvolve

    half = max(2, int(np.ceil(REACH_SIGMA * sigma_pix)))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    inside = np.hypot(x, y) <= max(2.0, REACH_SIGMA * sigma_pix)
    kernel = np.where(inside, np.exp(-0.5 * (x**2 + y**2) / sigma_pix**2), 0.0)
    kernel = np.where(inside, kernel - kernel[inside].mean(), 0.0).astype(np.float32)
    # single bright pixels would ring through the filter, and say nothing of the noise
    flat = np.where(out, 0.0, np.clip(ratio, -5.0, 5.0)).astype(np.float32)
    filtered = fftconvolve(flat, kernel, mode="same")[~out]
    pixels = flat[~out]
    if pixels.size == 0:
        return 1.0
    alone = _spread(pixels) * float(np.sqrt(np.sum(kernel.astype(np.float64) ** 2)))
    growth = _spread(filtered) / alone if alone > 0 else 1.0
    return float(np.clip(growth, 1.0, LARGEST_GROWTH))


def correlation_factor(pixfrac: float, scale_ratio: float) -> float:
    """Return by how much the noise of a stack is larger than its pixels' scatter says.

    Fruchter & Hook (2002), PASP 114, 144, equations 9 and 10 (after Casertano et al. 2000, AJ 120,
    2747, appendix A): with r the size of the drop in output pixels, R = r / (1 - 1 / 3r) for drops
    larger than a pixel and 1 / (1 - r / 3) for smaller ones. It is the mean over many dithers of
    the kernel ``square``, for areas much larger than a pixel.

    Parameters
    ----------
    pixfrac : float
        Size of the drop, in input pixels.
    scale_ratio : float
        Scale of the output pixels over that of the input.

    Returns
    -------
    float
        At least 1.
    """
    drop = pixfrac / scale_ratio
    return drop / (1 - 1 / (3 * drop)) if drop >= 1 else 1 / (1 - drop / 3)


def rms_map(
    science: NDArray[Any],
    weight: NDArray[Any],
    factor: float,
    seconds: NDArray[Any],
    light: float,
) -> NDArray[np.float32]:
    """Return the noise of the pixels of a stack, as of independent pixels.

    The noise of the sum of many pixels is the root of the sum of the squares of this map. Its part
    of the sky, of reading and of dark current is measured around each pixel and grows by the
    correlation factor; the photons of sources are added.

    Parameters
    ----------
    science : (ny, nx) ndarray
        The stack.
    weight : (ny, nx) ndarray
        Its weight, zero without data.
    factor : float
        See :func:`correlation_factor`.
    seconds : (ny, nx) ndarray
        Exposure time of each pixel.
    light : float
        Variance that one unit of light adds in one second, in units squared: 1 for electrons per
        second.

    Returns
    -------
    (ny, nx) ndarray of float32
        In the unit of the stack; NaN without data.
    """
    empty = ~np.isfinite(science) | (weight <= 0)
    if empty.all():
        return np.full(science.shape, np.nan, np.float32)
    relative = relative_noise(weight)
    level = float(np.median(science[~empty]))
    above = np.where(empty, 0.0, np.asarray(science, np.float64) - level)
    values = above / relative
    source = np.abs(values) > 3 * _spread(values[~empty])
    noise = factor * local_spread(values, empty | source) * relative
    with np.errstate(invalid="ignore", divide="ignore"):
        photons = light * np.maximum(above, 0.0) / seconds
        return np.where(empty, np.nan, np.sqrt(noise**2 + photons)).astype(np.float32)


def _spread(values: NDArray[Any]) -> float:
    return MAD * float(np.median(np.abs(values - np.median(values))))
