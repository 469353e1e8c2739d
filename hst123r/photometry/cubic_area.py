"""Areas of pixels by the cubic distortion of a chip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError

Floats = NDArray[np.float64]
TERMS = 10
"""1, x, y, x², xy, y², x³, x²y, xy², y³."""


def cubic_area(
    x_terms: Sequence[float], y_terms: Sequence[float], shape: tuple[int, int], origin_pix: float
) -> Floats:
    """Return the product of the widths and heights of pixels, as DOLPHOT's mask program does.

    Width and height of a pixel are the distances of its opposite sides, on which the distortion
    is taken, over what its linear terms make of them. For pixels that are hardly sheared the
    product is the area.

    Parameters
    ----------
    x_terms, y_terms : sequence of float, 10 each
        Coefficients of 1, x, y, x², xy, y², x³, x²y, xy², y³ (Holtzman et al. 1995, PASP 107,
        156).
    shape : (ny, nx)
        Size of the image.
    origin_pix : float
        Zero-based pixel that is zero for the polynomials, along both axes.

    Returns
    -------
    (ny, nx) ndarray of float64
        Near 1.

    Raises
    ------
    InputError
        If there are not ten coefficients each.
    """
    if len(x_terms) != TERMS or len(y_terms) != TERMS:
        raise InputError(f"a cubic distortion has {TERMS} coefficients for each axis")
    y, x = np.meshgrid(*(np.arange(n) - origin_pix for n in shape), indexing="ij", sparse=True)
    area = np.ones(shape)
    for dx, dy, linear in ((0.5, 0.0, 1), (0.0, 0.5, 2)):
        ends = [
            (_cubic(x_terms, x + sign * dx, y + sign * dy),
             _cubic(y_terms, x + sign * dx, y + sign * dy))
            for sign in (-1, 1)
        ]  # fmt: skip
        length = np.hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1])
        area *= length / np.hypot(x_terms[linear], y_terms[linear])
    return area


def _cubic(terms: Sequence[float], x: Floats, y: Floats) -> Floats:
    one, a, b, aa, ab, bb, aaa, aab, abb, bbb = terms
    in_x = one + x * (a + x * (aa + x * aaa))
    in_y = y * (b + y * (bb + y * bbb))
    return np.asarray(in_x + in_y + x * y * (ab + aab * x + abb * y))
