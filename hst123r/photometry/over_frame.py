"""What follows the place on a frame: polynomials of low order, and which order the stars bear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

HIGHEST: Final = 2


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Products of Legendre polynomials along both axes of a frame, of total degree `order`.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the frame; its corners are at -1 and 1.
    order : int
        Highest total degree: 0, 1 or 2.
    """

    shape: tuple[int, int]
    order: int

    def terms(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the terms at some places, the constant first.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Zero-based pixels; places beyond the frame count as its edge.

        Returns
        -------
        (n, k) ndarray of float64
            With k = 1, 3 or 6.
        """
        u, v = (
            np.clip(2.0 * np.asarray(place, np.float64) / max(size - 1, 1) - 1.0, -1.0, 1.0)
            for place, size in zip((x, y), self.shape[::-1], strict=True)
        )
        along = [np.ones_like(u), u, (3 * u**2 - 1) / 2], [np.ones_like(v), v, (3 * v**2 - 1) / 2]
        pairs = [(i, total - i) for total in range(self.order + 1) for i in range(total, -1, -1)]
        return np.stack([along[0][i] * along[1][j] for i, j in pairs], axis=-1)

    def everywhere(self) -> Floats:
        """Return the terms at 25 places, the corners among them, shape (25, k)."""
        y, x = (np.linspace(0.0, size - 1.0, 5) for size in self.shape)
        along_x, along_y = np.meshgrid(x, y)
        return self.terms(along_x.ravel(), along_y.ravel())


def order_for(shape: tuple[int, int], x: Floats, y: Floats, enough: float) -> int:
    """Return the highest order that stars at some places bear.

    A value that each star tells equally well is known at the worst place of the frame with the
    variance of one star times the leverage of that place, ``p (P'P)^-1 p'``; it may be
    1 / `enough`. So not the number of stars alone decides, but where they are too: of stars all
    over a frame about 7 times `enough` bear a first order and 25 times `enough` a second one, of
    any number in one corner none does.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the frame.
    x, y : (n,) ndarray of float64
        Zero-based places of the stars.
    enough : float
        By how many stars at one place the value must be as well known everywhere.

    Returns
    -------
    int
        0, 1 or 2.
    """
    for order in range(HIGHEST, 0, -1):
        polynomial = Polynomial(shape, order)
        own, places = polynomial.terms(x, y), polynomial.everywhere()
        if len(own) <= own.shape[1] or np.linalg.matrix_rank(own) < own.shape[1]:
            continue
        leverage = np.sum((places @ np.linalg.inv(own.T @ own)) * places, axis=1)
        if leverage.max() <= 1.0 / enough:
            return order
    return 0
