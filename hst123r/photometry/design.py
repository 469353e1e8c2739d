"""The pixels near stars, numbered, and the sparse matrices that say which star lights them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hst123r.photometry.frame import Frame
from hst123r.photometry.sky import Background

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Design:
    """Pixels within the fit radius of any star.

    Parameters
    ----------
    frame : Frame
        The frame.
    x, y : (n,) ndarray of float64
        Zero-based positions of the stars.
    half : int
        Half size of the stamps that hold the fit radius.
    inside : (n, k, k) ndarray of bool
        Stamp pixels within the fit radius, wherever they are.
    chosen : (m,) ndarray of int64
        Those of them that are usable, as flat indices of the stamps, star after star.
    place : (m,) ndarray of int64
        Number of the pixel each falls on.
    pixels : (p,) ndarray of int64
        Flat index in the frame of each numbered pixel, increasing.
    first : (n + 1,) ndarray of int64
        Where each star's part of `chosen` begins.
    """

    frame: Frame
    x: Floats
    y: Floats
    half: int
    inside: Booleans
    chosen: Integers
    place: Integers
    pixels: Integers
    first: Integers

    @classmethod
    def build(cls, frame: Frame, x: Floats, y: Floats, radius_pix: float) -> Design:
        """Number the pixels around stars.

        Parameters
        ----------
        frame : Frame
            The frame.
        x, y : (n,) ndarray of float64
            Zero-based positions; a star that is not finite has no pixels.
        radius_pix : float
            Fit radius; a pixel whose centre is nearer takes part.

        Returns
        -------
        Design
            The numbering.
        """
        ny, nx = frame.shape
        half = int(np.ceil(radius_pix))
        finite = np.isfinite(x) & np.isfinite(y)
        star_x, star_y = np.where(finite, x, -1e6), np.where(finite, y, -1e6)
        steps = np.arange(-half, half + 1)
        column = np.floor(star_x + 0.5).astype(np.int64)[:, None] + steps
        row = np.floor(star_y + 0.5).astype(np.int64)[:, None] + steps
        square = ((column - star_x[:, None]) ** 2)[:, None, :] + ((row - star_y[:, None]) ** 2)[
            :, :, None
        ]
        inside = square <= radius_pix**2
        on = ((column >= 0) & (column < nx))[:, None, :] & ((row >= 0) & (row < ny))[:, :, None]
        chosen = np.flatnonzero(inside & on)
        star, rest = np.divmod(chosen, steps.size**2)
        j, i = np.divmod(rest, steps.size)
        flat = row[star, j] * nx + column[star, i]
        usable = ~frame.bad.ravel()[flat]
        chosen, flat, star = chosen[usable], flat[usable], star[usable]
        used = np.zeros(ny * nx, np.bool_)
        used[flat] = True
        pixels = np.flatnonzero(used)
        # of a whole frame only the pages of numbered pixels are ever touched
        number = np.empty(ny * nx, np.int64)
        number[pixels] = np.arange(pixels.size)
        first = np.concatenate([[0], np.cumsum(np.bincount(star, minlength=x.size))])
        return cls(
            frame,
            star_x,
            star_y,
            half,
            inside,
            chosen,
            number[flat],
            pixels,
            first.astype(np.int64),
        )

    @property
    def stars(self) -> int:
        """Number of stars."""
        return self.x.size

    @cached_property
    def star(self) -> Integers:
        """Star of each element of `chosen`."""
        return np.repeat(np.arange(self.stars), np.diff(self.first))

    @cached_property
    def column(self) -> Integers:
        """Column of each numbered pixel."""
        return np.asarray(self.pixels % self.frame.shape[1])

    @cached_property
    def row(self) -> Integers:
        """Row of each numbered pixel."""
        return np.asarray(self.pixels // self.frame.shape[1])

    @cached_property
    def area(self) -> Floats:
        """Relative area of each numbered pixel."""
        return self.frame.area_at(self.column, self.row)

    def select(self, stamps: Floats) -> Floats:
        """Return the usable values of stamps, shape (m,)."""
        return np.asarray(stamps.ravel()[self.chosen])

    def matrix(self, parts: Sequence[Floats]) -> sparse.csr_matrix:
        """Return the matrix whose rows are parameters and whose columns are pixels.

        Parameters
        ----------
        parts : sequence of (m,) ndarray of float64
            Usable stamp values for each kind of parameter: the PSF, its derivatives.

        Returns
        -------
        (k * n, p) `scipy.sparse.csr_matrix`
            First all stars' rows of the first kind, then those of the second, and so on.
        """
        kinds = len(parts)
        size = self.place.size
        starts = [self.first[:-1] + kind * size for kind in range(kinds)]
        return sparse.csr_matrix(
            (
                np.concatenate(parts),
                np.tile(self.place, kinds),
                np.concatenate([*starts, [kinds * size]]),
            ),
            shape=(kinds * self.stars, self.pixels.size),
        )

    def per_star(self, values: Floats) -> Floats:
        """Return the sums of values of `chosen` over each star's part, shape (n,)."""
        return np.asarray(np.bincount(self.star, weights=values, minlength=self.stars), np.float64)

    def largest(self, values: Floats) -> Floats:
        """Return the largest of values of `chosen` in each star's part, 0 where it is empty."""
        result = np.zeros(self.stars)
        filled = np.flatnonzero(np.diff(self.first) > 0)
        if filled.size:
            result[filled] = np.maximum.reduceat(values, self.first[filled])
        return result

    def empty_variance(self, background: Background) -> tuple[Floats, Floats]:
        """Return the sky and the variance that pixels would have without stars.

        Counts N before flat-fielding have the variance N + read noise²; flat-fielding divides
        them by the pixel area (and by the rest of the flat, which is near 1). Where the
        measured noise is larger than this theory, the variance is scaled up to it.

        Parameters
        ----------
        background : Background
            The sky and its measured rms.

        Returns
        -------
        sky, variance : (p,) ndarray of float64
            In electrons and electrons².
        """
        sky = background.at(self.column, self.row)
        read = self.frame.read_noise_e**2 + self.frame.dark_e
        variance = np.maximum(sky, 0.0) / self.area + read / self.area**2
        # a noiseless frame still needs weights
        variance = np.maximum(variance, 1e-6)
        if np.isfinite(background.rms) and variance.size:
            variance *= max(1.0, background.rms**2 / float(np.median(variance)))
        return sky, variance
