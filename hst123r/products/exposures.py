"""From the headers of an exposure to its record; each file is opened once."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.products import headers
from hst123r.records.exposure import Chip, Exposure

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.wcs import WCS

GAIN_KEYWORD: Final = "ATODGAIN"
"""Electrons per count, where the data are in counts (WFPC2 has 7, 14 or 15)."""
COUNTS: Final = "COUNTS"


def read_exposure(
    path: str, targets: Mapping[str, tuple[float, float]], margin_pix: float = 0.0
) -> Exposure:
    """Read the record of an exposure from its file.

    Parameters
    ----------
    path : str
        A calibrated exposure with at least one SCI extension.
    targets : mapping of str to (float, float)
        Right ascension and declination of each target in degrees, ICRS.
    margin_pix : float
        How far inside a chip a target must be, in pixels.

    Returns
    -------
    Exposure
        Its record; targets are placed through the full distorted WCS, lookup tables included.

    Raises
    ------
    InputError
        If the detector is unknown, or a header lacks what every exposure has.
    """
    from astropy.io import fits

    with fits.open(path, memmap=True, lazy_load_hdus=True) as hdus:
        primary = hdus[0].header
        where = str(primary.get("FILENAME", path)).strip()
        detector = instruments.match(primary, where)
        _check_structure(hdus, detector, where)
        chips, wcs_name, distorted = _chips(hdus, detector, targets, margin_pix, where)
        elements = _elements(primary, detector)
        name, kind = _filter(elements, detector)
        return Exposure(
            root=headers.name(primary, "ROOTNAME", where).lower(),
            image=path.rsplit("/", 1)[-1],
            detector=detector.name,
            filter=name,
            filter_class=kind,
            elements=elements,
            exposure_time_s=headers.real(primary, "EXPTIME", where),
            start_mjd=headers.real(primary, "EXPSTART", where),
            end_mjd=headers.real(primary, "EXPEND", where),
            proposal=headers.text(primary, "PROPOSID").lstrip("0"),
            visit=headers.name(primary, "ROOTNAME", where).upper()[4:6],
            object_name=headers.text(primary, "TARGNAME"),
            aperture=headers.text(primary, "APERTURE"),
            subarray=primary.get("SUBARRAY", False) in (True, "T", "True"),
            pa_v3_deg=headers.number(primary, "PA_V3"),
            expflag=headers.text(primary, "EXPFLAG"),
            fgslock=headers.text(primary, "FGSLOCK"),
            quality=headers.text(primary, "QUALITY"),
            moving=headers.text(primary, "MTFLAG"),
            wcs_name=wcs_name,
            distorted=distorted,
            chips=chips,
        )


def open_wcs(header: Header, hdus: HDUList, where: str) -> WCS:
    """Return the WCS of a science extension with all its distortions.

    Parameters
    ----------
    header : Header
        Header of the extension.
    hdus : HDUList
        The open file, for the lookup tables.
    where : str
        Name of the file, for messages.

    Returns
    -------
    astropy.wcs.WCS
        With SIP and lookup tables where the header has them.

    Raises
    ------
    InputError
        If the header has no usable celestial WCS.
    """
    from astropy.utils.exceptions import AstropyUserWarning
    from astropy.wcs import WCS, FITSFixedWarning

    try:
        with warnings.catch_warnings():
            # headers of two decades write dates and units in ways that astropy repairs and tells
            warnings.simplefilter("ignore", FITSFixedWarning)
            warnings.simplefilter("ignore", AstropyUserWarning)
            wcs = WCS(header, hdus)
    except (ValueError, KeyError, AssertionError) as error:
        raise InputError(f"its WCS cannot be read: {error}", where=where) from error
    if not wcs.has_celestial:
        raise InputError("it has no celestial WCS", where=where)
    return wcs


def open_chips(path: str | Path, exposure: Exposure) -> dict[int, WCS]:
    """Return the WCS of every chip of an exposure.

    Parameters
    ----------
    path : str or Path
        The science file.
    exposure : Exposure
        Its record.

    Returns
    -------
    dict of int to WCS
        By EXTVER, with all distortions.
    """
    from astropy.io import fits

    with fits.open(path, memmap=True) as hdus:
        return {
            chip.extver: open_wcs(hdus["SCI", chip.extver].header, hdus, str(path))
            for chip in exposure.chips
        }


def chip_corners(path: str | Path, exposure: Exposure) -> list[tuple[float, float]]:
    """Return the corners of all chips of an exposure on the sky, from the file as it is now.

    Parameters
    ----------
    path : str or Path
        The science file.
    exposure : Exposure
        Its record.

    Returns
    -------
    list of (float, float)
        Right ascension and declination in degrees, four for each chip.
    """
    wcs = open_chips(path, exposure)
    return [
        (ra, dec)
        for chip in exposure.chips
        for ra, dec in _corners(wcs[chip.extver], (chip.shape[0], chip.shape[1]))
    ]


def _chips(
    hdus: HDUList,
    detector: Detector,
    targets: Mapping[str, tuple[float, float]],
    margin_pix: float,
    where: str,
) -> tuple[list[Chip], str, bool]:
    chips = []
    wcs_name, distorted = "", False
    for hdu in hdus[1:]:
        if hdu.name != "SCI" or hdu.header.get("NAXIS") != 2:
            continue
        header = hdu.header
        wcs = open_wcs(header, hdus, where)
        shape = (header["NAXIS2"], header["NAXIS1"])
        photflam, photplam = _calibration(header, hdus[0].header)
        wcs_name = wcs_name or headers.text(header, "WCSNAME")
        distorted |= wcs.sip is not None or wcs.cpdis1 is not None
        zeropoint_ab, zeropoint_st = _zeropoints(photflam, photplam)
        unit = str(header.get("BUNIT", detector.products.unit)).strip().upper()
        chips.append(
            Chip(
                extver=hdu.ver,
                number=headers.whole(header, detector.header.chip, hdu.ver, where),
                shape=list(shape),
                unit=unit,
                gain=_gain(hdus[0].header, detector, where) if unit == COUNTS else 1.0,
                photflam=photflam,
                photplam=photplam,
                zeropoint_ab=zeropoint_ab,
                zeropoint_st=zeropoint_st,
                position_angle_deg=_position_angle(wcs),
                corners=_corners(wcs, shape),
                targets=_targets(wcs, shape, targets, margin_pix),
            )
        )
    if not chips:
        raise InputError("there is no SCI extension with an image in it", where=where)
    return sorted(chips, key=lambda chip: chip.extver), wcs_name, distorted


def _corners(wcs: WCS, shape: tuple[int, int]) -> list[list[float]]:
    rows, columns = shape
    edges = [[-0.5, -0.5], [columns - 0.5, -0.5], [columns - 0.5, rows - 0.5], [-0.5, rows - 0.5]]
    return [[round(float(v), 9) for v in point] for point in wcs.all_pix2world(edges, 0)]


def _targets(
    wcs: WCS,
    shape: tuple[int, int],
    targets: Mapping[str, tuple[float, float]],
    margin_pix: float,
) -> dict[str, list[float]]:
    from hst123r.photometry.geometry import sky_to_pixel

    rows, columns = shape
    edge = margin_pix - 0.5
    places = list(targets.values())
    xs, ys = sky_to_pixel(wcs, shape, [p[0] for p in places], [p[1] for p in places])
    # comparisons with the NaN of a far position are false
    return {
        name: [round(x, 4), round(y, 4)]
        for name, x, y in zip(targets, xs.tolist(), ys.tolist(), strict=True)
        if edge <= x < columns - 1 - edge and edge <= y < rows - 1 - edge
    }


def _elements(primary: Header, detector: Detector) -> list[str]:
    """Names of the optical elements in the beam, clear positions left out."""
    clear = tuple(prefix.upper() for prefix in detector.header.clear)
    found = []
    for keyword in detector.header.filters:
        name = str(primary.get(keyword, "")).strip().upper()
        if name and not name.startswith(clear):
            found.append(name)
    return found


def _filter(elements: list[str], detector: Detector) -> tuple[str, str]:
    """Name and class of the filter: the imaging filter, else what else is in the beam."""
    kinds = {name: detector.filters[name].kind for name in elements if name in detector.filters}
    special = [name for name in elements if kinds.get(name) in ("grism", "ramp")]
    imaging = [name for name in elements if kinds.get(name) in ("W", "M", "N", "LP", "X", "quad")]
    polarisers = [name for name in elements if kinds.get(name) == "polariser"]
    if special:
        return special[0], kinds[special[0]]
    if len(imaging) == 1:
        # through a polariser the same filter has another zeropoint, so it is another band
        return "+".join([imaging[0], *polarisers]), kinds[imaging[0]]
    if len(imaging) > 1:
        return "+".join(imaging), "crossed"
    if not elements:
        return "CLEAR", "clear"
    return elements[0], kinds.get(elements[0], "unknown")


def _zeropoints(
    photflam: float | None, photplam: float | None
) -> tuple[float | None, float | None]:
    """AB and ST zeropoints, None where the keywords do not give them."""
    from hst123r.photometry.magnitudes import zeropoint_ab, zeropoint_st

    if photflam is None or photflam <= 0:
        return None, None
    st = float(zeropoint_st(photflam))
    if photplam is None or photplam <= 0:
        return None, st
    return float(zeropoint_ab(photflam, photplam)), st


def _gain(primary: Header, detector: Detector, where: str) -> float:
    if GAIN_KEYWORD not in primary:
        return detector.noise.gain.value
    gain = headers.real(primary, GAIN_KEYWORD, where)
    if gain <= 0:
        raise InputError(f"its {GAIN_KEYWORD} is {gain:g}, not above zero", where=where)
    return gain


def _position_angle(wcs: WCS) -> float:
    """Position angle of the y axis, as ORIENTAT, but of the WCS as it is now."""
    matrix = wcs.pixel_scale_matrix
    return round(math.degrees(math.atan2(matrix[0, 1], matrix[1, 1])), 6)


def _check_structure(hdus: HDUList, detector: Detector, where: str) -> None:
    """Demand that every chip has the extensions that go with it, of its shape."""
    shapes: dict[str, dict[int, tuple[int, ...]]] = {}
    for hdu in hdus[1:]:
        if hdu.name in detector.products.extensions and hdu.is_image:
            header = hdu.header
            pair = ("NPIX2", "NPIX1") if header["NAXIS"] == 0 else ("NAXIS2", "NAXIS1")
            size = tuple(int(header[key]) for key in pair if key in header)
            shapes.setdefault(hdu.name, {})[hdu.ver] = size
    science = shapes.get("SCI", {})
    for name in detector.products.extensions:
        for version, size in science.items():
            other = shapes.get(name, {}).get(version)
            if other is None:
                raise InputError(f"its chip SCI,{version} has no {name},{version}", where=where)
            if other != size:
                raise InputError(
                    f"{name},{version} has the shape {other}, SCI,{version} {size}", where=where
                )


def _calibration(header: Header, primary: Header) -> tuple[float | None, float | None]:
    """PHOTFLAM and PHOTPLAM; detectors with one chip may keep them in the primary header."""
    source = header if "PHOTFLAM" in header else primary
    return headers.number(source, "PHOTFLAM"), headers.number(source, "PHOTPLAM")
