"""Stacks as multi-extension FITS: SCI, WHT and CTX, with what a reader needs in the headers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import StageError
from hst123r.files.content import facet_of_card
from hst123r.photometry.magnitudes import zeropoint_ab
from hst123r.products.exposures import open_wcs
from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import HDUList, Header, ImageHDU
    from astropy.wcs import WCS
    from numpy.typing import NDArray

SCALED: Final = "adu/s"
"""Unit of pixels that were scaled to a zeropoint: a rate, of electrons no more."""
_IN_SCIENCE: Final = ("BUNIT", "PHOTFLAM", "PHOTPLAM", "PHOTBW", "PHOTMODE", "EXPTIME", "MDRIZSKY")
_NOT_COPIED: Final = frozenset(
    {"SIMPLE", "BITPIX", "EXTEND", "EXTNAME", "EXTVER", "INHERIT", "ROOTNAME", "FILENAME", "DATE",
     "NEXTEND", "EXPNAME", "IRAF-TLM", "CHECKSUM", "DATASUM"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A stack as it is measured.

    Parameters
    ----------
    science : (ny, nx) ndarray of float32
        In the unit of the header, electrons per second unless the recipe said counts; NaN where
        no exposure contributes.
    weight : (ny, nx) ndarray of float32
        Weight map; for the weight type EXP the effective exposure time in seconds.
    context : (k, ny, nx) ndarray of int32
        The context image; a bit for each chip that contributes, 32 in a plane.
    wcs : WCS
        An undistorted tangent plane.
    header : Header
        Of the science extension.
    """

    science: NDArray[np.float32]
    weight: NDArray[np.float32]
    context: NDArray[np.int32]
    wcs: WCS
    header: Header


@dataclass(frozen=True, slots=True)
class RmsSettings:
    """What the map of the noise of a stack needs to know.

    Parameters
    ----------
    factor : float
        Noise-correlation factor, see :func:`hst123r.algorithms.noise.correlation_factor`.
    area : float
        Area of a pixel of the stack over that of the exposures: a weight by exposure time is the
        time multiplied by it.
    gain : float
        Electrons per unit of the exposures.
    """

    factor: float
    area: float
    gain: float


def write_stack(
    images: Mapping[str, Path | HDUList],
    path: Path,
    about: Mapping[str, tuple[Any, str]],
    unit: str,
    *,
    fill: float = math.nan,
    zeropoint: float | None = None,
    rms: RmsSettings | None = None,
) -> dict[str, Any]:
    """Write the images that an engine made as one file.

    AstroDrizzle leaves a value in pixels that were flagged in all exposures, and only their weight
    is zero; here they are filled like those that no exposure covers.

    Parameters
    ----------
    images : mapping of str to Path or HDUList
        ``science``, ``weight`` and ``context``; those in memory are changed.
    path : Path
        New file.
    about : mapping of str to (value, comment)
        Cards for the primary header. An EXPTIME among them is the exposure time of the stack, in
        seconds; without it that is what AstroDrizzle says, the sum over all exposures.
    unit : str
        What its pixels are in, ``ELECTRONS/S``, ``COUNTS`` and so on. What AstroDrizzle writes
        is wrong for detectors whose exposures are in counts.
    fill : float
        Value of pixels without weight, NaN for none.
    zeropoint : float, optional
        AB magnitude of one unit to which the pixels of a rate are scaled, and PHOTFLAM with them,
        so that pixel times PHOTFLAM stays the flux.
    rms : RmsSettings, optional
        Adds the extension RMS, for weights by exposure time.

    Returns
    -------
    dict
        Facts of the stack: ``unit`` (`SCALED` with a fixed zeropoint), ``photflam``, ``photplam``,
        ``zeropoint_ab`` (of one count per second, whatever the unit), ``exposure_time_s``,
        ``covered`` (fraction of pixels with weight), ``scaled`` (what the pixels were multiplied
        by for a fixed zeropoint).

    Raises
    ------
    StageError
        If a zeropoint is to be fixed and the exposures have none.
    """
    import numpy as np
    from astropy.io import fits

    with _opened(images["science"]) as opened:
        source, data = opened[0].header, np.require(opened[0].data, requirements=["C", "W"])
        table = [fits.BinTableHDU(hdu.data, hdu.header, hdu.name) for hdu in opened[1:]]
    weight, context = (_plane(images[role]) for role in ("weight", "context"))
    data[weight == 0] = fill
    if "EXPTIME" in about:
        source["EXPTIME"] = about["EXPTIME"]
    primary = fits.PrimaryHDU()
    science = fits.ImageHDU(data, name="SCI", ver=1)
    _sort_cards(source, primary.header, science.header)
    for keyword, (value, comment) in about.items():
        primary.header[keyword] = (value, comment)
    facts = {"unit": unit, **_photometric_facts(source), "scaled": 1.0}
    if zeropoint is not None:
        facts |= _fix_zeropoint(science, weight, facts, zeropoint)
    science.header["BUNIT"] = (facts["unit"], "unit of the pixels")
    facts["covered"] = round(float(np.mean(weight > 0)), 6)
    if facts["zeropoint_ab"] is not None:
        zeropoint = facts["zeropoint_ab"]
        if not unit.endswith("/S"):
            # one count of the whole exposure is less light than one in every second
            zeropoint += 2.5 * math.log10(facts["exposure_time_s"])
        science.header["ZP_AB"] = (zeropoint, "AB zeropoint of one BUNIT")
    planes = {"WHT": weight, "CTX": context}
    if rms is not None:
        planes["RMS"] = _rms(science, weight, rms, facts)
    hdus = [primary, science]
    for name, plane in planes.items():
        hdu = fits.ImageHDU(plane, name=name, ver=1)
        hdu.header.update({k: v for k, v in science.header.items() if facet_of_card(k) == "wcs"})
        hdu.header["BUNIT"] = facts["unit"] if name == "RMS" else "UNITLESS"
        if name == "RMS" and rms is not None:
            hdu.header["RMSCORR"] = (rms.factor, "noise-correlation factor, in the pixels")
            hdu.header["COMMENT"] = "RMS over RMSCORR is the scatter of neighbouring pixels"
        hdus.append(hdu)
    fits.HDUList([*hdus, *table]).writeto(path)
    return facts


def _opened(image: Path | HDUList) -> contextlib.AbstractContextManager[HDUList]:
    from astropy.io import fits

    if isinstance(image, Path):
        opened: contextlib.AbstractContextManager[HDUList] = fits.open(image, memmap=False)
        return opened
    return contextlib.nullcontext(image)


def _plane(image: Path | HDUList) -> NDArray[Any]:
    import numpy as np

    with _opened(image) as opened:
        return np.ascontiguousarray(opened[0].data)


def _rms(
    science: ImageHDU, weight: NDArray[np.float32], rms: RmsSettings, facts: Mapping[str, Any]
) -> NDArray[np.float32]:
    from hst123r.algorithms.noise import rms_map

    light = facts["scaled"] / rms.gain
    if "/" not in facts["unit"]:
        # counts are rates times the time of the whole stack
        light *= facts["exposure_time_s"]
    return rms_map(science.data, weight, rms.factor, weight / rms.area, light)


def _fix_zeropoint(
    science: ImageHDU, weight: NDArray[np.float32], facts: Mapping[str, Any], zeropoint: float
) -> dict[str, Any]:
    """Scale the pixels of a rate to a zeropoint; return the facts that change."""
    if facts["zeropoint_ab"] is None:
        raise StageError(
            "the zeropoint cannot be fixed, because the exposures have no PHOTFLAM",
            hint="Leave out zeropoint",
        )
    factor = 10 ** (0.4 * (zeropoint - facts["zeropoint_ab"]))
    # what fills empty pixels is no light
    science.data[weight != 0] *= science.data.dtype.type(factor)
    header = science.header
    header["PHOTFLAM"] = facts["photflam"] / factor
    header["FIXZPT"] = (zeropoint, "AB zeropoint the pixels were scaled to")
    header["FIXSCALE"] = (factor, "what the pixels were multiplied by")
    # 3631 Jy is magnitude zero in the AB system; hst123 wrote 3.631 and called it mJy
    header["FIXFLUX"] = (3631e3 * 10 ** (-0.4 * zeropoint), "flux density of one BUNIT, mJy")
    if "MDRIZSKY" in header:
        header["MDRIZSKY"] = header["MDRIZSKY"] * factor
    return {
        "unit": SCALED,
        "zeropoint_ab": zeropoint,
        "photflam": header["PHOTFLAM"],
        "scaled": factor,
    }


def read_stack(path: str | Path) -> Stack:
    """Read a stack that :func:`write_stack` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Stack
        Its arrays, WCS and header.
    """
    import numpy as np
    from astropy.io import fits

    with fits.open(path) as hdus:
        header = hdus["SCI", 1].header
        science = np.array(hdus["SCI", 1].data, np.float32)
        weight = np.array(hdus["WHT", 1].data, np.float32)
        wcs = open_wcs(header, hdus, str(path))
        context = np.array(hdus["CTX", 1].data, np.int32)
    # a stack may have been filled with a number where there are no data
    science[weight == 0] = np.nan
    planes = context if context.ndim == 3 else context[None]
    return Stack(science, weight, planes, wcs, header)


def depth(facts: Mapping[str, Any]) -> float:
    """Return how faint the sources are that a stack shows.

    Parameters
    ----------
    facts : mapping
        ``zeropoint_ab``, ``exposure_time_s`` and ``scale_arcsec`` of the stack.

    Returns
    -------
    float
        Magnitudes, up to a constant.
    """
    zeropoint = facts["zeropoint_ab"] if facts["zeropoint_ab"] is not None else 20.0
    time = max(float(facts["exposure_time_s"] or 1.0), 1.0)
    return float(zeropoint) + 1.25 * math.log10(time) - 2.5 * math.log10(facts["scale_arcsec"])


def cards_of(
    label: str,
    filter_name: str,
    exposures: Sequence[Exposure],
    name: str | None,
    extra: Sequence[Exposure] = (),
) -> dict[str, tuple[Any, str]]:
    """Return the cards that say what a stack was made from.

    Parameters
    ----------
    label : str
        Name of the stack.
    filter_name : str
        Its filter.
    exposures : sequence of Exposure
        Its exposures, in the order they were given to AstroDrizzle.
    name : str or None
        For TARGNAME and OBJECT; None leaves those of the exposures.
    extra : sequence of Exposure
        Exposures that only fill the boxes of a mask, where the others are left out.

    Returns
    -------
    dict of str to (value, comment)
        Among them EXPSTART, EXPEND and MJD-AVG (weighted by exposure time), MJD. With `extra`
        these and EXPTIME are of the other exposures alone, and EXTRA, NEXTRA, XEXPTIME, XEXPSTA
        and XEXPEND of what is in the boxes.
    """
    cards: dict[str, tuple[Any, str]] = {
        "ROOTNAME": (label, "name of the stack"),
        "FILENAME": (f"{label}_drz.fits", "name of file"),
        "FILTER": (filter_name, "filter"),
        "NINPUT": (len(exposures), "number of exposures"),
        "INPUT": (",".join(e.root for e in exposures), "root names of the exposures"),
        "EXPSTART": (min(e.start_mjd for e in exposures), "start of the first exposure, MJD"),
        "EXPEND": (max(e.end_mjd for e in exposures), "end of the last exposure, MJD"),
    }
    if name is not None:
        cards |= dict.fromkeys(("TARGNAME", "OBJECT"), (name, "name by the recipe"))
    time = sum(e.exposure_time_s for e in exposures)
    middle = sum(e.middle_mjd * e.exposure_time_s for e in exposures) / time
    cards["MJD-AVG"] = (middle, "mean time weighted by exposure, MJD")
    if extra:
        inside = sum(e.exposure_time_s for e in extra)
        cards |= dict.fromkeys(
            ("EXPTIME", "TEXPTIME"), (time, "sum of the times outside of the boxes, s")
        )
        cards |= {
            "NEXTRA": (len(extra), "number of exposures in the boxes alone"),
            "EXTRA": (",".join(e.root for e in extra), "their root names"),
            "XEXPTIME": (inside, "sum of their exposure times, s"),
            "XEXPSTA": (min(e.start_mjd for e in extra), "start of the first of them, MJD"),
            "XEXPEND": (max(e.end_mjd for e in extra), "end of the last of them, MJD"),
        }
    return cards


def _sort_cards(source: Header, primary: Header, science: Header) -> None:
    """Put what places or calibrates pixels into SCI, and all else into the primary."""
    for card in source.cards:
        keyword = card.keyword
        if keyword in _NOT_COPIED or keyword.startswith("NAXIS") or not keyword:
            continue
        if keyword in ("COMMENT", "HISTORY"):
            primary.add_history(card.value) if keyword == "HISTORY" else None
        elif facet_of_card(keyword) == "wcs" or keyword in _IN_SCIENCE:
            science[keyword] = (card.value, card.comment)
        else:
            primary[keyword] = (_without_folder(card.value), card.comment)
    if "EXPTIME" in source:
        primary["EXPTIME"] = (source["EXPTIME"], "sum of the exposure times, s")


def _without_folder(value: Any) -> Any:
    """Keep the name of a file of this machine (RULEFILE), and not where it was installed."""
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def _photometric_facts(header: Header) -> dict[str, Any]:
    flam, plam = header.get("PHOTFLAM"), header.get("PHOTPLAM")
    good = bool(flam) and bool(plam) and flam > 0 and plam > 0
    zeropoint = float(zeropoint_ab(flam, plam)) if good else None
    return {
        "photflam": flam,
        "photplam": plam,
        "zeropoint_ab": zeropoint,
        "exposure_time_s": header.get("EXPTIME"),
    }
