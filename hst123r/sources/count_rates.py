"""Measured fluxes of a detector whose counts are not quite proportional to light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.photometry.magnitudes import flux_njy, njy_per_unit
from hst123r.sources.measured import AS_LIGHT, FrameNote, Measurements

Floats = NDArray[np.float64]
_LEAST_RATE: Final = 1e-3
"""Electrons per second in a pixel, far below any sky: a logarithm of nothing is infinite."""
_LEAST_SHARE: Final = 1e-4


@dataclass(frozen=True, slots=True)
class CountRates:
    """By how much fewer counts than light there are below the level of the standard stars.

    A pixel with the rate r counts ``1 + s log10(r / R)`` times what it would in proportion, with R
    the rate of the standard stars (Riess, Narayan & Calamida 2019, ISR WFC3 2019-01). What is
    counted of a star is what its central pixel counts of star and sky, less what it counts of the
    sky alone: the sky that is taken off was counted as such.

    Parameters
    ----------
    per_decade : float
        The fraction s.
    reference_ab : float
        AB magnitude of the standard stars that the zeropoint is made by.
    central_fraction : float
        Fraction of a star's light in its central pixel.
    notes : sequence of FrameNote
        Zeropoint and time of the exposures.
    rows : sequence of int
        Exposures that were on the detector; others are left alone.
    """

    per_decade: float
    reference_ab: float
    central_fraction: float
    notes: Sequence[FrameNote]
    rows: Sequence[int]

    def dimmed(
        self, row: int, extver: int, light_e: Floats, sky_e: Floats, x: Floats, y: Floats
    ) -> Floats:
        """Return what is counted of the light of stars: the inverse of :meth:`made_good`.

        Parameters
        ----------
        row, extver : int
            Number of the exposure, and EXTVER of the chip.
        light_e, sky_e : (n,) ndarray of float64
            Electrons of each star in proportion, and of the sky in a pixel there.
        x, y : (n,) ndarray of float64
            Not used.

        Returns
        -------
        (n,) ndarray of float64
            Electrons.
        """
        del extver, x, y
        return light_e * self._share(row, light_e, sky_e)

    def made_good(self, found: Measurements) -> Measurements:
        """Return measurements in proportion to light; rates, fluxes and errors grow alike.

        The flux that the correction asks for is the mean over all exposures, since that of a single
        one would make its correction depend on its noise. What is counted stands for the
        light there; the difference is of second order, 0.0002 mag.

        Parameters
        ----------
        found : Measurements
            Every source in every exposure.

        Returns
        -------
        Measurements
            Corrected.
        """
        times = np.array([self._note(row).exposure_time_s for row in range(found.flux.shape[0])])
        spent = np.where(found.good & np.isfinite(found.rate), times[:, None], 0.0)
        total = np.maximum(spent.sum(axis=0), 1e-9)
        rate = (spent * np.nan_to_num(found.rate)).sum(axis=0) / total
        factor = np.ones(found.flux.shape)
        for row in self.rows:
            share = self._share(row, rate * times[row], np.nan_to_num(found.sky[row]))
            factor[row] = 1.0 / share
        grown = {name: getattr(found, name) * factor for name in AS_LIGHT}
        return replace(found, **grown)

    def _note(self, row: int) -> FrameNote:
        return next(note for note in self.notes if note.exposure == row)

    def _share(self, row: int, light_e: Floats, sky_e: Floats) -> Floats:
        """Return what is counted, over what would be in proportion."""
        note = self._note(row)
        if row not in self.rows or not np.isfinite(note.zeropoint_ab):
            return np.ones(np.shape(light_e))
        standard = float(flux_njy(self.reference_ab) / njy_per_unit(note.zeropoint_ab))
        sky = np.maximum(sky_e, 0.0) / note.exposure_time_s
        star = np.maximum(light_e, 0.0) * self.central_fraction / note.exposure_time_s
        # no less than what a difference can be told of: the slope at the sky
        star = np.maximum(star, np.maximum(_LEAST_SHARE * sky, _LEAST_RATE))
        level = standard * self.central_fraction
        counted = self._counted(star + sky, level) - self._counted(sky, level)
        return np.asarray(counted / star)

    def _counted(self, rate: Floats, level: float) -> Floats:
        """Return what a pixel counts of the light on it, electrons per second."""
        decades = np.log10(np.maximum(rate, _LEAST_RATE) / level)
        return np.asarray(rate * (1.0 + self.per_decade * decades))
