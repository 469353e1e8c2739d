"""The effective PSF of a detector and filter, computed from the facts about its optics."""

from __future__ import annotations

from math import cos, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError
from hst123r.instruments.detector import ChipFacts, Detector, Geometry
from hst123r.instruments.facts import Number
from hst123r.optics.diffraction import Light, from_light, typical
from hst123r.optics.psf import EffectivePSF
from hst123r.optics.pupil import Pupil

Floats = NDArray[np.float64]

WAVELENGTHS: Final = 7
"""Wavelengths a band is sampled at."""
MINIMUM_OVERSAMPLING: Final = 4
_TO_METRES: Final = {"Angstrom": 1e-10, "nm": 1e-9, "um": 1e-6, "m": 1.0}


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
    if focus_nm or light.blur_pix != detector.optics.blur.value:
        # tried while an image is fitted, and never wanted again
        return from_light(light, oversampling, half_pix)
    return typical(light, oversampling, half_pix)


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
