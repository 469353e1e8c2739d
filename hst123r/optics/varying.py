"""An effective PSF that changes over a chip, interpolated to the place of each star."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.optics.psf import EffectivePSF

if TYPE_CHECKING:
    from hst123r.optics.stdpsf import PSFGrid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FEW: Final = 4
"""With fewer places than this along an axis, the nearest one is too far for wings."""
REACH_PIX: Final = 13
"""Beyond these pixels from the star, in its row or column, the PSF is the mean over all places:
what changes there with the place is nothing beside the noise, and most of a large stamp. Measured
PSFs of the library end here."""
_EDGE_PIX: Final = 2
"""So much more is kept, where the spline would feel the edge."""


@dataclass(frozen=True, eq=False)
class VaryingPSF(EffectivePSF):
    """The PSFs of a grid of places, interpolated bilinearly (Anderson & King 2000, section 4).

    Stamps are those of the place of their star, out to `REACH_PIX`. All that is said of the PSF as
    a whole, its width, its encircled energy, :meth:`~hst123r.optics.psf.EffectivePSF.at`, is said
    of `data`.

    Parameters
    ----------
    data : (n, n) ndarray of float64
        The mean over all places.
    oversampling : int
        Nodes per native pixel.
    grid : PSFGrid
        PSFs of the full chip.
    first : (float, float)
        Zero-based pixel of the full chip that the first pixel of the image is.
    """

    grid: PSFGrid
    first: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, grid: PSFGrid) -> VaryingPSF:
        """Return the PSF of a grid, for images of the full chip."""
        return cls(grid.psfs.mean(axis=(0, 1)), grid.oversampling, grid)

    def moved(self, left: float, low: float) -> VaryingPSF:
        """Return the same for a piece of the image, whose first pixel is (left, low)."""
        if left == 0 and low == 0:
            return self
        return replace(self, first=(self.first[0] + left, self.first[1] + low))

    def plus(self, change: Floats) -> VaryingPSF:
        """Return the PSF after a change that is the same at all places, shape (n, n)."""
        grid = replace(self.grid, psfs=self.grid.psfs + change)
        return replace(self, data=self.data + change, grid=grid)

    @cached_property
    def places(self) -> list[EffectivePSF]:
        """The PSFs as far as they are followed, row by row of the grid."""
        reach = min(self.middle, (REACH_PIX + _EDGE_PIX) * self.oversampling)
        inner = slice(self.middle - reach, self.middle + reach + 1)
        psfs = self.grid.psfs[:, :, inner, inner].reshape(-1, 2 * reach + 1, 2 * reach + 1)
        return [EffectivePSF(psf, self.oversampling) for psf in psfs]

    @cached_property
    def _near(self) -> dict[tuple[float, float], EffectivePSF]:
        """The PSFs of places that wings were asked for."""
        return {}

    def wings(self, x: ArrayLike, y: ArrayLike, half: int) -> tuple[Floats, Integers, Integers]:
        """Return stamps of the nearest place of the grid; of a coarse one, half-way points too.

        Wings change by up to a tenth over a chip, so what is near enough is right to a hundredth.
        Parameters and results are those of :meth:`~hst123r.optics.psf.EffectivePSF.wings`.
        """
        star_x = np.atleast_1d(np.asarray(x, np.float64))
        star_y = np.atleast_1d(np.asarray(y, np.float64))
        place_x = _nearest(_refined(self.grid.x), star_x + self.first[0])
        place_y = _nearest(_refined(self.grid.y), star_y + self.first[1])
        places, which = np.unique(np.stack([place_x, place_y]), axis=1, return_inverse=True)
        values = np.zeros((star_x.size, 2 * half + 1, 2 * half + 1))
        for number, place in enumerate(zip(*places.tolist(), strict=True)):
            if place not in self._near:
                self._near[place] = self.grid.at(*place)
            rows = np.flatnonzero(which == number)
            values[rows], _, _ = self._near[place].wings(star_x[rows], star_y[rows], half)
        x0 = np.floor(star_x + 0.5).astype(np.int64) - half
        y0 = np.floor(star_y + 0.5).astype(np.int64) - half
        return values, x0, y0

    def weights(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the share of each PSF of the grid in that of a place.

        Parameters
        ----------
        x, y : array_like of float, shape (n,)
            Zero-based pixels of the image; places beyond the grid count as its nearest edge.

        Returns
        -------
        (n, places) ndarray of float64
            At most four are not zero, and their sum is 1.
        """
        along_x = _shares(self.grid.x, np.atleast_1d(np.asarray(x, np.float64)) + self.first[0])
        along_y = _shares(self.grid.y, np.atleast_1d(np.asarray(y, np.float64)) + self.first[1])
        return (along_y[:, :, None] * along_x[:, None, :]).reshape(along_x.shape[0], -1)

    def _stamps(
        self, x: ArrayLike, y: ArrayLike, half: int, *, derivatives: bool
    ) -> tuple[list[Floats], Integers, Integers]:
        star_x = np.atleast_1d(np.asarray(x, np.float64))
        star_y = np.atleast_1d(np.asarray(y, np.float64))
        shares = self.weights(star_x, star_y)
        inner = min(half, REACH_PIX)
        size = 2 * inner + 1
        results = [np.zeros((star_x.size, size, size)) for _ in range(3 if derivatives else 1)]
        for number, psf in enumerate(self.places):
            rows = np.flatnonzero(shares[:, number])
            if rows.size == 0:
                continue
            make = psf.stamps_with_derivatives if derivatives else psf.stamps
            *parts, _, _ = make(star_x[rows], star_y[rows], inner)
            for result, part in zip(results, parts, strict=True):
                result[rows] += shares[rows, number, None, None] * part
        if half > inner:
            wide, _, _ = super()._stamps(star_x, star_y, half, derivatives=derivatives)
            here = slice(half - inner, half + inner + 1)
            for whole, core in zip(wide, results, strict=True):
                whole[:, here, here] = core
            results = wide
        x0 = np.floor(star_x + 0.5).astype(np.int64) - half
        y0 = np.floor(star_y + 0.5).astype(np.int64) - half
        return results, x0, y0


def _refined(nodes: Floats) -> Floats:
    """Return the nodes of an axis, and where they are few the points half-way between them."""
    if nodes.size >= _FEW:
        return nodes
    return np.sort(np.append(nodes, (nodes[1:] + nodes[:-1]) / 2))


def _nearest(nodes: Floats, values: Floats) -> Floats:
    """Return the node nearest to each value."""
    # a star that is nowhere has stamps as good as any
    known = np.nan_to_num(values, nan=float(nodes[0]))
    return nodes[np.searchsorted((nodes[1:] + nodes[:-1]) / 2, known)]


def _shares(nodes: Floats, values: Floats) -> Floats:
    """Return the weights of linear interpolation, shape (values, nodes)."""
    result = np.zeros((values.size, nodes.size))
    rows = np.arange(values.size)
    if nodes.size == 1:
        result[:, 0] = 1.0
        return result
    # a star that is nowhere has stamps as good as any
    known = np.nan_to_num(values, nan=float(nodes[0]))
    before = np.clip(np.searchsorted(nodes, known, side="right") - 1, 0, nodes.size - 2)
    share = np.clip((known - nodes[before]) / (nodes[before + 1] - nodes[before]), 0.0, 1.0)
    result[rows, before] = 1.0 - share
    result[rows, before + 1] = share
    return result
