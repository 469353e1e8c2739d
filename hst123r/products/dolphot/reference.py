"""A stack as DOLPHOT takes it: the image that all others are aligned to and positions refer to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.products import headers
from hst123r.products.dolphot.images import STRUCTURE

if TYPE_CHECKING:
    from astropy.wcs import WCS

PER_SECOND = "/S"
"""How the unit of a rate ends."""


def write_reference(stack: Path, detector_name: str, path: Path, *, tagged: bool = True) -> WCS:
    """Write a stack for DOLPHOT; the stack itself is not touched.

    Parameters
    ----------
    stack : Path
        A stack that the stage `drizzle` made.
    detector_name : str
        The detector of its exposures.
    path : Path
        New file.
    tagged : bool
        Whether it carries the tag of the detector's module.

    Returns
    -------
    WCS
        Of the image.

    Raises
    ------
    InputError
        If the stack is blank, or has no exposure time.
    """
    import numpy as np
    from astropy.io import fits

    from hst123r.photometry.dolphot_mask import mask_stack
    from hst123r.products.stacks import read_stack

    read = read_stack(stack)
    detector = instruments.get(detector_name)
    with fits.open(stack) as hdus:
        primary, science = hdus[0].header, hdus["SCI", 1].header
        header = fits.Header()
        for part in (primary, science):
            for card in part.cards:
                if card.keyword not in {"COMMENT", "HISTORY", "", *STRUCTURE}:
                    header[card.keyword] = (card.value, card.comment)
    time = headers.real(header, "EXPTIME", str(stack))
    if not time > 0:
        raise InputError(f"its exposure time is {time:g} s", where=str(stack))
    rates = str(header.get("BUNIT", "")).upper().endswith(PER_SECOND)
    covered = (read.weight > 0) & (read.context != 0).any(axis=0)
    masked = mask_stack(read.science, covered, time if rates else 1.0, detector.dolphot.ctmult)
    number = max(1, int(header.get("NINPUT", 1)))
    noise = detector.noise.read_noise.value * np.sqrt(number)
    header["GAIN"] = (detector.noise.gain.value if _counts(header) else 1.0, "electrons per unit")
    header["RDNOISE"] = (float(noise), "read noise (electrons)")
    header["BADPIX"] = (masked.low, "pixels below this are bad")
    header["SATURATE"] = (masked.high, "pixels above this are saturated")
    header["EXPTIME"] = (time, "exposure time (s)")
    header["EXPTIME0"] = (time / number, "exposure time of a single image (s)")
    header["MJD-OBS"] = (headers.number(header, "MJD-AVG") or 0.0, "mean time")
    header["AIRMASS"] = (0.0, "air mass")
    if tagged:
        keyword = detector.dolphot.mask.keyword
        header[keyword] = (detector.dolphot.mask.drizzled, "drizzled, as DOLPHOT numbers it")
    fits.PrimaryHDU(masked.data, header).writeto(path, overwrite=True)
    return read.wcs


def _counts(header: object) -> bool:
    """Whether pixels are not in electrons."""
    unit = str(header.get("BUNIT", ""))  # type: ignore[attr-defined]
    return unit.upper().startswith("COUNTS")
