"""How much light of a star is within a circle: as the PSF of the fit has it, and as published.

Fluxes are those in an infinite aperture because the PSF is normalised so. Where that PSF
has another fraction of its light within a circle than was published, all fluxes of the filter are
off by the ratio of the two, and no statistics of ours would tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees, hypot, log, log10
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError
from hst123r.optics.telescope import chip_facts, effective_psf, metres, pixel_matrix

if TYPE_CHECKING:
    from hst123r.instruments.detector import Detector
    from hst123r.optics.psf import EffectivePSF

Matrix = tuple[float, float, float, float]
"""From pixels (x, y) to radians on the sky, row by row."""

_MAGNITUDE: Final = 2.5 / log(10)
_ARCSEC: Final = 3600.0 * degrees(1.0)
"""Arcseconds in a radian."""
_TYPICAL: Final = 0.9
"""Fraction within half an arcsecond, nearly the same for all detectors (see their tables)."""


@dataclass(frozen=True, slots=True)
class Published:
    """How much light of a star was found within a circle.

    Parameters
    ----------
    fraction : float
        The fraction of all light.
    radius_arcsec : float
        Radius of the circle, arcsec.
    """

    fraction: float
    radius_arcsec: float


def published_light(
    detector: Detector, band: str, radius_arcsec: float | None = None
) -> Published | None:
    """Return the published encircled energy of a filter, None where no table could be read.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    band : str
        The filter.
    radius_arcsec : float, optional
        Radius of the circle, where it is not the table's own. A table that has one radius only
        answers with that.

    Returns
    -------
    Published or None
        Fractions between the radii of a curve of growth are interpolated, and so are those
        between the wavelengths of a table, at the pivot of the filter; beyond the ends they
        are those of the ends.

    Raises
    ------
    InputError
        If the pivot wavelength of the filter is not known.
    """
    facts = detector.encircled_energy
    radius = facts.radius.value
    if facts.curves is not None and band in facts.curves.filters:
        radius = radius if radius_arcsec is None else radius_arcsec
        curve = facts.curves.filters[band]
        return Published(float(np.interp(radius, facts.curves.radii, curve)), radius)
    if facts.wavelengths:
        table = np.transpose(facts.wavelengths)
        return Published(float(np.interp(_pivot_nm(detector, band), *table)), radius)
    return None


@dataclass(frozen=True, slots=True)
class ApertureCorrection:
    """What fluxes of the PSF's normalisation become by the published one.

    Parameters
    ----------
    factor : float
        What fluxes are multiplied by: the fraction of the PSF over the published one; 1 where
        nothing is published.
    error_mag : float
        Standard error that all magnitudes of the filter share, magnitudes.
    published : float or None
        The published fraction within `radius_arcsec`; None where there is none.
    radius_arcsec : float or None
        Radius of the circle, arcsec.
    core_error_mag : float
        By how much a fit of the computed PSF may be off because of the shape of its core,
        magnitudes. It is no part of `error_mag`.
    """

    factor: float
    error_mag: float
    published: float | None = None
    radius_arcsec: float | None = None
    core_error_mag: float = 0.0

    @property
    def magnitudes(self) -> float:
        """What is added to magnitudes."""
        return -2.5 * log10(self.factor)

    def shared_error_mag(self, *, computed: bool) -> float:
        """Return the standard error that all magnitudes of a filter share.

        Parameters
        ----------
        computed : bool
            Whether stars were fitted with the computed PSF, and not with one that was measured.

        Returns
        -------
        float
            Magnitudes.
        """
        return hypot(self.error_mag, self.core_error_mag if computed else 0.0)


def aperture_correction(
    detector: Detector,
    band: str,
    chip: int,
    psf: EffectivePSF | None = None,
    *,
    radius_arcsec: float | None = None,
) -> ApertureCorrection:
    """Compare the PSF of a filter with its published encircled energy.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    band : str
        The filter.
    chip : int
        Number of the chip whose PSF is computed, and whose pixels the circle is on.
    psf : EffectivePSF, optional
        The PSF that stars are fitted with, where it is not the computed one.
    radius_arcsec : float, optional
        As for :func:`published_light`: of an aperture that light is measured in.

    Returns
    -------
    ApertureCorrection
        The circle is one on the sky, as the published one: pixels are neither square nor
        right-angled.

    Raises
    ------
    InputError
        If the pivot wavelength of the filter is not known.
    """
    facts = detector.encircled_energy
    pivot = _pivot_nm(detector, band)
    error, core = (
        float(np.interp(pivot, *np.transpose(table))) for table in (facts.errors, facts.core_errors)
    )
    published = published_light(detector, band, radius_arcsec)
    if published is None:
        # how much is within some half arcsecond
        return ApertureCorrection(1.0, _MAGNITUDE * error / _TYPICAL, core_error_mag=core)
    fraction, radius = published.fraction, published.radius_arcsec
    if psf is None:
        psf = effective_psf(detector, band, chip=chip)
    pixel = pixel_matrix(detector, chip_facts(detector, chip).geometry)
    _, circle = sky_circle(psf.data.shape[0], psf.oversampling, pixel, radius)
    fitted = float(np.sum(psf.data * circle)) / psf.oversampling**2
    error *= _MAGNITUDE / fraction
    return ApertureCorrection(fitted / fraction, error, fraction, radius, core)


def sky_circle(
    size: int, oversampling: int, pixel: Matrix, radius_arcsec: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the nodes of a PSF are on the sky.

    Parameters
    ----------
    size : int
        Nodes along an axis, odd.
    oversampling : int
        Nodes per native pixel.
    pixel : matrix
        Radians on the sky for a pixel along x and y, as
        :func:`~hst123r.optics.telescope.pixel_matrix` gives it.
    radius_arcsec : float
        Radius of a circle around the middle, arcsec.

    Returns
    -------
    distance : (size, size) ndarray of float64
        Arcseconds from the middle.
    circle : (size, size) ndarray of float64
        Part of each node's cell that is within the circle, 0 to 1.
    """
    steps = (np.arange(size) - size // 2) / oversampling
    x, y = np.meshgrid(steps, steps)
    along = np.reshape(pixel, (2, 2)) * _ARCSEC
    distance = np.hypot(along[0, 0] * x + along[0, 1] * y, along[1, 0] * x + along[1, 1] * y)
    cell = float(np.sqrt(abs(np.linalg.det(along)))) / oversampling
    return distance, np.clip((radius_arcsec - distance) / cell + 0.5, 0.0, 1.0)


def _pivot_nm(detector: Detector, band: str) -> float:
    pivot = detector.filters[band].pivot
    if pivot is None:
        raise InputError(f"the pivot wavelength of {band} is not known", where=detector.name)
    return 1e9 * metres(pivot, detector.name)
