"""An effective PSF with changes to it whose amounts follow the place of the star."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.optics.psf import EffectivePSF

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Amounts = Callable[[Floats, Floats], Floats]
"""Amount of each change, shape (n, changes), at zero-based pixels of the full image."""


@dataclass(frozen=True, eq=False)
class PerturbedPSF(EffectivePSF):
    """A PSF and changes to it, each in the amount of the place of the star.

    Stamps and wings are those of the place of their star. All that is said of the PSF as a whole is
    said of `data`.

    Parameters
    ----------
    data : (n, n) ndarray of float64
        The mean over the image.
    oversampling : int
        Nodes per native pixel.
    base : EffectivePSF
        The PSF without the changes, which may follow the place itself.
    changes : tuple of EffectivePSF
        Changes of unit amount, on the nodes of the PSF; smaller arrays are its middle.
    amounts : callable
        The amounts.
    first : (float, float)
        Zero-based pixel of the full image that the first pixel of this image is.
    """

    base: EffectivePSF
    changes: tuple[EffectivePSF, ...]
    amounts: Amounts
    first: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(
        cls,
        base: EffectivePSF,
        changes: Sequence[Floats],
        amounts: Amounts,
        shape: tuple[int, int],
    ) -> PerturbedPSF:
        """Return the PSF of an image of some shape (rows, columns)."""
        y, x = (np.linspace(0.0, size - 1.0, 5) for size in shape)
        along_x, along_y = (a.ravel() for a in np.meshgrid(x, y))
        data = base.data.copy()
        for amount, change in zip(amounts(along_x, along_y).mean(axis=0), changes, strict=True):
            edge = (data.shape[0] - change.shape[0]) // 2
            inner = slice(edge, edge + change.shape[0])
            data[inner, inner] += amount * change
        own = tuple(EffectivePSF(change, base.oversampling) for change in changes)
        return cls(data, base.oversampling, base, own, amounts)

    def moved(self, left: float, low: float) -> PerturbedPSF:
        """Return the same for a piece of the image, whose first pixel is (left, low)."""
        if left == 0 and low == 0:
            return self
        first = (self.first[0] + left, self.first[1] + low)
        return replace(self, base=self.base.moved(left, low), first=first)

    def fresh(self) -> PerturbedPSF:
        """Return the same without what was worked out of it and of its parts."""
        changes = tuple(change.fresh() for change in self.changes)
        return replace(self, base=self.base.fresh(), changes=changes)

    def plus(self, change: Floats) -> PerturbedPSF:
        """Return the PSF after a change that is the same at all places, shape (n, n)."""
        return replace(self, data=self.data + change, base=self.base.plus(change))

    def wings(self, x: ArrayLike, y: ArrayLike, half: int) -> tuple[Floats, Integers, Integers]:
        """Return the wings of the place of each star.

        They are those of the PSF without the changes, and the changes in the amounts there.
        Parameters and results are those of :meth:`~hst123r.optics.psf.EffectivePSF.wings`.
        """
        star_x = np.atleast_1d(np.asarray(x, np.float64))
        star_y = np.atleast_1d(np.asarray(y, np.float64))
        (values,), x0, y0 = self._summed(_wings, star_x, star_y, half)
        return values, x0, y0

    def _stamps(
        self, x: ArrayLike, y: ArrayLike, half: int, *, derivatives: bool
    ) -> tuple[list[Floats], Integers, Integers]:
        star_x = np.atleast_1d(np.asarray(x, np.float64))
        star_y = np.atleast_1d(np.asarray(y, np.float64))
        # how the amounts themselves change within a star does not count
        make = EffectivePSF.stamps_with_derivatives if derivatives else EffectivePSF.stamps
        return self._summed(make, star_x, star_y, half)

    def _summed(
        self, make: Callable[..., tuple[Any, ...]], star_x: Floats, star_y: Floats, half: int
    ) -> tuple[list[Floats], Integers, Integers]:
        """Return what a method makes of the PSF without the changes, plus that of each change."""
        *results, x0, y0 = make(self.base, star_x, star_y, half)
        # a star that is nowhere has stamps as good as any
        amounts = self.amounts(
            np.nan_to_num(star_x + self.first[0]), np.nan_to_num(star_y + self.first[1])
        )
        for change, amount in zip(self.changes, amounts.T, strict=True):
            *parts, _, _ = make(change, star_x, star_y, half)
            for number, part in enumerate(parts):
                results[number] += amount[:, None, None] * part
        return results, x0, y0


def _wings(psf: EffectivePSF, x: Floats, y: Floats, half: int) -> tuple[Floats, Integers, Integers]:
    return psf.wings(x, y, half)
