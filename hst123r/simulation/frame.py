"""The files of an exposure, as HDU lists: one, or one with science and one with quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hst123r.instruments.detector import Detector
from hst123r.simulation import cards
from hst123r.simulation.geometry import ChipFrame
from hst123r.simulation.model import Programme
from hst123r.simulation.pointing import Placed
from hst123r.simulation.render import Conversion, Pixels
from hst123r.simulation.schedule import PlannedExposure

if TYPE_CHECKING:
    from astropy.io import fits


def assemble(
    detector: Detector,
    programme: Programme,
    planned: PlannedExposure,
    placed: Placed,
    pixels: Sequence[Pixels],
    change: Conversion,
) -> dict[str, fits.HDUList]:
    """Put the chips of an exposure together as the files an archive would hold.

    Parameters
    ----------
    detector : Detector
        Facts of the detector: suffixes, unit, whether quality has a file of its own.
    programme : Programme
        The programme.
    planned : PlannedExposure
        The exposure.
    placed : Placed
        Its WCS, of which the header's goes into the files.
    pixels : sequence of Pixels
        One for each chip, in the order of `placed`.
    change : Conversion
        Photometric conversion.

    Returns
    -------
    dict of str to `astropy.io.fits.HDUList`
        By file name, the science file first.
    """
    from astropy.io import fits

    science: list[Any] = []
    quality: list[Any] = []
    companion = detector.products.companion
    for frame, chip in zip(placed.header, pixels, strict=True):
        header = cards.science(detector, planned, frame, chip, change)
        science.append(fits.ImageHDU(chip.sci, header))
        if companion is not None:
            # the quality file of such a camera calls its extensions SCI too
            quality.append(_image("SCI", chip.dq, frame, planned, "UNITLESS"))
            continue
        science.append(_image("ERR", chip.err, frame, planned, detector.products.unit))
        science.append(_image("DQ", chip.dq, frame, planned, "UNITLESS"))
        if cards.is_ramp(detector):
            samples = np.full(frame.shape, _samples(planned), np.int16)
            time = np.full(frame.shape, planned.exposure_time_s, np.float32)
            science.append(_image("SAMP", samples, frame, planned, "SAMPLES"))
            science.append(_image("TIME", time, frame, planned, "SECONDS"))
    for frame in placed.header:
        science.extend(table.copy() for table in frame.tables)
    files = {f"{planned.root}_{detector.products.science[0]}.fits": science}
    if companion is not None:
        files[f"{planned.root}_{companion}.fits"] = quality
    return {
        name: fits.HDUList(
            [
                fits.PrimaryHDU(
                    header=cards.primary(
                        detector,
                        programme,
                        planned,
                        change,
                        placed.header_pa_v3_deg,
                        name,
                        len(hdus),
                    )
                ),
                *hdus,
            ]
        )
        for name, hdus in files.items()
    }


def _image(
    name: str, data: NDArray[Any], frame: ChipFrame, planned: PlannedExposure, unit: str
) -> fits.ImageHDU:
    from astropy.io import fits

    return fits.ImageHDU(data, cards.plain(name, frame, planned, unit))


def _samples(planned: PlannedExposure) -> int:
    """Return a plausible number of reads of a ramp: one per fifty seconds, 3 to 15."""
    return int(np.clip(round(planned.exposure_time_s / 50.0), 3, 15))
