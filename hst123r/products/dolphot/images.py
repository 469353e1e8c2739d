"""Exposures as DOLPHOT takes them: one masked file for each chip, written anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.instruments.dolphot_facts import DolphotChip
from hst123r.products import headers
from hst123r.products.dolphot.areas import chip_area
from hst123r.products.exposures import COUNTS
from hst123r.products.quality import chip_quality
from hst123r.records.exposure import Chip, Exposure

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import HDUList, Header
    from numpy.typing import NDArray

    from hst123r.photometry.dolphot_mask import Masked, MaskRules

RATES: Final = "ELECTRONS/S"
AMPLIFIER_NOISE: Final = "READNSE"
"""Beginning of the keywords of the read noise of each amplifier."""
STRUCTURE: Final = (
    "SIMPLE", "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "EXTEND",
    "BSCALE", "BZERO", "CHECKSUM", "DATASUM", "NEXTEND", "INHERIT", "EXTNAME", "EXTVER",
    "NPIX1", "NPIX2", "PIXVALUE",
)  # fmt: skip
"""What a header says about the file that it was in."""


@dataclass(frozen=True, slots=True)
class ChipImage:
    """A chip that is ready for DOLPHOT.

    Parameters
    ----------
    path : Path
        Its file, ``<root>.chip<extver>.fits``.
    extver, number : int
        EXTVER of its SCI extension, and the chip's own number.
    bad, saturated : int
        How many pixels are unusable and saturated.
    """

    path: Path
    extver: int
    number: int
    bad: int
    saturated: int

    @property
    def name(self) -> str:
        """Its name in a parameter file: without ``.fits``."""
        return self.path.name.removesuffix(".fits")


def write_chips(
    files: Mapping[str, str],
    exposure: Exposure,
    folder: Path,
    area_folder: Path | None = None,
    *,
    keep_cosmic_rays: bool = False,
    cosmic_rays: Mapping[int, NDArray[np.bool_]] | None = None,
    tagged: bool = True,
) -> list[ChipImage]:
    """Write the chips of an exposure for DOLPHOT; the exposure itself is not touched.

    This is what the mask program of the detector and ``splitgroups`` do one after the other.
    Chips are numbered by EXTVER, so that ``chip1`` of two chips is the one with CCDCHIP 2.

    Parameters
    ----------
    files : mapping of str to str
        Path by role: ``science``, and ``dq`` where data quality is a file of its own.
    exposure : Exposure
        Its record.
    folder : Path
        Where the files are written; files of these names are replaced.
    area_folder : Path, optional
        Folder with the maps of pixel areas that DOLPHOT was installed with; without it areas
        are those of the header's WCS.
    keep_cosmic_rays : bool
        Whether pixels that data quality says were hit by cosmic rays stay as they are.
    cosmic_rays : mapping of int to (ny, nx) ndarray of bool, optional
        By EXTVER, pixels that are known to be hit and are bad too.
    tagged : bool
        Whether chips carry the tag of the detector's module; without it they are images for the
        generic mode.

    Returns
    -------
    list of ChipImage
        In the order of EXTVER.

    Raises
    ------
    InputError
        If the exposure was masked by DOLPHOT's own program before, or a header lacks what is
        needed.
    """
    from astropy.io import fits

    detector = instruments.get(exposure.detector)
    written = []
    with fits.open(files["science"], memmap=True) as hdus:
        for chip in exposure.chips:
            where = f"{exposure.root}[{chip.extver}]"
            facts = _facts(detector, chip, where)
            header = hdus["SCI", chip.extver].header
            if detector.dolphot.mask.keyword in header:
                raise InputError(
                    "it was masked for DOLPHOT before, and its data quality is gone", where=where,
                    hint="Take the exposure as the archive has it",
                )  # fmt: skip
            offset = _offset(header, exposure, where)
            hit = (cosmic_rays or {}).get(chip.extver)
            masked = _mask(files, hdus, exposure, chip, offset, area_folder, keep_cosmic_rays, hit)
            path = folder / f"{exposure.root}.chip{chip.extver}.fits"
            cards = _header(hdus, chip, exposure, detector, facts, masked, offset)
            if not tagged:
                del cards[detector.dolphot.mask.keyword]
            fits.PrimaryHDU(masked.data, cards).writeto(path, overwrite=True)
            written.append(ChipImage(path, chip.extver, chip.number, masked.bad, masked.saturated))
    return written


def _facts(detector: Detector, chip: Chip, where: str) -> DolphotChip:
    for facts in detector.dolphot.mask.chips:
        if facts.number == chip.number:
            return facts
    known = ", ".join(str(facts.number) for facts in detector.dolphot.mask.chips)
    raise InputError(f"there is no chip {chip.number} for DOLPHOT, only {known}", where=where)


def mask_rules(detector: Detector) -> MaskRules:
    """Return what the bits of the data quality of a detector mean for DOLPHOT."""
    from hst123r.photometry.dolphot_mask import MaskRules

    facts = detector.dolphot.mask
    return MaskRules(
        facts.bad, facts.saturated, facts.cosmic_rays, facts.widen, facts.ceiling, facts.trim
    )


def _mask(
    files: Mapping[str, str],
    hdus: HDUList,
    exposure: Exposure,
    chip: Chip,
    offset: tuple[int, int],
    area_folder: Path | None,
    keep_cosmic_rays: bool,
    hit: NDArray[np.bool_] | None,
) -> Masked:
    import numpy as np

    from hst123r.photometry.dolphot_mask import mask_pixels

    detector = instruments.get(exposure.detector)
    where = f"{exposure.root}[{chip.extver}]"
    header, primary = hdus["SCI", chip.extver].header, hdus[0].header
    low, high = (
        headers.real(header if key in header else primary, key, where)
        for key in detector.dolphot.mask.limits
    )
    quality = chip_quality(files, hdus, chip)
    if hit is not None:
        # the bits of a bad pixel, whatever it is bad for
        quality = np.where(hit, quality | detector.dolphot.mask.bad, quality)
    return mask_pixels(
        np.asarray(hdus["SCI", chip.extver].data, np.float32),
        quality,
        mask_rules(detector),
        (low, high),
        chip_area(hdus, chip, detector, offset, area_folder, where),
        exposure.exposure_time_s if chip.unit == RATES else 1.0,
        detector.dolphot.ctmult,
        keep_cosmic_rays=keep_cosmic_rays,
    )


def _offset(header: Header, exposure: Exposure, where: str) -> tuple[int, int]:
    """Return the column and row of the full chip where a subarray begins."""
    found = []
    for key in ("LTV1", "LTV2"):
        value = headers.number(header, key)
        if value is None and exposure.subarray:
            raise InputError(
                f"it is a subarray, and its header has no {key}", where=where,
                hint="Without it DOLPHOT cannot tell which part of the chip this is",
            )  # fmt: skip
        found.append(max(0, round(-(value or 0.0))))
    return found[0], found[1]


def _header(
    hdus: HDUList,
    chip: Chip,
    exposure: Exposure,
    detector: Detector,
    facts: DolphotChip,
    masked: Masked,
    offset: tuple[int, int],
) -> Header:
    """Return the primary header with that of the chip, and what DOLPHOT wants to know."""
    from astropy.io.fits import Header

    where = f"{exposure.root}[{chip.extver}]"
    header = Header()
    for part in (hdus[0].header, hdus["SCI", chip.extver].header):
        for card in part.cards:
            if card.keyword in {"COMMENT", "HISTORY", ""} or card.keyword in STRUCTURE:
                continue
            header[card.keyword] = (card.value, card.comment)
    gain, noise = _gain_and_noise(hdus, chip, detector, facts, where)
    header["EXTNAME"] = ("SCI", "extension name")
    header["GAIN"] = (gain, "electrons per unit")
    header["RDNOISE"] = (noise, "read noise (electrons)")
    header["BADPIX"] = (masked.low, "pixels below this are bad")
    header["SATURATE"] = (masked.high, "pixels above this are saturated")
    header["EXPTIME"] = (exposure.exposure_time_s, "exposure time (s)")
    header["EXPTIME0"] = (exposure.exposure_time_s, "exposure time of a single image (s)")
    header["MJD-OBS"] = (exposure.middle_mjd, "middle of the exposure")
    header["AIRMASS"] = (0.0, "air mass")
    header[detector.dolphot.mask.keyword] = (facts.tag, "chip, as DOLPHOT numbers it")
    for key, value in zip(("DOL_OFFX", "DOL_OFFY"), offset, strict=True):
        if value:
            header[key] = (value, "origin of the subarray on the full chip")
    return header


def _gain_and_noise(
    hdus: HDUList, chip: Chip, detector: Detector, facts: DolphotChip, where: str
) -> tuple[float, float]:
    """Return electrons per unit and read noise, of the amplifiers that read the chip."""
    primary = hdus[0].header
    if chip.unit == COUNTS:
        key = headers.whole(primary, "ATODGAIN", 0, where)
        for gain in detector.dolphot.mask.gains:
            if gain.atodgain == key:
                return gain.gain, gain.read_noise
        raise InputError(f"its ATODGAIN is {key}, which DOLPHOT does not know", where=where)
    used = headers.text(primary, "CCDAMP")
    own = [letter for letter in facts.amplifiers or "" if letter in used]
    if not own:
        return 1.0, detector.noise.read_noise.value
    noise = [headers.real(primary, f"{AMPLIFIER_NOISE}{letter}", where) for letter in own]
    return 1.0, sum(noise) / len(noise)
