"""Measured fluxes with the losses of charge transfer made good, by the formula of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.instruments.detector import Detector, PowerLoss, TransferLoss
from hst123r.photometry.transfer import exponential_loss, power_loss
from hst123r.sources.measured import AS_LIGHT, Measurements

Floats = NDArray[np.float64]
_TURNS: Final = 20
"""The loss asks for the light that it leaves. Each turn is nearer by the factor 0.9 times the loss
in magnitudes times the power of the flux, which is under a half: 20 turns give six digits."""


@dataclass(frozen=True, slots=True)
class Readout:
    """How an exposure was read out.

    Parameters
    ----------
    root : str
        Its root name.
    suffix : str
        Of its file: ``flt``, ``flc``, ``c0m``.
    transfer_corrected, rates_corrected : bool
        Whether its header says that no charge is lost in it, and that its counts are in proportion
        to light.
    mjd, exposure_time_s : float
        Middle and length.
    chips : dict of int to int
        The chip's own number by EXTVER.
    first : dict of int to (x, y)
        Zero-based pixel of the full chip that its first pixel is, by EXTVER.
    """

    root: str
    suffix: str
    transfer_corrected: bool
    rates_corrected: bool
    mjd: float
    exposure_time_s: float
    chips: dict[int, int]
    first: dict[int, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Transfer:
    """The losses of some exposures.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    readouts : sequence of Readout
        All exposures.
    rows : sequence of int
        Those that lose light that a formula tells.
    """

    detector: Detector
    readouts: Sequence[Readout]
    rows: Sequence[int]

    def loss(
        self, row: int, extver: int, light_e: Floats, sky_e: Floats, x: Floats, y: Floats
    ) -> Floats:
        """Return by how many magnitudes stars are too faint.

        Parameters
        ----------
        row, extver : int
            Number of the exposure, and EXTVER of the chip.
        light_e, sky_e : (n,) ndarray of float64
            Electrons that arrive of each star, and of the sky in a pixel there.
        x, y : (n,) ndarray of float64
            Zero-based pixels of the file.

        Returns
        -------
        (n,) ndarray of float64
            Magnitudes; 0 where the exposure loses nothing that a formula tells.
        """
        facts = self.detector.transfer_loss
        if facts is None or row not in self.rows:
            return np.zeros(np.shape(light_e))
        readout = self.readouts[row]
        number = readout.chips[extver]
        left, low = readout.first[extver]
        moved = y + low + 1.0
        if number in facts.read_from_top:
            rows = next(c.rows for c in self.detector.chips if c.number == number)
            moved = rows + 1.0 - moved
        return _loss(facts, light_e, sky_e, x + left + 1.0, moved, readout.mjd)

    def dimmed(
        self, row: int, extver: int, light_e: Floats, sky_e: Floats, x: Floats, y: Floats
    ) -> Floats:
        """Return what arrives of the light of stars: the inverse of :meth:`made_good`.

        Parameters
        ----------
        row, extver : int
            Number of the exposure, and EXTVER of the chip.
        light_e, sky_e : (n,) ndarray of float64
            Electrons of each star before its charge is moved, and of the sky in a pixel there.
        x, y : (n,) ndarray of float64
            Zero-based pixels of the file.

        Returns
        -------
        (n,) ndarray of float64
            Electrons, such that those and their loss make up `light_e`.
        """
        left = light_e
        for _ in range(_TURNS):
            left = light_e * 10.0 ** (-0.4 * self.loss(row, extver, left, sky_e, x, y))
        return left

    def made_good(self, found: Measurements) -> Measurements:
        """Return measurements with their losses made good, see :func:`made_good`."""
        return made_good(found, losses(found, self.detector, self.readouts, self.rows))


def uncorrected(detector: Detector, readouts: Sequence[Readout]) -> tuple[list[int], list[int]]:
    """Return which exposures lose light that a formula tells, and which that none does.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    readouts : sequence of Readout
        The exposures.

    Returns
    -------
    told, not_told : list of int
        Their numbers.
    """
    facts = detector.transfer_loss
    told: list[int] = []
    not_told: list[int] = []
    for number, readout in enumerate(readouts):
        if facts is None or readout.transfer_corrected or readout.suffix not in facts.files:
            continue
        late = facts.until_mjd is not None and readout.mjd > facts.until_mjd
        (not_told if facts.law is None or late else told).append(number)
    return told, not_told


def losses(
    found: Measurements, detector: Detector, readouts: Sequence[Readout], rows: Sequence[int]
) -> Floats:
    """Return by how many magnitudes sources are too faint.

    The formulas ask for the flux of the star. It is the mean over all exposures, since that of
    a single one would make its correction depend on its noise.

    Parameters
    ----------
    found : Measurements
        Every source in every exposure.
    detector : Detector
        Facts of the detector, with a law.
    readouts : sequence of Readout
        All exposures.
    rows : sequence of int
        Those that lose light.

    Returns
    -------
    (exposures, sources) ndarray of float64
        Magnitudes; 0 in other exposures and where nothing was measured.
    """
    result = np.zeros(found.flux.shape)
    transfer = Transfer(detector, readouts, rows)
    times = np.array([readout.exposure_time_s for readout in readouts])[:, None]
    good = found.good & np.isfinite(found.rate)
    spent = np.where(good, times, 0.0)
    total = np.maximum(spent.sum(axis=0), 1e-9)
    rate = np.where(good, spent * np.nan_to_num(found.rate), 0.0).sum(axis=0) / total
    for row in rows:
        readout = readouts[row]
        for extver in readout.chips:
            chosen = np.flatnonzero((found.extver[row] == extver) & np.isfinite(found.x[row]))
            light = rate[chosen] * readout.exposure_time_s
            x, y, sky = (array[row, chosen] for array in (found.x, found.y, found.sky))
            result[row, chosen] = transfer.loss(row, extver, light, sky, x, y)
    return result


def _loss(
    facts: TransferLoss, flux: Floats, sky: Floats, x: Floats, y: Floats, mjd: float
) -> Floats:
    law = facts.law
    if law is None:
        return np.zeros(flux.shape)
    if isinstance(law, PowerLoss):
        return power_loss(
            flux, sky, y / law.rows, (mjd - law.epoch_mjd) / law.days,
            amplitude=law.amplitude, sky_power=law.sky, flux_power=law.flux,
        )  # fmt: skip
    return exponential_loss(
        flux, sky, x / law.rows, y / law.rows, mjd - law.epoch_mjd,
        x=law.x, y=law.y, background=law.background, per_year=law.years, counts=law.counts,
        scale=law.scale,
    )  # fmt: skip


def made_good(found: Measurements, loss_mag: Floats) -> Measurements:
    """Return measurements with their losses made good; rates, fluxes and errors grow alike.

    Parameters
    ----------
    found : Measurements
        Every source in every exposure.
    loss_mag : (exposures, sources) ndarray of float64
        From :func:`losses`.

    Returns
    -------
    Measurements
        With the losses as `cte`.
    """
    factor = 10.0 ** (0.4 * loss_mag)
    grown = {name: getattr(found, name) * factor for name in AS_LIGHT}
    return replace(found, **grown, cte=loss_mag)
