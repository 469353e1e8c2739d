"""How exposures were read out, from their headers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r import instruments
from hst123r.products.frames import first_pixel
from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    from hst123r.sources.transfer_losses import Readout


def read_readout(files: Mapping[str, str], exposure: Exposure) -> Readout:
    """Read what losses of light in the detector depend on.

    Parameters
    ----------
    files : mapping of str to str
        Path by role; ``science`` is read.
    exposure : Exposure
        Its record.

    Returns
    -------
    Readout
        A subarray's place on the chip is that of LTV1 and LTV2. What is corrected is what cards
        of the primary header say is.
    """
    from astropy.io import fits

    from hst123r.sources.transfer_losses import Readout

    detector = instruments.get(exposure.detector)
    first = {}
    with fits.open(files["science"], memmap=True) as hdus:
        moved, counted = (
            facts is not None and _says(hdus[0].header, facts.corrected)
            for facts in (detector.transfer_loss, detector.count_rates)
        )
        for chip in exposure.chips:
            header = hdus["SCI", chip.extver].header
            first[chip.extver] = first_pixel(header)
    return Readout(
        root=exposure.root,
        suffix=Path(exposure.image).name.split(".")[0].rpartition("_")[2],
        transfer_corrected=moved,
        rates_corrected=counted,
        mjd=exposure.middle_mjd,
        exposure_time_s=exposure.exposure_time_s,
        chips={chip.extver: chip.number for chip in exposure.chips},
        first=first,
    )


def _says(header: Mapping[str, Any], cards: Mapping[str, str]) -> bool:
    """Return whether a header has one of some cards."""
    return any(str(header.get(keyword, "")).strip() == value for keyword, value in cards.items())
