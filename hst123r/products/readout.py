"""How exposures were read out, from their headers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r import instruments
from hst123r.errors import StageError
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

    Raises
    ------
    StageError
        If the file was simulated before simulated files said so: nothing was lost in it, and its
        stars did not have the published light.
    """
    from astropy.io import fits

    from hst123r.sources.transfer_losses import Readout

    detector = instruments.get(exposure.detector)
    first = {}
    losses = detector.transfer_loss, detector.count_rates
    with fits.open(files["science"], memmap=True) as hdus:
        primary = hdus[0].header
        cards = [facts.corrected for facts in losses if facts is not None]
        if primary.get("SIMULATD") is True and not all(_has(primary, names) for names in cards):
            raise StageError(
                "an earlier simulator made this file, which does not say that no light was lost",
                where=files["science"],
                hint="Simulate it again",
            )
        moved, counted = (facts is not None and _says(primary, facts.corrected) for facts in losses)
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


def _has(header: Mapping[str, Any], cards: Mapping[str, str]) -> bool:
    """Return whether a header has one of some cards, whatever it says."""
    return any(keyword in header for keyword in cards)


def _says(header: Mapping[str, Any], cards: Mapping[str, str]) -> bool:
    """Return whether a header says what one of some cards says."""
    return any(str(header.get(keyword, "")).strip() == value for keyword, value in cards.items())
