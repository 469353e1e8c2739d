"""Fluxes of the sources of a field in the exposures of one filter, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hst123r.photometry.combine import Combined, combine
from hst123r.photometry.flags import Flag
from hst123r.photometry.joint import Joint
from hst123r.photometry.magnitudes import magnitude_ab, magnitude_error, njy_per_unit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
UNUSABLE: Final = int(Flag.NO_PIXELS | Flag.OFF_FRAME | Flag.SATURATED)
"""Fluxes with these flags take no part in means."""
SUSPECT: Final = int(Flag.PARTLY_MASKED | Flag.OUTLIERS | Flag.POOR_FIT)
"""Fluxes with these flags only do so where a group has none without: a cosmic ray was there."""
AS_LIGHT: Final = ("flux", "error", "fixed_error", "photon_slope", "rate", "rate_error")
"""What grows alike when light that was not counted is made good."""
LEAST_USABLE: Final = 0.5
"""Nor do those of which less than this fraction of the weight is on usable pixels."""


@dataclass(frozen=True, slots=True)
class FrameNote:
    """What the fluxes of a frame need to become physical.

    Parameters
    ----------
    exposure : int
        Number of the exposure it belongs to, from 0.
    extver : int
        EXTVER of its chip.
    zeropoint_ab : float
        AB zeropoint of one electron per second; NaN where the header has none.
    exposure_time_s : float
        Exposure time.
    aperture_factor : float
        What makes the flux of the fit that in an infinite aperture, where the PSF of the fit has
        another fraction of the light than real stars.
    """

    exposure: int
    extver: int
    zeropoint_ab: float
    exposure_time_s: float
    aperture_factor: float = 1.0

    @property
    def rate_unit(self) -> float:
        """Electrons per second in an infinite aperture for an electron of the fit."""
        return self.aperture_factor / self.exposure_time_s

    @property
    def flux_unit(self) -> float:
        """Nanojansky for an electron of the fit."""
        return float(njy_per_unit(self.zeropoint_ab)) * self.rate_unit

    @property
    def scale(self) -> float:
        """What makes electrons of frames of one band comparable: nanojansky per electron.

        Without a zeropoint, as if that were 25.
        """
        zeropoint = self.zeropoint_ab if np.isfinite(self.zeropoint_ab) else 25.0
        return float(njy_per_unit(zeropoint)) / self.exposure_time_s


@dataclass(frozen=True, eq=False)
class Measurements:
    """Every source in every exposure, arrays of shape (exposures, sources).

    Parameters
    ----------
    flux, error : ndarray of float64
        Nanojansky; NaN where a source is on no usable pixel of an exposure.
    fixed_error : ndarray of float64
        The error at the fixed place, which differences between exposures have.
    photon_slope : ndarray of float64
        By how much ``error**2`` grows per nanojansky of the source's own light.
    rate, rate_error : ndarray of float64
        Electrons per second in an infinite aperture.
    x, y : ndarray of float64
        Zero-based pixels.
    extver : ndarray of int64
        Chip, 0 for none.
    chi, crowding, sky : ndarray of float64
        Quality of fit, crowding in magnitudes, sky in electrons per pixel.
    flags : ndarray of int64
        Sums of `photometry.flags.Flag`.
    usable : ndarray of float64
        Fraction of the weight that is on usable pixels.
    cte : ndarray of float64 or None
        Magnitudes that fluxes were raised by for losses of charge transfer; None where this
        is another's business.
    """

    flux: Floats
    error: Floats
    fixed_error: Floats
    photon_slope: Floats
    rate: Floats
    rate_error: Floats
    x: Floats
    y: Floats
    extver: Integers
    chi: Floats
    crowding: Floats
    sky: Floats
    flags: Integers
    usable: Floats
    cte: Floats | None = None

    def of(self, rows: Sequence[int]) -> Measurements:
        """Return the measurements in some of the exposures."""
        chosen = np.asarray(rows, np.int64)
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        kept = {name: array[chosen] for name, array in arrays.items() if array is not None}
        return Measurements(**kept)

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which fluxes take part in means."""
        return np.asarray(((self.flags & UNUSABLE) == 0) & (self.usable >= LEAST_USABLE))

    def chosen(self, rows: Integers) -> NDArray[np.bool_]:
        """Return which fluxes of some exposures take part in their mean.

        The choice is made by flags, never by flux, so it does not bias the mean.
        """
        good = self.good[rows]
        clean = good & ((self.flags[rows] & SUSPECT) == 0)
        return np.asarray(np.where(clean.any(axis=0), clean, good))


class Loss(Protocol):
    """Light that a detector does not count, and that is made good."""

    def dimmed(
        self, row: int, extver: int, light_e: Floats, sky_e: Floats, x: Floats, y: Floats
    ) -> Floats:
        """Return what is counted of the light of stars in an exposure, electrons."""
        ...

    def made_good(self, found: Measurements) -> Measurements:
        """Return measurements of all light."""
        ...


def collect(joint: Joint, notes: Sequence[FrameNote], exposures: int) -> Measurements:
    """Sort the fluxes of frames by exposure.

    Where a source is on two chips of an exposure, the chip that holds more of it counts.

    Parameters
    ----------
    joint : Joint
        Fluxes of all sources in every frame.
    notes : sequence of FrameNote
        One for each frame.
    exposures : int
        Number of exposures.

    Returns
    -------
    Measurements
        In nanojansky.
    """
    shape = (exposures, joint.ra_deg.size)
    names = (
        "flux",
        "error",
        "fixed_error",
        "photon_slope",
        "rate",
        "rate_error",
        "x",
        "y",
        "chi",
        "crowding",
        "sky",
    )
    real = {name: np.full(shape, np.nan) for name in names}
    extver, flags = np.zeros(shape, np.int64), np.full(shape, UNUSABLE & ~Flag.SATURATED, np.int64)
    usable = np.full(shape, -1.0)
    for note, fluxes, background in zip(notes, joint.fluxes, joint.backgrounds, strict=True):
        row = note.exposure
        better = np.flatnonzero(np.isfinite(fluxes.flux) & (fluxes.usable > usable[row]))
        unit = note.flux_unit
        values = {
            "flux": fluxes.flux * unit,
            "error": fluxes.error * unit,
            "fixed_error": fluxes.fixed_error * unit,
            "photon_slope": fluxes.photon_slope * unit,
            "rate": fluxes.flux * note.rate_unit,
            "rate_error": fluxes.error * note.rate_unit,
            "x": fluxes.x,
            "y": fluxes.y,
            "chi": fluxes.chi,
            "crowding": fluxes.crowding_mag,
            "sky": background.at(fluxes.x, fluxes.y),
        }
        for name, array in values.items():
            real[name][row, better] = array[better]
        extver[row, better] = note.extver
        flags[row, better] = fluxes.flags[better]
        usable[row, better] = fluxes.usable[better]
    return Measurements(
        **real, extver=extver, flags=flags, usable=np.maximum(usable, 0.0), cte=np.zeros(shape)
    )


@dataclass(frozen=True, eq=False)
class Means:
    """Mean fluxes of the sources in a group of exposures, one element per source.

    Parameters
    ----------
    combined : Combined
        Fluxes in nanojansky.
    mag, mag_error : (n,) ndarray of float64
        AB magnitudes where the S/N is high enough, else NaN.
    limit : (n,) ndarray of float64
        AB magnitude that a source at this place would be seen with at the wanted S/N.
    snr : (n,) ndarray of float64
        Flux over error.
    flags : (n,) ndarray of int64
        All flags of the exposures used.
    """

    combined: Combined
    mag: Floats
    mag_error: Floats
    limit: Floats
    snr: Floats
    flags: Integers


def mean_fluxes(
    found: Measurements, rows: Sequence[int], mjd: Floats, times: Floats, nsigma: float
) -> Means:
    """Combine some exposures.

    Parameters
    ----------
    found : Measurements
        Every source in every exposure.
    rows : sequence of int
        The exposures.
    mjd, times : (exposures,) ndarray of float64
        Middle and length of all exposures.
    nsigma : float
        S/N below which there is a limit instead of a magnitude.

    Returns
    -------
    Means
        With limits for all sources.
    """
    chosen = np.asarray(rows, np.int64)
    used = found.chosen(chosen)
    combined = combine(
        found.flux[chosen],
        found.error[chosen],
        mjd[chosen],
        times[chosen],
        found.photon_slope[chosen],
        fixed_error=found.fixed_error[chosen],
        use=used,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        snr = combined.flux / combined.error
        seen = snr >= nsigma
        mag = np.where(seen, magnitude_ab(combined.flux), np.nan)
        error = np.where(seen, magnitude_error(combined.flux, combined.error), np.nan)
    limit = magnitude_ab(combined.limit(nsigma))
    flags = np.bitwise_or.reduce(np.where(used, found.flags[chosen], 0), axis=0)
    return Means(combined, mag, error, limit, snr, flags)
