"""The effective PSF of a detector and filter, computed from the telescope's pupil.

Fraunhofer diffraction (Goodman, *Introduction to Fourier Optics*, chapter 4): the amplitude in
the focal plane is the Fourier transform of the pupil. Working in the frequencies of the
*pixel grid* (cycles per pixel) makes the true shape and rotation of the pixels come out by
themselves: a pupil point p (metres) belongs to the frequency ``f = M^T p / wavelength``, where
M turns pixels into radians along V2 and V3. Integration over the pixel and charge diffusion
are then products with their transfer functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, cos, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError
from hst123r.instruments.detector import ChipFacts, Detector, Geometry
from hst123r.instruments.facts import Number
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.pupil import DIAMETER_M, Pupil, halo

Floats = NDArray[np.float64]

WAVELENGTHS: Final = 7
"""Wavelengths a band is sampled at."""
MINIMUM_OVERSAMPLING: Final = 4
MINIMUM_PERIOD_PIX: Final = 256
"""Side of the field that is computed, however small the array: it samples the pupil with some
hundred points, where fewer would lose part of the wings."""
_TO_METRES: Final = {"Angstrom": 1e-10, "nm": 1e-9, "um": 1e-6, "m": 1.0}


@dataclass(frozen=True, slots=True)
class Light:
    """All that a computed PSF depends on, and nothing else; the key of the cache.

    Parameters
    ----------
    band_m : tuple of float
        Wavelengths in metres.
    pixel_rad : tuple of four float
        Matrix from pixels (x, y) to radians (V2, V3), row by row.
    pupil : Pupil
        The pupil.
    wavefront_m : float
        Wavefront error in metres rms.
    blur_pix : float
        Gaussian sigma of charge diffusion along each axis, in pixels.
    focus_m : float
        Defocus of the day in addition, metres rms of the wavefront.
    """

    band_m: tuple[float, ...]
    pixel_rad: tuple[float, float, float, float]
    pupil: Pupil
    wavefront_m: float
    blur_pix: float
    focus_m: float = 0.0


def effective_psf(
    detector: Detector,
    filter_name: str,
    *,
    chip: int | None = None,
    oversampling: int = 5,
    half_pix: int = 64,
    position: tuple[float, float] | None = None,
    focus_nm: float = 0.0,
    blur_pix: float | None = None,
) -> EffectivePSF:
    """Compute the effective PSF of a detector through a filter.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    filter_name : str
        Name of the filter, e.g. ``F606W``.
    chip : int, optional
        Number of the chip, which decides the size and the rotation of the pixels; the chip of
        the first extension when not given.
    oversampling : int
        Nodes per native pixel, at least 4.
    half_pix : int
        Native pixels from the star to the edge of the array.
    position : (x, y), optional
        Zero-based pixel of the full chip at which the shape of the pixels is taken; the
        reference pixel of the WCS when not given.
    focus_nm : float
        Defocus in addition to the detector's typical wavefront, nanometres rms.
    blur_pix : float, optional
        Gaussian sigma of charge diffusion; the detector's when not given.

    Returns
    -------
    EffectivePSF
        The same object for the same arguments; the result is kept.

    Raises
    ------
    InputError
        If the detector has no such filter or chip, the filter has no known pivot wavelength,
        or the oversampling is below 4.
    """
    if oversampling < MINIMUM_OVERSAMPLING:
        raise InputError(
            f"an oversampling of {oversampling} is below {MINIMUM_OVERSAMPLING}",
            where=detector.name,
        )
    light = Light(
        band_m=band(detector, filter_name),
        pixel_rad=pixel_matrix(detector, chip_facts(detector, chip).geometry, position),
        pupil=Pupil(
            obscuration=detector.optics.obscuration.value,
            spider_width=detector.optics.spider_width.value,
            cold_stop=detector.optics.cold_stop.value if detector.optics.cold_stop else None,
        ),
        wavefront_m=metres(detector.optics.wavefront, detector.name),
        blur_pix=detector.optics.blur.value if blur_pix is None else blur_pix,
        focus_m=1e-9 * focus_nm,
    )
    return from_light(light, oversampling, half_pix)


def chip_facts(detector: Detector, number: int | None) -> ChipFacts:
    """Return a chip of a detector by its number, or the chip of the first extension.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    number : int or None
        Number of the chip.

    Returns
    -------
    ChipFacts
        Its facts.

    Raises
    ------
    InputError
        If there is no such chip.
    """
    for chip in sorted(detector.chips, key=lambda entry: entry.extver):
        if number in (None, chip.number):
            return chip
    known = ", ".join(str(chip.number) for chip in detector.chips)
    raise InputError(
        f"there is no chip {number}", where=detector.name, hint=f"Its chips are {known}"
    )


def band(detector: Detector, filter_name: str) -> tuple[float, ...]:
    """Return the wavelengths that stand for a filter, in metres.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    filter_name : str
        Name of the filter.

    Returns
    -------
    tuple of float
        Middles of equal parts of the band, pivot - width/2 to pivot + width/2; one wavelength
        where the width is not known or below 1 % of the pivot.

    Raises
    ------
    InputError
        If the detector has no such filter, or its pivot wavelength is not known.
    """
    facts = detector.filters.get(filter_name)
    if facts is None:
        raise InputError(
            f"there is no filter {filter_name!r}",
            where=detector.name,
            hint=f"Filters are {', '.join(sorted(detector.filters))}",
        )
    if facts.pivot is None:
        raise InputError(f"the pivot wavelength of {filter_name} is not known", where=detector.name)
    pivot = metres(facts.pivot, detector.name)
    width = metres(facts.width, detector.name) if facts.width else 0.0
    if width < 0.01 * pivot:
        return (pivot,)
    parts = (np.arange(WAVELENGTHS) + 0.5) / WAVELENGTHS - 0.5
    return tuple(float(value) for value in pivot + width * parts)


def pixel_matrix(
    detector: Detector, geometry: Geometry, position: tuple[float, float] | None = None
) -> tuple[float, float, float, float]:
    """Return the matrix from pixels (x, y) to radians along V2 and V3 at a place of a chip.

    Parameters
    ----------
    detector : Detector
        Facts of the detector, for the position angle its geometry was taken at.
    geometry : Geometry
        The chip's WCS.
    position : (x, y), optional
        Zero-based pixel; the reference pixel when not given.

    Returns
    -------
    tuple of four float
        Row by row: dV2/dx, dV2/dy, dV3/dx, dV3/dy, in radians per pixel.
    """
    cd = np.asarray(geometry.cd, np.float64)
    if position is not None:
        cd = cd @ sip_jacobian(
            geometry.sip,
            position[0] + 1 - geometry.crpix[0],
            position[1] + 1 - geometry.crpix[1],
        )
    # V3 stands at position angle PA_V3 (east of north), V2 at PA_V3 + 90 degrees
    angle = radians(detector.pointing.pa_v3_deg)
    to_axes = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    values = np.radians(to_axes @ cd).ravel()
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])


def sip_jacobian(sip: dict[str, float], u: float, v: float) -> Floats:
    """Return the derivatives of the SIP-corrected pixel coordinates at one place.

    Parameters
    ----------
    sip : dict of str to float
        ``A_i_j`` and ``B_i_j`` (Shupe et al. 2005, ASP Conf. Ser. 347, 491).
    u, v : float
        Pixel coordinates relative to CRPIX.

    Returns
    -------
    (2, 2) ndarray of float64
        ``[[d(u+f)/du, d(u+f)/dv], [d(v+g)/du, d(v+g)/dv]]``.
    """
    result = np.eye(2)
    for name, value in sip.items():
        axis, *powers = name.split("_")
        if len(powers) != 2 or axis not in "AB":
            continue
        i, j = int(powers[0]), int(powers[1])
        row = "AB".index(axis)
        if i:
            result[row, 0] += value * i * u ** (i - 1) * v**j
        if j:
            result[row, 1] += value * j * u**i * v ** (j - 1)
    return result


@lru_cache(maxsize=64)
def from_light(light: Light, oversampling: int, half_pix: int) -> EffectivePSF:
    """Compute an effective PSF.

    Parameters
    ----------
    light : Light
        Band, pixels, pupil, wavefront error and blur.
    oversampling : int
        Nodes per native pixel.
    half_pix : int
        Native pixels from the star to the edge of the array.

    Returns
    -------
    EffectivePSF
        Normalised to all of the light, also that outside the array.
    """
    from scipy import fft

    matrix = np.asarray(light.pixel_rad).reshape(2, 2)
    period = int(fft.next_fast_len(max(4 * half_pix, MINIMUM_PERIOD_PIX)))
    # the intensity holds frequencies up to D / wavelength; those below half the oversampling
    # must not be mixed with any that sampling folds back
    highest = DIAMETER_M * float(np.linalg.norm(matrix, 2)) / min(light.band_m)
    needed = 1.02 * (highest + min(highest, oversampling / 2))
    size = int(fft.next_fast_len(ceil(period * needed)))
    # photons of a spectrum that is flat per unit wavelength go as the wavelength
    weights = np.asarray(light.band_m) / np.sum(light.band_m)
    total = np.zeros((size, size))
    for wavelength, weight in zip(light.band_m, weights, strict=True):
        total += _monochromatic(light, matrix, wavelength, period, size) * weight
    out = period * oversampling
    spectrum = fft.rfft2(total, workers=-1)
    along_x = fft.rfftfreq(size, period / size)
    along_y = fft.fftfreq(size, period / size)[:, None]
    # integration over a pixel of unit side, and diffusion as a Gaussian
    for frequency in (along_y, along_x):
        spectrum *= np.sinc(frequency) * np.exp(-2 * (np.pi * light.blur_pix * frequency) ** 2)
    middle = float(np.mean(light.band_m))
    across = np.linalg.inv(matrix.T) * middle
    separation = np.hypot(
        across[0, 0] * along_x + across[0, 1] * along_y,
        across[1, 0] * along_x + across[1, 1] * along_y,
    )
    spectrum *= halo(separation, middle)
    spectrum = _resampled(spectrum, size, out)
    smooth = fft.irfft2(spectrum, s=(out, out), workers=-1) * oversampling**2
    reach = half_pix * oversampling
    nodes = np.arange(-reach, reach + 1) % out
    return EffectivePSF(smooth[np.ix_(nodes, nodes)], oversampling)


def _resampled(spectrum: NDArray[np.complex128], size: int, out: int) -> NDArray[np.complex128]:
    """Return the half spectrum of a (size, size) image for an (out, out) one of equal sum."""
    keep = (min(size, out) - 1) // 2
    result = np.zeros((out, out // 2 + 1), np.complex128)
    result[: keep + 1, : keep + 1] = spectrum[: keep + 1, : keep + 1]
    result[-keep:, : keep + 1] = spectrum[-keep:, : keep + 1]
    return result


def _monochromatic(
    light: Light, matrix: Floats, wavelength: float, period: int, size: int
) -> Floats:
    """Return the intensity of one wavelength, star at [0, 0], shape (size, size).

    The sum is 1 less the light further out than half the period: points of the pupil that are
    half in the shadow pass half of the light but, as amplitudes, a quarter, and what they lose
    is what an edge throws far out (Parseval's theorem).
    """
    from scipy import fft

    # pupil points, in primary radii, of the frequencies k / period of the pixel grid
    to_pupil = np.linalg.inv(matrix.T) * wavelength / (period * DIAMETER_M / 2)
    widest = float(np.linalg.norm(matrix, 2)) * DIAMETER_M / 2 / wavelength
    reach = ceil(widest * period) + 1
    steps = np.arange(-reach, reach + 1, dtype=np.float64)
    k_x, k_y = np.meshgrid(steps, steps)
    v2 = to_pupil[0, 0] * k_x + to_pupil[0, 1] * k_y
    v3 = to_pupil[1, 0] * k_x + to_pupil[1, 1] * k_y
    edge = float(np.sqrt(abs(np.linalg.det(to_pupil))))
    transmission = light.pupil.transmission(v2, v3, edge)
    waves = light.wavefront_m / wavelength * light.pupil.wavefront(v2, v3, transmission)
    if light.focus_m:
        waves += light.focus_m / wavelength * light.pupil.defocus(v2, v3, transmission)
    amplitude = transmission * np.exp(2j * np.pi * waves)
    # the pupil fills a small part of the frequencies: transform its columns, then all rows
    columns = np.zeros((size, steps.size), np.complex128)
    index = steps.astype(np.int64) % size
    columns[index] = amplitude
    columns = fft.ifft(columns, axis=0, workers=-1)
    field = np.zeros((size, size), np.complex128)
    field[:, index] = columns
    field = fft.ifft(field, axis=1, workers=-1)
    intensity = field.real**2 + field.imag**2
    far = np.sum(transmission**2) / np.sum(transmission)
    return np.asarray(intensity * (far / intensity.sum()), np.float64)


def metres(number: Number, where: str) -> float:
    """Return a length of a detector's facts in metres.

    Parameters
    ----------
    number : Number
        A wavelength, bandwidth or wavefront error.
    where : str
        Name of the detector, for the message.

    Returns
    -------
    float
        The length.

    Raises
    ------
    InputError
        If the unit is not one of lengths.
    """
    if number.unit not in _TO_METRES:
        raise InputError(
            f"a length in {number.unit!r} is not understood",
            where=where,
            hint=f"Units are {', '.join(_TO_METRES)}",
        )
    return number.value * _TO_METRES[number.unit]
