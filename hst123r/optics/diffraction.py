"""Fraunhofer diffraction: the image of a star through a pupil, as the pixels of a chip see it.

Goodman, *Introduction to Fourier Optics*, chapter 4: the amplitude in the focal plane is the
Fourier transform of the pupil. Working in the frequencies of the *pixel grid* (cycles per pixel)
makes the true shape and rotation of the pixels come out by themselves: a pupil point p (metres)
belongs to the frequency ``f = M^T p / wavelength``, where M turns pixels into radians along V2 and
V3. Integration over the pixel and charge diffusion are then products with their transfer functions.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.optics.kept import digest_of, kept
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.pupil import DIAMETER_M, Pupil, halo

Floats = NDArray[np.float64]

MINIMUM_PERIOD_PIX: Final = 256
"""Side of the field that is computed, however small the array: it samples the pupil with some
hundred points, where fewer would lose part of the wings."""
_SOURCES: Final = ("diffraction.py", "pupil.py")
"""Modules whose code decides the values of a PSF."""


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


@lru_cache(maxsize=64)
def typical(light: Light, oversampling: int, half_pix: int) -> EffectivePSF:
    """Return what :func:`from_light` computes, from the user's cache where it is kept there.

    Parameters and the result, bit by bit, are those of :func:`from_light`.
    """
    name = digest_of(_code(), repr((light, oversampling, half_pix)))
    data = kept(name, lambda: from_light(light, oversampling, half_pix).data)
    return EffectivePSF(data, oversampling)


@cache
def _code() -> str:
    """Return what the values depend on besides their arguments: our code, and its libraries'."""
    import scipy

    sources = (Path(__file__).with_name(name).read_text("utf-8") for name in _SOURCES)
    return "\0".join((*sources, np.__version__, scipy.__version__, platform.machine()))


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
