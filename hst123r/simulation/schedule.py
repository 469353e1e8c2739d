"""Which exposures a programme makes: visits, times, dithers, rolls and pointing errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.simulation.model import Observation, PointingError, Programme

OVERHEAD_S: Final = 130.0
"""Time between the exposures of a visit."""
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_VISIT_SEED: Final = 12

# Steps that spread the fractional pixel as evenly as they can whatever their number: the
# golden-ratio sequences of Roberts (2018, "The unreasonable effectiveness of quasirandom
# sequences") in two dimensions.
_GOLDEN: Final = (0.7548776662466927, 0.5698402909980532)


@dataclass(frozen=True, slots=True)
class PlannedExposure:
    """One exposure to be made.

    Parameters
    ----------
    root : str
        Root name in HST's form ipppssoot, lower case.
    detector, filter : str
        Name of the detector and the filter.
    visit : str
        Two characters of the root name.
    epoch : int
        Number of the visit in the order of time, from 0.
    line : int
        Number of the exposure within its visit, from 1.
    start_mjd : float
        Start, modified Julian date (UTC).
    exposure_time_s : float
        Exposure time.
    pa_v3_deg : float
        True position angle of the V3 axis at the target.
    dither_arcsec : (float, float)
        By how much the target is moved along the detector's x and y.
    size_pix : int or None
        Side of the part of each chip that is kept.
    aim : (chip number, x, y) or None
        Zero-based pixel of a full chip that the undithered target falls on.
    error : PointingError
        By how much the header's WCS is wrong, the same throughout a visit.
    """

    root: str
    detector: str
    filter: str
    visit: str
    epoch: int
    line: int
    start_mjd: float
    exposure_time_s: float
    pa_v3_deg: float
    dither_arcsec: tuple[float, float]
    size_pix: int | None
    aim: tuple[int, float, float] | None
    error: PointingError

    @property
    def end_mjd(self) -> float:
        """End of the exposure, modified Julian date (UTC)."""
        return self.start_mjd + self.exposure_time_s / 86400.0


def plan(programme: Programme, find: Callable[[str], Detector]) -> list[PlannedExposure]:
    """Return the exposures of a programme in the order of time.

    Observations of the same date make one visit, one after the other in the order they are
    given; what a visit shares is its roll and its pointing error.

    Parameters
    ----------
    programme : Programme
        The programme.
    find : callable
        Gives a detector by its name, such as :func:`hst123r.instruments.get`.

    Returns
    -------
    list of PlannedExposure
        With unique root names.

    Raises
    ------
    InputError
        If a detector or filter does not exist, or there are more visits or exposures than
        root names.
    """
    dates = sorted({date for entry in programme.observations for date in entry.dates_mjd})
    if len(dates) >= len(_DIGITS) ** 2:
        raise InputError(f"a programme of {len(dates)} visits has no root names for them")
    planned: list[PlannedExposure] = []
    for epoch, date in enumerate(dates):
        clock, line = date, 0
        for observation in programme.observations:
            if date not in observation.dates_mjd:
                continue
            detector = find(observation.detector)
            if observation.filter not in detector.filters:
                raise InputError(
                    f"there is no filter {observation.filter!r}",
                    where=detector.name,
                    hint=f"Filters are {', '.join(sorted(detector.filters))}",
                )
            for step in range(observation.exposures):
                line += 1
                planned.append(_planned(programme, observation, detector, epoch, line, step, clock))
                clock += (observation.exposure_time_s + OVERHEAD_S) / 86400.0
    return planned


def _planned(
    programme: Programme,
    observation: Observation,
    detector: Detector,
    epoch: int,
    line: int,
    step: int,
    start_mjd: float,
) -> PlannedExposure:
    visit = _base36(epoch + 1)
    return PlannedExposure(
        root=f"{detector.root_letter}{programme.program}{visit}{_base36(line)}q",
        detector=detector.name,
        filter=observation.filter,
        visit=visit,
        epoch=epoch,
        line=line,
        start_mjd=start_mjd,
        exposure_time_s=observation.exposure_time_s,
        pa_v3_deg=(programme.pa_v3_deg + epoch * programme.roll_per_epoch_deg) % 360.0,
        dither_arcsec=dither(step, programme.dither_arcsec),
        size_pix=observation.size_pix,
        aim=observation.aim,
        error=pointing_error(programme, epoch),
    )


def dither(step: int, size_arcsec: float) -> tuple[float, float]:
    """Return the offset of a dither position along the detector's x and y, in arcseconds.

    Parameters
    ----------
    step : int
        Number of the exposure, from 0; the first is not moved.
    size_arcsec : float
        Side of the square the positions are spread over, twice over.

    Returns
    -------
    (float, float)
        Offsets between minus and plus the size.
    """
    along = [((0.5 + step * ratio) % 1.0 - 0.5) * 2 * size_arcsec for ratio in _GOLDEN]
    return along[0], along[1]


def pointing_error(programme: Programme, epoch: int) -> PointingError:
    """Return the pointing error of a visit: as given, or drawn from the programme's seed.

    Parameters
    ----------
    programme : Programme
        The programme.
    epoch : int
        Number of the visit, from 0.

    Returns
    -------
    PointingError
        Zero for visits beyond the given errors.
    """
    if programme.errors:
        return programme.errors[epoch] if epoch < len(programme.errors) else PointingError()
    import numpy as np

    rng = np.random.default_rng(np.random.SeedSequence([_VISIT_SEED, programme.seed, epoch]))
    east, north, roll = rng.standard_normal(3)
    return PointingError(
        east_arcsec=float(east) * programme.pointing_rms_arcsec,
        north_arcsec=float(north) * programme.pointing_rms_arcsec,
        roll_deg=float(roll) * programme.roll_rms_deg,
    )


def _base36(number: int) -> str:
    """Write a number as two characters, 0-9 and a-z."""
    if not 0 <= number < len(_DIGITS) ** 2:
        raise InputError(f"there is no root name for number {number} of a visit or exposure")
    return _DIGITS[number // len(_DIGITS)] + _DIGITS[number % len(_DIGITS)]
