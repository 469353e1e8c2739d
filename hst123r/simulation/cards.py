"""The header cards of a simulated exposure, as a calibrated HST exposure has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hst123r.instruments.detector import Detector
from hst123r.optics.telescope import metres
from hst123r.records import dates
from hst123r.simulation.geometry import ChipFrame
from hst123r.simulation.model import Programme
from hst123r.simulation.render import Conversion, Pixels
from hst123r.simulation.schedule import PlannedExposure

if TYPE_CHECKING:
    from astropy.io import fits

_AMPLIFIERS: Final = "ABCD"
_SERIOUS: Final = 31743
_CONVERTER: Final = 4095
"""Largest number of a converter of 12 bits, as in u40x010hm_c0f.fits."""
_FILL: Final = -100
"""What the pipeline writes into pixels without data, there too."""
WCS_NAME: Final = "IDC_SIMULATED"


def primary(
    detector: Detector,
    programme: Programme,
    planned: PlannedExposure,
    change: Conversion,
    header_pa_v3_deg: float,
    file_name: str,
    extensions: int,
) -> fits.Header:
    """Return the primary header of a file.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    programme : Programme
        The programme.
    planned : PlannedExposure
        The exposure.
    change : Conversion
        Photometric conversion.
    header_pa_v3_deg : float
        Position angle of the V3 axis as the headers have it.
    file_name : str
        Name of the file.
    extensions : int
        Number of extensions.

    Returns
    -------
    `astropy.io.fits.Header`
        With no date but the exposure's own, so that equal programmes make equal bytes.
    """
    from astropy.io import fits

    header = fits.Header()
    cards = [
        ("ORIGIN", "hst123r", "made by a simulation"),
        ("SIMULATD", True, "simulated: these pixels never saw the sky"),
        ("SIMSEED", programme.seed, "seed of the simulation"),
        ("DATE", dates.iso(planned.end_mjd, day=True), "end of exposure (yyyy-mm-dd)"),
        ("NEXTEND", extensions, "number of standard extensions"),
        ("FILENAME", file_name, "name of file"),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("TARGNAME", programme.target_name, "proposer's target name"),
        ("RA_TARG", programme.ra_deg, "right ascension of the target (deg)"),
        ("DEC_TARG", programme.dec_deg, "declination of the target (deg)"),
        ("PROPOSID", programme.proposal, "PEP proposal identifier"),
        ("PA_V3", header_pa_v3_deg, "position angle of V3-axis of HST (deg)"),
        ("OBSMODE", "MULTIACCUM" if is_ramp(detector) else "ACCUM", "operating mode"),
        ("APERTURE", detector.name.rpartition("/")[2], "aperture name"),
        *_exposure_cards(planned),
    ]
    header.extend([fits.Card(*card) for card in cards])
    for keyword, value in detector.match.items():
        header[keyword] = value
    _elements(header, detector, planned.filter)
    _electronics(header, detector)
    for keyword in detector.reference_files:
        header[keyword] = "N/A"
    for losses in (detector.transfer_loss, detector.count_rates):
        # nothing is lost in a simulation, as in a file that was corrected
        header.update(losses.corrected if losses is not None else {})
    if is_ramp(detector):
        header.extend(_photometry(detector, planned, change, ""))
    return header


def _exposure_cards(planned: PlannedExposure) -> list[tuple[str, Any, str]]:
    """Return the cards that tell when and how the exposure was taken."""
    day, _, clock = dates.iso(planned.start_mjd).partition("T")
    return [
        ("ROOTNAME", planned.root, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("LINENUM", f"{planned.visit}.{planned.line:03d}", "proposal logsheet line number"),
        ("PR_INV_L", "Simulation", "last name of principal investigator"),
        ("FGSLOCK", "FINE", "commanded FGS lock (FINE,COARSE,GYROS,UNKNOWN)"),
        ("GYROMODE", "T", "number of gyros scheduled, T=3+OBAD"),
        ("REFFRAME", "ICRS", "guide star catalog version"),
        ("MTFLAG", " ", "moving target flag; T if it is a moving target"),
        ("DATE-OBS", day, "UT date of start of observation (yyyy-mm-dd)"),
        ("TIME-OBS", clock, "UT time of start of observation (hh:mm:ss)"),
        ("EXPSTART", planned.start_mjd, "exposure start time (Modified Julian Date)"),
        ("EXPEND", planned.end_mjd, "exposure end time (Modified Julian Date)"),
        ("EXPTIME", planned.exposure_time_s, "exposure duration (seconds)--calculated"),
        ("EXPFLAG", "NORMAL", "exposure interruption indicator"),
        ("QUALCOM1", " ", ""),
        ("QUALITY", " ", ""),
        ("DARKTIME", planned.exposure_time_s, "dark time (seconds)"),
        ("POSTARG1", planned.dither_arcsec[0], "POSTARG in axis 1 direction"),
        ("POSTARG2", planned.dither_arcsec[1], "POSTARG in axis 2 direction"),
        ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
        ("SUBARRAY", planned.size_pix is not None, "data from a subarray (T) or full frame"),
        ("CRSPLIT", 1, "number of cosmic ray split exposures"),
        ("ASN_ID", "NONE", "unique identifier assigned to association"),
        ("ASN_MTYP", " ", "role of the member in the association"),
    ]


def is_ramp(detector: Detector) -> bool:
    """Return whether exposures are read many times, which removes cosmic rays."""
    return detector.noise.cosmic_rays is None


def _elements(header: fits.Header, detector: Detector, filter_name: str) -> None:
    """Put the filter into the first wheel and leave the others clear."""
    for index, keyword in enumerate(detector.header.filters):
        clear = detector.header.clear[0] if detector.header.clear else ""
        header[keyword] = filter_name if index == 0 else _clear_name(clear, index + 1)


def _clear_name(prefix: str, wheel: int) -> str:
    """Name the empty position of a wheel, e.g. CLEAR2L."""
    return f"{prefix}{wheel}L" if prefix else " "


def _electronics(header: fits.Header, detector: Detector) -> None:
    """Write gains and read noise, per amplifier or for the whole camera."""
    gain, noise = detector.noise.gain.value, detector.noise.read_noise.value
    if detector.products.companion is not None:
        header["MODE"] = ("FULL", "instrument mode: FULL, AREA")
        header["ATODGAIN"] = (gain, "analog to digital gain (electrons/DN)")
        header["SHUTTER"] = ("A", "shutter in place at beginning of the exposure")
        header["SATURATE"] = (_CONVERTER, "data value at which saturation occurs")
        header["RSDPFILL"] = (_FILL, "bad data fill value for calibrated images")
        return
    single = len(detector.chips) == 1 and not is_ramp(detector)
    header["CCDAMP"] = ("C" if single else _AMPLIFIERS, "CCD amplifier readout configuration")
    header["CCDGAIN"] = (gain, "commanded gain of CCD")
    for amplifier in _AMPLIFIERS:
        header[f"ATODGN{amplifier}"] = (gain, f"calibrated gain for amplifier {amplifier}")
        header[f"READNSE{amplifier}"] = (
            noise,
            f"calibrated read noise for amplifier {amplifier}",
        )


def science(
    detector: Detector,
    planned: PlannedExposure,
    frame: ChipFrame,
    pixels: Pixels,
    change: Conversion,
) -> fits.Header:
    """Return the header of a chip's SCI extension.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    planned : PlannedExposure
        The exposure.
    frame : ChipFrame
        The chip as the header is to have it.
    pixels : Pixels
        Its data, for the statistics.
    change : Conversion
        Photometric conversion.

    Returns
    -------
    `astropy.io.fits.Header`
        WCS, photometry and statistics.
    """
    header = _extension("SCI", frame, planned, detector.products.unit)
    header[detector.header.chip] = (frame.number, "chip number")
    header.extend(frame.header.copy(), update=True)
    header["WCSNAME"] = WCS_NAME
    header["RA_APER"], header["DEC_APER"] = header["CRVAL1"], header["CRVAL2"]
    header["PA_APER"] = header["ORIENTAT"]
    header["VAFACTOR"] = (1.0, "velocity aberration plate scale factor")
    rows, columns = frame.shape
    header["CENTERA1"] = frame.window.x0 + columns // 2 + 1
    header["CENTERA2"] = frame.window.y0 + rows // 2 + 1
    header["SIZAXIS1"], header["SIZAXIS2"] = columns, rows
    header["BINAXIS1"] = header["BINAXIS2"] = 1
    header["NCOMBINE"] = (1, "number of image sets combined during CR rejecti")
    if not is_ramp(detector):
        header.extend(_photometry(detector, planned, change, str(frame.number)))
    _statistics(header, detector, pixels, change)
    return header


def _photometry(
    detector: Detector, planned: PlannedExposure, change: Conversion, chip: str
) -> list[tuple[str, Any, str]]:
    """Return the photometric cards: of a chip, or of the file where a ramp was read."""
    width = detector.filters[planned.filter].width
    # rms width of a rectangular band
    rms = metres(width, detector.name) * 1e10 / 12**0.5 if width else 0.0
    mode = " ".join([*detector.match.values(), chip, planned.filter])
    return [
        ("PHOTMODE", " ".join(mode.split()), "observation configuration"),
        ("PHOTFLAM", change.photflam, "inverse sensitivity, ergs/cm2/Ang per unit/s"),
        ("PHOTZPT", -21.1, "ST magnitude zero point"),
        ("PHOTPLAM", change.pivot_angstrom, "pivot wavelength (Angstroms)"),
        ("PHOTBW", rms, "RMS bandwidth (Angstroms)"),
    ]


def _statistics(
    header: fits.Header, detector: Detector, pixels: Pixels, change: Conversion
) -> None:
    """Write what a pipeline tells about the pixels."""
    good = pixels.dq == 0
    values = pixels.sci[good] if good.any() else pixels.sci.ravel()
    header["SDQFLAGS"] = (_SERIOUS, "serious data quality flags")
    header["NGOODPIX"] = (int(good.sum()), "number of good pixels")
    header["GOODMIN"] = (float(values.min()), "minimum value of good pixels")
    header["GOODMAX"] = (float(values.max()), "maximum value of good pixels")
    header["GOODMEAN"] = (float(values.mean(dtype=np.float64)), "mean value of good pixels")
    dark = detector.noise.dark.value * change.exposure_time_s
    header["MEANDARK"] = (dark * change.units_per_electron, "average of the dark subtracted")
    header["MEANBLEV"] = (0.0, "average of all bias levels subtracted")
    header["MEANFLSH"] = (0.0, "mean of the post flash subtracted")


def plain(name: str, frame: ChipFrame, planned: PlannedExposure, unit: str) -> fits.Header:
    """Return the header of an extension beside SCI: its WCS has no distortion."""
    header = _extension(name, frame, planned, unit)
    for keyword in ("WCSAXES", "CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "LTV1", "LTV2"):
        header[keyword] = frame.header[keyword]
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    for keyword in ("CD1_1", "CD1_2", "CD2_1", "CD2_2", "LTM1_1", "LTM2_2", "RADESYS"):
        header[keyword] = frame.header[keyword]
    return header


def _extension(name: str, frame: ChipFrame, planned: PlannedExposure, unit: str) -> fits.Header:
    from astropy.io import fits

    header = fits.Header()
    header["INHERIT"] = (True, "inherit the primary header")
    header["EXTNAME"] = (name, "extension name")
    header["EXTVER"] = (frame.extver, "extension version number")
    header["ROOTNAME"] = (planned.root, "rootname of the observation set")
    header["EXPNAME"] = (planned.root, "exposure identifier")
    header["BUNIT"] = (unit, "brightness units")
    return header
