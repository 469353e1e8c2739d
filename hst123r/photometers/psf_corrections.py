"""What the built-in engine makes good in fluxes, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hst123r import instruments
from hst123r.photometers.params import PhotometryParams
from hst123r.records.exposure import Exposure, band
from hst123r.records.outcome import Caveat, Measurement
from hst123r.stage.contract import PSF_GRID, Job

if TYPE_CHECKING:
    from hst123r.optics.encircled import ApertureCorrection
    from hst123r.optics.over_chip import Part
    from hst123r.sources.count_rates import CountRates
    from hst123r.sources.measured import FrameNote, Loss
    from hst123r.sources.transfer_losses import Readout, Transfer


@dataclass(frozen=True, slots=True, eq=False)
class Corrections:
    """What fluxes of a job are corrected by.

    Parameters
    ----------
    notes : list of FrameNote
        About its frames, with the light in an infinite aperture.
    aperture : ApertureCorrection
        Of that light.
    loss : Loss or None
        Light that is not counted.
    caveats : list of Caveat
        What is left.
    parts : dict of int to (left, low, right, high)
        Between which zero-based pixels of each chip the exposures are, by its number.
    """

    notes: list[FrameNote]
    aperture: ApertureCorrection
    loss: Loss | None
    caveats: list[Caveat]
    parts: dict[int, Part]

    @classmethod
    def of(cls, job: Job, params: PhotometryParams, exposures: Sequence[Exposure]) -> Corrections:
        """Return the corrections of a job, from the headers of its exposures."""
        readouts = read_readouts(job, exposures)
        aperture = aperture_of(job, params, readouts)
        notes = notes_of(exposures, aperture)
        transfer, left = transfer_of(job, params, readouts)
        rates, unlike = count_rates_of(job, params, readouts, notes)
        parts = parts_of(exposures, readouts)
        # no detector has both losses
        return cls(notes, aperture, transfer or rates, left + unlike, parts)


def read_readouts(job: Job, exposures: Sequence[Exposure]) -> list[Readout]:
    """Return how the exposures of a job were read out."""
    from hst123r.products.readout import read_readout

    return [
        read_readout(product.files, exposure)
        for product, exposure in zip(job.inputs["exposure"], exposures, strict=True)
    ]


def parts_of(exposures: Sequence[Exposure], readouts: Sequence[Readout]) -> dict[int, Part]:
    """Return the part of each chip that exposures are of.

    Parameters
    ----------
    exposures : sequence of Exposure
        The exposures.
    readouts : sequence of Readout
        How they were read out.

    Returns
    -------
    dict of int to (left, low, right, high)
        First and last zero-based pixels of the full chip, by its number.
    """
    parts: dict[int, Part] = {}
    for exposure, readout in zip(exposures, readouts, strict=True):
        for chip in exposure.chips:
            left, low = readout.first[chip.extver]
            rows, columns = chip.shape
            own = left, low, left + columns - 1, low + rows - 1
            seen = parts.get(chip.number, own)
            parts[chip.number] = (
                min(seen[0], own[0]), min(seen[1], own[1]),
                max(seen[2], own[2]), max(seen[3], own[3]),
            )  # fmt: skip
    return parts


def transfer_of(
    job: Job, params: PhotometryParams, readouts: Sequence[Readout]
) -> tuple[Transfer | None, list[Caveat]]:
    """Return losses of charge transfer where a formula tells them, and say where none does.

    Parameters
    ----------
    job : Job
        The job.
    params : PhotometryParams
        Whether they are made good.
    readouts : sequence of Readout
        How its exposures were read out.

    Returns
    -------
    transfer : Transfer or None
        None where nothing is to be made good.
    caveats : list of Caveat
        What is left.
    """
    from hst123r.sources.transfer_losses import Transfer, uncorrected

    detector = instruments.get(job.labels["detector"])
    told, not_told = uncorrected(detector, readouts)
    if params.cte == "none":
        told, not_told = [], sorted(told + not_told)
    transfer = Transfer(detector, readouts, told) if told else None
    if not not_told:
        return transfer, []
    names = ", ".join(readouts[number].root for number in not_told)
    why = "as asked for" if params.cte == "none" else "no formula is known for them"
    text = f"losses of charge transfer are left in {names}: {why}"
    return transfer, [Caveat("transfer_losses", text)]


def aperture_of(
    job: Job, params: PhotometryParams, readouts: Sequence[Readout]
) -> ApertureCorrection:
    """Return the correction to the published encircled energy.

    Parameters
    ----------
    job : Job
        The job.
    params : PhotometryParams
        Whether it is wanted.
    readouts : sequence of Readout
        How its exposures were read out.

    Returns
    -------
    ApertureCorrection
        Of the PSF that is fitted: two PSFs with the same light within ten pixels can
        differ by 0.015 mag within the circle of the published value (WFC3/IR).
    """
    from dataclasses import replace

    from hst123r.files.psf_library import read_grid
    from hst123r.optics.encircled import aperture_correction

    detector = instruments.get(job.labels["detector"])
    chip = min(number for readout in readouts for number in readout.chips.values())
    name, psf = band(job.labels["filter"]), None
    if grids := job.inputs.get(PSF_GRID, []):
        psf = read_grid(Path(grids[0].files["grid"]), detector, name)[chip]
    found = aperture_correction(detector, name, chip, psf)
    return found if params.encircled_energy == "published" else replace(found, factor=1.0)


def notes_of(exposures: Sequence[Exposure], aperture: ApertureCorrection) -> list[FrameNote]:
    """Return what the fluxes of each frame need to become physical."""
    from hst123r.sources.measured import FrameNote

    return [
        FrameNote(
            exposure=number,
            extver=chip.extver,
            zeropoint_ab=(
                math.nan
                if chip.zeropoint_ab is None
                else chip.zeropoint_ab + 2.5 * math.log10(chip.gain)
            ),
            exposure_time_s=exposure.exposure_time_s,
            aperture_factor=aperture.factor,
        )
        for number, exposure in enumerate(exposures)
        for chip in exposure.chips
    ]


def count_rates_of(
    job: Job,
    params: PhotometryParams,
    readouts: Sequence[Readout],
    notes: Sequence[FrameNote],
) -> tuple[CountRates | None, list[Caveat]]:
    """Return what makes counts proportional to light, and say where they are not.

    Parameters
    ----------
    job : Job
        The job.
    params : PhotometryParams
        Whether it is wanted.
    readouts : sequence of Readout
        How its exposures were read out.
    notes : sequence of FrameNote
        Zeropoint and time of its frames.

    Returns
    -------
    rates : CountRates or None
        None where counts are proportional, or are left as they are.
    caveats : list of Caveat
        What is left.
    """
    from hst123r.optics.telescope import effective_psf
    from hst123r.sources.count_rates import CountRates

    detector = instruments.get(job.labels["detector"])
    facts = detector.count_rates
    rows = [number for number, readout in enumerate(readouts) if not readout.rates_corrected]
    if facts is None or not rows:
        return None, []
    if params.count_rates == "none":
        text = (
            f"counts are left that are {100 * facts.per_decade.value:g} % per decade of flux fewer "
            "than in proportion to light; `count_rates: published` makes them good"
        )
        return None, [Caveat("count_rates", text)]
    psf = effective_psf(detector, band(job.labels["filter"]))
    rates = CountRates(
        facts.per_decade.value, facts.reference_ab.value, psf.central_fraction, notes, rows
    )
    return rates, []


def aperture_measurements(aperture: ApertureCorrection) -> list[Measurement]:
    """Return what is said of the correction: by how much it changes magnitudes, and its error."""
    return [
        Measurement("aperture_correction", aperture.magnitudes, "mag"),
        Measurement("aperture_correction_error", aperture.error_mag, "mag"),
    ]
