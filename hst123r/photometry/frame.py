"""One chip of one exposure, ready to be measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hst123r.errors import InputError
from hst123r.optics.psf import EffectivePSF
from hst123r.photometry.geometry import pixel_jacobian, sky_to_pixel

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]
Area = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, eq=False)
class Frame:
    """One chip of one exposure.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32 or float64
        Flat-fielded electrons (not per second), the sky included or subtracted.
    mask : (ny, nx) ndarray of bool
        True for pixels to leave out. Pixels that are not finite are left out anyway.
    saturated : (ny, nx) ndarray of bool
        True for saturated pixels; left out, and stars on them are flagged.
    read_noise_e : float
        Read noise in electrons per pixel, that of rounding to whole counts included.
    exposure_time_s : float
        Exposure time in seconds.
    wcs : `astropy.wcs.WCS`
        With all its distortion.
    psf : EffectivePSF
        The effective PSF of the frame, normalised to an infinite aperture.
    area : (ny, nx) ndarray of float64, or callable
        Pixel area relative to the nominal scale, as a map or as a function of zero-based
        (x, y) such as :class:`~hst123r.photometry.geometry.AreaMap`. A point source's
        electrons in the frame are its true ones divided by this.
    label : str
        Name for messages, e.g. root name and chip.
    dark_e : float
        Electrons per pixel of dark current that calibration has subtracted, whose noise
        remains; likewise of a sky that was subtracted before.

    Raises
    ------
    InputError
        If shapes differ or numbers are impossible.
    """

    data: NDArray[np.float32] | Floats
    mask: Booleans
    saturated: Booleans
    read_noise_e: float
    exposure_time_s: float
    wcs: Any
    psf: EffectivePSF
    area: Floats | Area
    label: str = ""
    dark_e: float = 0.0

    def __post_init__(self) -> None:
        if self.data.ndim != 2 or 0 in self.data.shape:
            raise InputError(f"a frame of shape {self.data.shape} is no image", where=self.label)
        others = {"mask": self.mask, "saturated": self.saturated}
        if not callable(self.area):
            others["area"] = self.area  # type: ignore[assignment]
        for name, array in others.items():
            if array.shape != self.data.shape:
                raise InputError(
                    f"the {name} has the shape {array.shape}, the data have {self.data.shape}",
                    where=self.label,
                )
        if not (np.isfinite(self.read_noise_e) and self.read_noise_e >= 0):
            raise InputError(f"a read noise of {self.read_noise_e} electrons", where=self.label)
        if not (np.isfinite(self.exposure_time_s) and self.exposure_time_s > 0):
            raise InputError(f"an exposure of {self.exposure_time_s} s", where=self.label)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.data.shape[0], self.data.shape[1]

    @cached_property
    def bad(self) -> Booleans:
        """Pixels that are left out: masked, saturated or not finite."""
        return np.asarray(self.mask | self.saturated | ~np.isfinite(self.data))

    def area_at(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return the relative pixel area at zero-based positions (nearest pixel of a map)."""
        px, py = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if callable(self.area):
            return np.asarray(self.area(px, py), np.float64)
        ny, nx = self.shape
        column = np.clip(np.floor(px + 0.5), 0, nx - 1).astype(np.int64)
        row = np.clip(np.floor(py + 0.5), 0, ny - 1).astype(np.int64)
        return np.asarray(self.area[row, column], np.float64)

    def pixels(self, ra_deg: ArrayLike, dec_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Return zero-based pixels of sky positions, NaN where they are far off the frame."""
        return sky_to_pixel(self.wcs, self.shape, ra_deg, dec_deg)

    def jacobian(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Return d(east, north)/d(x, y) in arcsec per pixel, shape (n, 2, 2)."""
        return pixel_jacobian(self.wcs, x, y)

    def contains(self, x: ArrayLike, y: ArrayLike) -> Booleans:
        """Return which zero-based positions are on the frame."""
        px, py = np.asarray(x, np.float64), np.asarray(y, np.float64)
        ny, nx = self.shape
        return np.asarray((px >= -0.5) & (px < nx - 0.5) & (py >= -0.5) & (py < ny - 0.5))
