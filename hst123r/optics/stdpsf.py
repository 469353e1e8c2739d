"""Measured effective PSFs: the STDPSF grids of Anderson (2016, WFC3 ISR 2016-12).

A grid holds one effective PSF, oversampled four times, for each of some places of the
detector; two chips are stacked along y, with the row of places at their common edge given
twice. Opening the file is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError
from hst123r.optics.psf import EffectivePSF

Floats = NDArray[np.float64]

OVERSAMPLING: Final = 4
NORMALISATION_RADIUS_PIX: Final = 5.0
"""Radius within which the library's PSFs have unit sum; measured on its files (1.0005 in the
visible, and 0.991 in the infrared, where the radius is 5.5)."""


@dataclass(frozen=True, eq=False)
class PSFGrid:
    """Effective PSFs at some places of one chip.

    Parameters
    ----------
    x, y : ndarray of float64, shapes (nx,) and (ny,)
        Zero-based pixel coordinates of the places on the chip, increasing.
    psfs : (ny, nx, n, n) ndarray of float64
        Effective PSFs, normalised as :class:`~hst123r.optics.psf.EffectivePSF` says.
    oversampling : int
        Nodes per native pixel.
    """

    x: Floats
    y: Floats
    psfs: Floats
    oversampling: int = OVERSAMPLING

    def at(self, x: float, y: float) -> EffectivePSF:
        """Return the PSF at a place, interpolated bilinearly; outside, the nearest edge's.

        Parameters
        ----------
        x, y : float
            Zero-based pixel coordinates on the chip.

        Returns
        -------
        EffectivePSF
            The PSF there.
        """
        i, t = _between(self.x, x)
        j, s = _between(self.y, y)
        low = (1 - t) * self.psfs[j, i] + t * self.psfs[j, min(i + 1, len(self.x) - 1)]
        next_j = min(j + 1, len(self.y) - 1)
        high = (1 - t) * self.psfs[next_j, i] + t * self.psfs[next_j, min(i + 1, len(self.x) - 1)]
        return EffectivePSF((1 - s) * low + s * high, self.oversampling)

    def mean(self) -> EffectivePSF:
        """Return the average over all places."""
        return EffectivePSF(self.psfs.mean(axis=(0, 1)), self.oversampling)


def read_stdpsf(
    data: ArrayLike,
    header: Mapping[str, Any],
    *,
    fraction: float = 1.0,
    radius_pix: float = NORMALISATION_RADIUS_PIX,
) -> tuple[PSFGrid, ...]:
    """Make PSF grids of the contents of a STDPSF file.

    Parameters
    ----------
    data : array_like, shape (nx * ny, n, n)
        The image of the file.
    header : mapping
        Its header: ``NXPSFS``, ``NYPSFS``, ``IPSFX01``…, ``JPSFY01``… (one-based pixels).
    fraction : float
        Fraction of a star's light, in an infinite aperture, within `radius_pix`: each PSF is
        scaled to it. The library's own PSFs have 1 there, which is not what an aperture of
        any size gives; :meth:`EffectivePSF.encircled_energy` of a computed PSF is a good value.
    radius_pix : float
        The radius, in native pixels.

    Returns
    -------
    tuple of PSFGrid
        One for each chip, the lowest first.

    Raises
    ------
    InputError
        If header and data do not fit together.
    """
    images = np.asarray(data, np.float64)
    try:
        counts = int(header["NXPSFS"]), int(header["NYPSFS"])
        x = np.array([float(header[f"IPSFX{k + 1:02d}"]) for k in range(counts[0])])
        y = np.array([float(header[f"JPSFY{k + 1:02d}"]) for k in range(counts[1])])
    except KeyError as missing:
        raise InputError(f"a STDPSF header has no keyword {missing}") from missing
    if images.ndim != 3 or images.shape[0] != counts[0] * counts[1]:
        raise InputError(
            f"a STDPSF grid of {counts[0]} x {counts[1]} places does not fit an array of shape "
            f"{images.shape}"
        )
    scaled = np.stack([_scaled(image, fraction, radius_pix) for image in images])
    scaled = scaled.reshape(counts[1], counts[0], *images.shape[1:])
    # places that (nearly) repeat along y are the edge between two chips
    edges = [0, *(np.flatnonzero(np.diff(y) <= 1.0) + 1).tolist(), counts[1]]
    return tuple(
        PSFGrid(x - 1.0, y[first:last] - y[first], scaled[first:last])
        for first, last in pairwise(edges)
    )


def _scaled(image: Floats, fraction: float, radius_pix: float) -> Floats:
    inside = float(EffectivePSF(image, OVERSAMPLING).encircled_energy(radius_pix))
    return np.asarray(image * (fraction / inside), np.float64)


def _between(nodes: Floats, value: float) -> tuple[int, float]:
    """Return the node before a value, and how far it is towards the next, 0 to 1."""
    if len(nodes) == 1:
        return 0, 0.0
    i = int(np.clip(np.searchsorted(nodes, value, side="right") - 1, 0, len(nodes) - 2))
    return i, float(np.clip((value - nodes[i]) / (nodes[i + 1] - nodes[i]), 0.0, 1.0))
