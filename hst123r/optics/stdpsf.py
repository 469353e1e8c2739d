"""Measured effective PSFs: the STDPSF grids of Anderson (2016, WFC3 ISR 2016-12).

A grid holds one effective PSF, oversampled four times, for each of some places of the
detector. Several chips are tiles of one frame, as the library's author puts them together before
he measures (J. Anderson, hst1pass.F), each with as many places as the others.
Opening the file is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    tiles: tuple[int, int] = (1, 1),
    fractions: Sequence[float] | None = None,
    radius_pix: float = NORMALISATION_RADIUS_PIX,
) -> tuple[PSFGrid, ...]:
    """Make PSF grids of the contents of a STDPSF file.

    Parameters
    ----------
    data : array_like, shape (nx * ny, n, n)
        The image of the file.
    header : mapping
        Its header: ``NXPSFS``, ``NYPSFS``, ``IPSFX01``…, ``JPSFY01``… (one-based pixels).
    tiles : (int, int)
        Chips in the frame, along x and along y, of one size; each has its last place at its edge.
    fractions : sequence of float, optional
        For each chip the fraction of a star's light, in an infinite aperture, within
        `radius_pix`, which each of its PSFs is scaled to; 1 without it. The library's own PSFs
        have 1, which is not what an aperture of any size gives;
        :meth:`EffectivePSF.encircled_energy` of a computed PSF is a good value.
    radius_pix : float
        The radius, in native pixels.

    Returns
    -------
    tuple of PSFGrid
        One for each chip, along x first, from the lowest row of chips.

    Raises
    ------
    InputError
        If header and data do not fit together, or not the chips.
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
    images = images.reshape(counts[1], counts[0], *images.shape[1:])
    across, up = _apart(x, tiles[0]), _apart(y, tiles[1])
    wanted = [1.0] * (tiles[0] * tiles[1]) if fractions is None else list(fractions)
    grids = []
    for number, fraction in enumerate(wanted):
        (rows, place_y), (columns, place_x) = up[number // tiles[0]], across[number % tiles[0]]
        own = images[rows, columns]
        scaled = [_scaled(image, fraction, radius_pix) for image in own.reshape(-1, *own.shape[2:])]
        grids.append(PSFGrid(place_x, place_y, np.stack(scaled).reshape(own.shape)))
    return tuple(grids)


def _apart(places: Floats, chips: int) -> list[tuple[slice, Floats]]:
    """Return for each chip along an axis which places are its own, and where they are on it."""
    each, rest = divmod(len(places), chips)
    length = places[each - 1] if chips > 1 else 0.0
    result = []
    for chip in range(chips):
        own = slice(chip * each, (chip + 1) * each)
        on_chip = places[own] - 1.0 - chip * length
        # the first row of the upper chip is given as the last of the lower one, or as the next
        inside = chips == 1 or ((on_chip >= -1.0) & (on_chip <= length)).all()
        if rest or each == 0 or not inside or (np.diff(on_chip) <= 1.0).any():
            told = ", ".join(f"{place:g}" for place in places)
            many = "one chip" if chips == 1 else f"{chips} chips"
            raise InputError(f"a STDPSF grid has the places {told} along an axis, not of {many}")
        result.append((own, on_chip))
    return result


def _scaled(image: Floats, fraction: float, radius_pix: float) -> Floats:
    inside = float(EffectivePSF(image, OVERSAMPLING).encircled_energy(radius_pix))
    return np.asarray(image * (fraction / inside), np.float64)


def _between(nodes: Floats, value: float) -> tuple[int, float]:
    """Return the node before a value, and how far it is towards the next, 0 to 1."""
    if len(nodes) == 1:
        return 0, 0.0
    i = int(np.clip(np.searchsorted(nodes, value, side="right") - 1, 0, len(nodes) - 2))
    return i, float(np.clip((value - nodes[i]) / (nodes[i + 1] - nodes[i]), 0.0, 1.0))
