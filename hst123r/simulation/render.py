"""From stars to pixels: light on the chip, noise, and what a calibration makes of it.

Electrons are collected in pixels of the size they really have; calibration then divides by the
flat field, which makes an evenly lit frame flat, so that all values end up divided by the pixel
area map: a star's counts in the frame times the area map are its flux.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.telescope import metres
from hst123r.simulation.cosmic_rays import tracks
from hst123r.simulation.defects import Defects, flag
from hst123r.simulation.model import Sky

Floats = NDArray[np.float64]

STAMP_HALVES: Final = (6, 12, 24, 64)
"""Half sizes of the stamps that stars are painted with; the faintest that loses nothing seen."""
_LOST_SIGMA: Final = 0.03
"""A stamp ends where the star is below this fraction of the noise of the sky in every pixel."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """One chip of a calibrated frame.

    Parameters
    ----------
    sci, err : (rows, columns) ndarray of float32
        Science data and its standard error, in the header's unit.
    dq : (rows, columns) ndarray of int16
        Data quality; cosmic rays are not flagged.
    cosmic_rays : (rows, columns) ndarray of bool
        Pixels hit by cosmic rays.
    saturated : int
        Number of saturated pixels.
    """

    sci: NDArray[np.float32]
    err: NDArray[np.float32]
    dq: NDArray[np.int16]
    cosmic_rays: NDArray[np.bool_]
    saturated: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """What turns magnitudes into electrons and electrons into the header's unit.

    Parameters
    ----------
    photflam : float
        Inverse sensitivity, erg/cm2/Angstrom per header unit and second.
    pivot_angstrom : float
        Pivot wavelength.
    gain : float
        Electrons per header unit (per header unit times second for rates).
    per_second : bool
        Whether the header's unit is a rate.
    exposure_time_s : float
        Exposure time.
    """

    photflam: float
    pivot_angstrom: float
    gain: float
    per_second: bool
    exposure_time_s: float

    @property
    def zeropoint_ab(self) -> float:
        """AB magnitude of one header unit per second.

        ``-2.5 log10(PHOTFLAM) - 5 log10(PHOTPLAM) - 2.408`` (ACS Data Handbook, section 5.1).
        """
        return float(-2.5 * np.log10(self.photflam) - 5 * np.log10(self.pivot_angstrom) - 2.408)

    def electrons(self, magnitude_ab: Floats) -> Floats:
        """Return the electrons that sources leave in the whole exposure."""
        rate = 10 ** (-0.4 * (np.asarray(magnitude_ab) - self.zeropoint_ab))
        return np.asarray(rate * self.gain * self.exposure_time_s)

    @property
    def units_per_electron(self) -> float:
        """What one electron is in the header's unit."""
        time = self.exposure_time_s if self.per_second else 1.0
        return 1.0 / (self.gain * time)


def conversion(detector: Detector, filter_name: str, exposure_time_s: float) -> Conversion:
    """Return the photometric conversion of a detector and filter.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    filter_name : str
        Name of the filter.
    exposure_time_s : float
        Exposure time.

    Returns
    -------
    Conversion
        The conversion.

    Raises
    ------
    InputError
        If there is no such filter, or its sensitivity or pivot wavelength is not known.
    """
    facts = detector.filters.get(filter_name)
    if facts is None:
        raise InputError(
            f"there is no filter {filter_name!r}",
            where=detector.name,
            hint=f"Filters are {', '.join(sorted(detector.filters))}",
        )
    if facts.photflam is None or facts.pivot is None:
        what = "sensitivity (PHOTFLAM)" if facts.photflam is None else "pivot wavelength"
        raise InputError(
            f"the {what} of {filter_name} is not known, so that exposures through it cannot be "
            "simulated",
            where=detector.name,
        )
    return Conversion(
        photflam=facts.photflam.value,
        pivot_angstrom=metres(facts.pivot, detector.name) * 1e10,
        gain=detector.noise.gain.value,
        per_second=detector.products.unit.endswith("/S"),
        exposure_time_s=exposure_time_s,
    )


def paint(
    shape: tuple[int, int], psf: EffectivePSF, x: Floats, y: Floats, flux: Floats, noise: float
) -> Floats:
    """Return the light of stars on a chip.

    Parameters
    ----------
    shape : (rows, columns)
        Size of the frame.
    psf : EffectivePSF
        The effective PSF of the chip, or a term of it, which may be below zero.
    x, y : (n,) ndarray of float64
        Zero-based positions; stars off the frame count with what falls on it.
    flux : (n,) ndarray of float64
        Light of each star in an infinite aperture, e.g. in electrons, times its share of the term.
    noise : float
        Noise of an empty pixel in the same unit, which decides how large the stamps are.

    Returns
    -------
    (rows, columns) ndarray of float64
        Light per pixel.
    """
    image = np.zeros(shape)
    halves = [half for half in STAMP_HALVES if half < psf.half_pix] + [psf.half_pix]
    brightest = [_brightest_outside(psf, half) for half in halves[:-1]] + [0.0]
    tier = np.full(flux.shape, len(halves) - 1)
    for index in range(len(halves) - 2, -1, -1):
        tier[np.abs(flux) * brightest[index] <= _LOST_SIGMA * noise] = index
    for index, half in enumerate(halves):
        chosen = np.flatnonzero((tier == index) & (flux != 0))
        # a few hundred large stamps at a time keep memory modest
        block = max(1, 4_000_000 // (2 * half + 1) ** 2)
        for start in range(0, chosen.size, block):
            part = chosen[start : start + block]
            values, x0, y0 = psf.stamps(x[part], y[part], half)
            values *= flux[part][:, None, None]
            for stamp, column, row in zip(values, x0.tolist(), y0.tolist(), strict=True):
                _add(image, stamp, column, row)
    return image


def _brightest_outside(psf: EffectivePSF, half: int) -> float:
    """Return the largest absolute value of the PSF outside a square of the given half size."""
    reach = half * psf.oversampling
    ring = np.abs(psf.data)
    ring[
        psf.middle - reach : psf.middle + reach + 1, psf.middle - reach : psf.middle + reach + 1
    ] = 0
    return float(ring.max())


def _add(image: Floats, stamp: Floats, x0: int, y0: int) -> None:
    """Add a stamp to an image, as far as it lies inside."""
    rows, columns = image.shape
    left, right = max(0, -x0), min(stamp.shape[1], columns - x0)
    low, high = max(0, -y0), min(stamp.shape[0], rows - y0)
    if left < right and low < high:
        image[y0 + low : y0 + high, x0 + left : x0 + right] += stamp[low:high, left:right]


def sky_electrons(sky: Sky, change: Conversion, scale_arcsec: float) -> float:
    """Return the electrons of the sky in a pixel of the nominal size."""
    if sky.brightness_ab is None:
        return 0.0
    one_arcsec2 = float(change.electrons(np.array([sky.brightness_ab]))[0])
    return one_arcsec2 * scale_arcsec**2


def expose(
    light: Floats,
    area: Floats,
    detector: Detector,
    change: Conversion,
    sky: Sky,
    sky_e: float,
    defects: Defects | None,
    rng: np.random.Generator,
) -> Pixels:
    """Make a calibrated chip of the light that falls on it.

    Parameters
    ----------
    light : (rows, columns) ndarray of float64
        Electrons of the stars; the array is used up.
    area : (rows, columns) ndarray of float64
        Pixel area map.
    detector : Detector
        Facts of the detector.
    change : Conversion
        Units of this exposure.
    sky : Sky
        Which noises there are.
    sky_e : float
        Electrons of the sky in a pixel of area 1.
    defects : Defects or None
        Bad pixels.
    rng : `numpy.random.Generator`
        Source of randomness.

    Returns
    -------
    Pixels
        Calibrated data, errors from the noisy data as a pipeline computes them, and flags.
    """
    noise = detector.noise
    time = change.exposure_time_s
    dark = noise.dark.value * time
    electrons = light
    electrons += sky_e * area
    electrons += dark
    # measured PSFs have noise in their wings, and are below zero in places
    np.maximum(electrons, 0.0, out=electrons)
    dq = np.zeros(area.shape, np.int16)
    if defects is not None:
        electrons.ravel()[defects.hot] += defects.hot_rate_e_s * time
        dq.ravel()[defects.hot] |= flag(detector, "hot")
    if sky.photon_noise:
        electrons[:] = rng.poisson(electrons)
    hit = np.zeros(area.shape, np.bool_)
    if noise.cosmic_rays is not None and sky.cosmic_rays:
        charge, hit = tracks(area.shape, noise.cosmic_rays.value * time, rng)
        electrons += charge
        del charge
    full = electrons >= noise.full_well.value
    dq[full] |= flag(detector, "saturated")
    if noise.cosmic_rays is not None:
        # a ramp is read before it saturates; a CCD's pixel overflows
        np.minimum(electrons, noise.full_well.value, out=electrons)
    if defects is not None and defects.dead_columns.size:
        electrons[:, defects.dead_columns] = 0.0
        dq[:, defects.dead_columns] |= flag(detector, "dead")
    if sky.read_noise:
        reading = rng.standard_normal(area.shape, dtype=np.float32)
        whole = change.gain != 1.0
        reading *= noise.before_rounding(change.gain) if whole else noise.read_noise.value
        electrons += reading
        del reading
    if change.gain != 1.0:
        electrons[:] = np.round(electrons / change.gain) * change.gain
    per_unit = change.units_per_electron / area
    error = np.maximum(electrons, 0.0)
    error += noise.read_noise.value**2
    np.sqrt(error, out=error)
    error *= per_unit
    electrons -= dark
    electrons *= per_unit
    return Pixels(
        sci=electrons.astype(np.float32),
        err=error.astype(np.float32),
        dq=dq,
        cosmic_rays=hit,
        saturated=int(np.count_nonzero(full)),
    )
