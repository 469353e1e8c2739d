"""Measured fluxes with the losses of charge transfer made good, by the formula of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hst123r.instruments.detector import Detector, PowerLoss, TransferLoss
from hst123r.photometry.transfer import exponential_loss, power_loss
from hst123r.sources.measured import Measurements

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readout:
    """How an exposure was read out.

    Parameters
    ----------
    root : str
        Its root name.
    suffix : str
        Of its file: ``flt``, ``flc``, ``c0m``.
    simulated : bool
        Whether its pixels never were on a detector.
    mjd, exposure_time_s : float
        Middle and length.
    chips : dict of int to int
        The chip's own number by EXTVER.
    first : dict of int to (x, y)
        Zero-based pixel of the full chip that its first pixel is, by EXTVER.
    """

    root: str
    suffix: str
    simulated: bool
    mjd: float
    exposure_time_s: float
    chips: dict[int, int]
    first: dict[int, tuple[float, float]]


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
        if facts is None or readout.simulated or readout.suffix not in facts.files:
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
    facts = detector.transfer_loss
    result = np.zeros(found.flux.shape)
    if facts is None or facts.law is None:
        return result
    times = np.array([readout.exposure_time_s for readout in readouts])[:, None]
    good = found.good & np.isfinite(found.rate)
    spent = np.where(good, times, 0.0)
    total = np.maximum(spent.sum(axis=0), 1e-9)
    rate = np.where(good, spent * np.nan_to_num(found.rate), 0.0).sum(axis=0) / total
    for row in rows:
        readout = readouts[row]
        for extver, number in readout.chips.items():
            chosen = np.flatnonzero((found.extver[row] == extver) & np.isfinite(found.x[row]))
            left, low = readout.first[extver]
            y = found.y[row, chosen] + low + 1.0
            if number in facts.read_from_top:
                y = next(c.rows for c in detector.chips if c.number == number) + 1.0 - y
            x = found.x[row, chosen] + left + 1.0
            light = rate[chosen] * readout.exposure_time_s
            result[row, chosen] = _loss(facts, light, found.sky[row, chosen], x, y, readout.mjd)
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
    grown = {
        name: getattr(found, name) * factor
        for name in ("flux", "error", "photon_slope", "rate", "rate_error")
    }
    return replace(found, **grown, cte=loss_mag)
