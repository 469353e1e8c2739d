"""The entrance pupil of the telescope, and the wavefront over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIAMETER_M: Final = 2.4
"""Diameter of the primary mirror; HST Primer, section 2."""

PADS: Final = (
    (0.8921, 0.0000, 0.065),
    (-0.4615, 0.7555, 0.065),
    (-0.4564, -0.7606, 0.065),
)
"""Pads that hold the primary mirror: V3, V2 and radius, in primary radii (Tiny Tim pupil
tables; Krist, Hook & Stoehr 2011, Proc. SPIE 8127, 81270J)."""


POLISH_RMS_M: Final = 16.1e-9
POLISH_SCALE_M: Final = 0.0223
"""Roughness of the mirrors: rms of the wavefront and the length over which it is correlated.
It scatters light into a halo of one to two arcseconds. Measured by us: with these two numbers
the computed encircled energy agrees with the table of the WFC3 Instrument Handbook, section
6.6, within 0.010 (rms 0.0045) from 0.2 to 2 arcsec and 300 to 900 nm."""


def halo(separation_m: Floats, wavelength_m: float) -> Floats:
    """Return the transfer function of the light scattered by the roughness of the mirrors.

    For a random wavefront with a Gaussian correlation, averaged over its realisations
    (Goodman, *Statistical Optics*, section 8.3): ``exp(-v (1 - exp(-(s / l)^2)))`` with v the
    variance of the phase, s the separation of two points of the pupil and l the scale.

    Parameters
    ----------
    separation_m : ndarray of float64
        Separation of pupil points, in metres: the spatial frequency times the wavelength.
    wavelength_m : float
        Wavelength in metres.

    Returns
    -------
    ndarray of float64
        Between 0 and 1; 1 at no separation, as scattering loses no light.
    """
    variance = (2 * np.pi * POLISH_RMS_M / wavelength_m) ** 2
    correlation = np.exp(-((separation_m / POLISH_SCALE_M) ** 2))
    return np.asarray(np.exp(-variance * (1 - correlation)))


@dataclass(frozen=True, slots=True)
class Pupil:
    """What of the primary mirror is in use, in units of the primary's radius.

    Parameters
    ----------
    obscuration : float
        Radius of the shadow of the secondary mirror.
    spider_width : float
        Full width of the four vanes, which lie along the V2 and V3 axes.
    cold_stop : float or None
        Radius of the central obscuration of a stop inside the instrument.
    """

    obscuration: float
    spider_width: float
    cold_stop: float | None = None

    @property
    def shadow(self) -> float:
        """Radius of the central shadow: the secondary's or the stop's, whichever is larger."""
        return max(self.obscuration, self.cold_stop or 0.0)

    def transmission(self, v2: Floats, v3: Floats, edge: float) -> Floats:
        """Return the amplitude transmission at points of the pupil.

        Parameters
        ----------
        v2, v3 : ndarray of float64
            Coordinates in primary radii, of one shape.
        edge : float
            Width over which edges are softened, in primary radii: the distance between points,
            so that a point half in the shadow counts half.

        Returns
        -------
        ndarray of float64
            Between 0 and 1.
        """
        radius = np.hypot(v2, v3)
        open_by = np.minimum(1.0 - radius, radius - self.shadow)
        vanes = np.minimum(np.abs(v2), np.abs(v3)) - self.spider_width / 2
        open_by = np.minimum(open_by, vanes)
        for pad_v3, pad_v2, pad_radius in PADS:
            open_by = np.minimum(open_by, np.hypot(v2 - pad_v2, v3 - pad_v3) - pad_radius)
        return np.asarray(np.clip(0.5 + open_by / edge, 0.0, 1.0))

    def wavefront(self, v2: Floats, v3: Floats, transmission: Floats) -> Floats:
        """Return a wavefront error of unit rms: equal parts of defocus and spherical.

        The two terms are Zernike polynomials of the annulus (Mahajan 1981, JOSA 71, 75). HST's
        own errors differ from exposure to exposure (the telescope breathes by some
        micrometres of focus) and over the field; this is their typical size, not their shape.

        Parameters
        ----------
        v2, v3 : ndarray of float64
            Coordinates in primary radii.
        transmission : ndarray of float64
            What :meth:`transmission` gives at the same points, the weight of the rms.

        Returns
        -------
        ndarray of float64
            Wavefront error with mean 0 and rms 1 over the pupil.
        """
        square = v2**2 + v3**2
        inner = self.shadow**2
        terms = (
            2 * square - 1 - inner,
            6 * square**2 - 6 * (1 + inner) * square + 1 + 4 * inner + inner**2,
        )
        return _unit(sum(_unit(term, transmission) for term in terms), transmission)

    def defocus(self, v2: Floats, v3: Floats, transmission: Floats) -> Floats:
        """Return a wavefront error of unit rms that is defocus alone.

        Parameters
        ----------
        v2, v3 : ndarray of float64
            Coordinates in primary radii.
        transmission : ndarray of float64
            What :meth:`transmission` gives at the same points.

        Returns
        -------
        ndarray of float64
            Wavefront error with mean 0 and rms 1 over the pupil.
        """
        return _unit(v2**2 + v3**2, transmission)


def _unit(error: Any, transmission: Floats) -> Floats:
    """Return a wavefront error with its mean taken off and an rms of 1."""
    weight = transmission / transmission.sum()
    flat = error - np.sum(weight * error)
    return np.asarray(flat / np.sqrt(np.sum(weight * flat**2)), np.float64)
