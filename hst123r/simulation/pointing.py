"""Pointing a detector: which pixel sees the target, which part of each chip is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hst123r.errors import InputError
from hst123r.instruments.detector import Detector
from hst123r.simulation.geometry import (
    ChipFrame,
    ChipTemplate,
    Window,
    crop,
    error_rotation,
    rotation,
    turned,
)
from hst123r.simulation.model import PointingError

if TYPE_CHECKING:
    from astropy.io import fits

Floats = NDArray[np.float64]

_WCS_CARDS: Final = re.compile(
    r"^(WCSAXES|CTYPE[12]|CRPIX[12]|CRVAL[12]|CUNIT[12]|CD[12]_[12]|LONPOLE|LATPOLE|RADESYS"
    r"|[AB]_ORDER|[AB]_\d_\d|CPDIS[12]|CPERR[12]|DP[12](\..*)?|D2IMDIS[12]|D2IMERR[12]"
    r"|D2IM[12](\..*)?|OC[XY]\d\d|IDC(SCALE|THETA|XREF|YREF|V2REF|V3REF)|LTV[12]|LTM[12]_[12])$"
)
_TABLES: Final = ("D2IMARR", "WCSDVARR")
_ROUNDS: Final = 60


@dataclass(frozen=True, eq=False)
class Template:
    """A detector's WCS as some known pointing had it.

    Parameters
    ----------
    chips : tuple of ChipTemplate
        In the order of EXTVER.
    pa_v3_deg : float
        Position angle of the V3 axis at that pointing.
    reference : (ra, dec)
        Where a target was, degrees.
    """

    chips: tuple[ChipTemplate, ...]
    pa_v3_deg: float
    reference: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Placed:
    """The chips of one exposure: as they truly are, and as their headers say.

    Parameters
    ----------
    true, header : tuple of ChipFrame
        In the order of EXTVER; the two differ by the pointing error alone.
    header_pa_v3_deg : float
        Position angle of the V3 axis by the header.
    """

    true: tuple[ChipFrame, ...]
    header: tuple[ChipFrame, ...]
    header_pa_v3_deg: float


def template_of(detector: Detector) -> Template:
    """Return the template that a detector's facts hold.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.

    Returns
    -------
    Template
        Without lookup tables.
    """
    from astropy.io import fits

    chips = []
    for chip in sorted(detector.chips, key=lambda entry: entry.extver):
        header = fits.Header()
        header["WCSAXES"] = 2
        for axis, kind in ((1, "RA---TAN-SIP"), (2, "DEC--TAN-SIP")):
            header[f"CRPIX{axis}"] = float(chip.geometry.crpix[axis - 1])
            header[f"CRVAL{axis}"] = float(chip.geometry.crval[axis - 1])
            header[f"CTYPE{axis}"] = kind
            header[f"CUNIT{axis}"] = "deg"
            for other in (1, 2):
                header[f"CD{axis}_{other}"] = float(chip.geometry.cd[axis - 1][other - 1])
        header["RADESYS"] = "ICRS"
        for name, value in {**chip.geometry.sip, **chip.geometry.idc}.items():
            header[name] = int(value) if name.endswith("_ORDER") else float(value)
        chips.append(ChipTemplate(chip.number, chip.extver, chip.rows, chip.columns, header))
    reference = detector.pointing.reference
    return Template(tuple(chips), detector.pointing.pa_v3_deg, (reference[0], reference[1]))


def template_from(detector: Detector, hdus: fits.HDUList) -> Template:
    """Return the template that a real exposure's headers hold, with its lookup tables.

    Parameters
    ----------
    detector : Detector
        Facts of the detector; the template must be of the same one.
    hdus : `astropy.io.fits.HDUList`
        A calibrated exposure; its pixels are not looked at.

    Returns
    -------
    Template
        The target is taken to be where the headers' RA_TARG and DEC_TARG say.

    Raises
    ------
    InputError
        If a chip or a keyword is missing.
    """
    from astropy.io import fits

    chips = []
    try:
        for facts in sorted(detector.chips, key=lambda entry: entry.extver):
            full = hdus["SCI", facts.extver].header
            cards = [card for card in full.cards if _WCS_CARDS.match(card.keyword)]
            header = fits.Header([card for card in cards if card.keyword not in ("DP1", "DP2")])
            header["RADESYS"] = "ICRS"
            tables = _tables(header, hdus)
            chips.append(
                ChipTemplate(facts.number, facts.extver, facts.rows, facts.columns, header, tables)
            )
        primary = hdus[0].header
        reference = float(primary["RA_TARG"]), float(primary["DEC_TARG"])
        return Template(tuple(chips), float(primary["PA_V3"]), reference)
    except KeyError as missing:
        raise InputError(
            f"the template for {detector.name} lacks {missing}",
            hint="Use a calibrated exposure of the same detector",
        ) from missing


def _tables(header: fits.Header, hdus: fits.HDUList) -> tuple[Any, ...]:
    """Return the tables a header's records name; a table is named by EXTNAME and EXTVER."""
    wanted = []
    for prefix, name in (("D2IM", _TABLES[0]), ("DP", _TABLES[1])):
        for axis in (1, 2):
            record = f"{prefix}{axis}.EXTVER"
            if record in header:
                wanted.append((name, int(header[record])))
    return tuple(hdus[name, version].copy() for name, version in wanted)


def windows(template: Template, size_pix: int | None) -> tuple[Window, ...]:
    """Return the part of each chip that is kept: all of it, or a square.

    The squares are as near to the middle of all chips as they can be, so that those of
    neighbouring chips touch the gap between them.

    Parameters
    ----------
    template : Template
        The detector's chips.
    size_pix : int or None
        Side of the square in pixels; None for the full chips.

    Returns
    -------
    tuple of Window
        In the order of EXTVER.
    """
    if size_pix is None:
        return tuple(Window(0, 0, chip.columns, chip.rows) for chip in template.chips)
    plane = [_LinearPlane(chip, template.chips[0].crval) for chip in template.chips]
    meeting = np.mean([item.centre for item in plane], axis=0)
    # averaged projections onto convex sets meet where the chips are nearest to one another
    for _ in range(_ROUNDS):
        meeting = np.mean([item.sky(item.nearest(meeting)) for item in plane], axis=0)
    result = []
    for item in plane:
        x, y = item.nearest(meeting)
        columns = min(size_pix, item.chip.columns)
        rows = min(size_pix, item.chip.rows)
        result.append(
            Window(
                int(np.clip(round(x - (columns - 1) / 2), 0, item.chip.columns - columns)),
                int(np.clip(round(y - (rows - 1) / 2), 0, item.chip.rows - rows)),
                columns,
                rows,
            )
        )
    return tuple(result)


class _LinearPlane:
    """A chip on the plane of the sky, its distortion left out; degrees east and north."""

    def __init__(self, chip: ChipTemplate, origin: Floats) -> None:
        self.chip = chip
        shift = chip.crval - origin
        shift[0] = (shift[0] + 180.0) % 360.0 - 180.0
        self._offset = shift * [np.cos(np.radians(chip.crval[1])), 1.0]
        self._corner = np.array([chip.columns - 1.0, chip.rows - 1.0])

    def sky(self, pixel: Floats) -> Floats:
        return np.asarray(self._offset + self.chip.cd @ (pixel + 1 - self.chip.crpix))

    @property
    def centre(self) -> Floats:
        return self.sky(self._corner / 2)

    def nearest(self, point: Floats) -> Floats:
        """Return the pixel of the chip nearest to a point."""
        pixel = np.linalg.solve(self.chip.cd, point - self._offset) + self.chip.crpix - 1
        return np.asarray(np.clip(pixel, 0.0, self._corner))


def aim_pixel(
    template: Template, kept: Sequence[Window], wanted: tuple[int, float, float] | None
) -> tuple[ChipTemplate, float, float]:
    """Return the chip and pixel that a target is put on.

    Parameters
    ----------
    template : Template
        The detector's chips.
    kept : sequence of Window
        The part of each that is kept.
    wanted : (chip number, x, y) or None
        Zero-based pixel of the full chip; None for the template's own place where that is
        kept, and otherwise the middle of the first chip's part.

    Returns
    -------
    chip : ChipTemplate
        The chip.
    x, y : float
        Zero-based pixel of the full chip.

    Raises
    ------
    InputError
        If there is no such chip.
    """
    if wanted is not None:
        for chip in template.chips:
            if chip.number == wanted[0]:
                return chip, wanted[1], wanted[2]
        known = ", ".join(str(chip.number) for chip in template.chips)
        raise InputError(f"there is no chip {wanted[0]} to aim at", hint=f"Chips are {known}")
    for chip, window in zip(template.chips, kept, strict=True):
        frame = ChipFrame(chip.number, chip.extver, window, chip.header, chip.tables)
        found, x, y = frame.pixels(
            np.array([template.reference[0]]), np.array([template.reference[1]]), 0.0
        )
        if found.size and _well_inside(float(x[0]), float(y[0]), chip, window):
            return chip, float(x[0]), float(y[0])
    first, window = template.chips[0], kept[0]
    return first, window.x0 + (window.columns - 1) / 2, window.y0 + (window.rows - 1) / 2


def _well_inside(x: float, y: float, chip: ChipTemplate, window: Window) -> bool:
    edge_x, edge_y = 0.1 * window.columns, 0.1 * window.rows
    full = window.columns == chip.columns and window.rows == chip.rows
    if full:
        return True
    across = window.x0 + edge_x <= x <= window.x0 + window.columns - edge_x
    return across and window.y0 + edge_y <= y <= window.y0 + window.rows - edge_y


def place(
    template: Template,
    target: tuple[float, float],
    pa_v3_deg: float,
    *,
    dither_arcsec: tuple[float, float] = (0.0, 0.0),
    size_pix: int | None = None,
    aim: tuple[int, float, float] | None = None,
    error: PointingError | None = None,
) -> Placed:
    """Point a detector at a target.

    Parameters
    ----------
    template : Template
        The detector's chips.
    target : (ra, dec)
        True position of the target, degrees.
    pa_v3_deg : float
        True position angle of the V3 axis at the target.
    dither_arcsec : (float, float)
        How far along the x and y axes of its chip the target is moved.
    size_pix : int or None
        Side of the part of each chip that is kept.
    aim : (chip number, x, y) or None
        Zero-based pixel of a full chip for the target, as :func:`aim_pixel` takes it.
    error : PointingError, optional
        By how much the headers are wrong.

    Returns
    -------
    Placed
        True and header WCS of each chip.
    """
    kept = windows(template, size_pix)
    chip, x, y = aim_pixel(template, kept, aim)
    full = Window(0, 0, chip.columns, chip.rows)
    wcs = ChipFrame(chip.number, chip.extver, full, chip.header, chip.tables).wcs
    # unit steps along the axes, in pixels: a dither is a few arcseconds
    steps = np.hypot(*chip.cd) * 3600
    aim_ra, aim_dec = wcs.all_pix2world(
        x + dither_arcsec[0] / steps[0], y + dither_arcsec[1] / steps[1], 0
    )
    turn = rotation((float(aim_ra), float(aim_dec)), target, pa_v3_deg - template.pa_v3_deg)
    wrong = error or PointingError()
    # an exact header must be the true one to the last digit
    mistake = (
        error_rotation(*target, wrong.east_arcsec, wrong.north_arcsec, wrong.roll_deg)
        if wrong != PointingError()
        else None
    )
    true, header = [], []
    for item, window in zip(template.chips, kept, strict=True):
        cards, tables = crop(item, window)
        right = turned(cards, turn)
        said = turned(right, mistake) if mistake is not None else right
        true.append(ChipFrame(item.number, item.extver, window, right, tables))
        header.append(ChipFrame(item.number, item.extver, window, said, tables))
    return Placed(tuple(true), tuple(header), (pa_v3_deg + wrong.roll_deg) % 360.0)
