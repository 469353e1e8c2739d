"""The columns of the exposure table: hst123's, and what it lacked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hst123r import instruments
from hst123r.products.tables import Column
from hst123r.records.dates import iso
from hst123r.records.exposure import Chip, Exposure, group_name

COLUMNS: Final = (
    Column("imagenumber", "Number of the exposure, in the order of time", dtype="int"),
    Column("image", "File name"),
    Column("root", "Root name"),
    Column("instrument", "Instrument, detector, and full frame or subarray"),
    Column("detector", "Detector"),
    Column("filter", "Filter"),
    Column("filter_class", "Class of the filter"),
    Column("exptime", "Exposure time", "s", "float", 3),
    Column("datetime", "Start of the exposure, UTC"),
    Column("mjd", "Middle of the exposure, modified Julian date, UTC", "d", "float", 6),
    Column("field", "Field: targets that share exposures, named after the first"),
    Column("epoch", "Number of the epoch of this field, detector and filter", dtype="int"),
    Column("epoch_name", "Day the epoch began, UTC"),
    Column("visit", "HST's own visit: proposal and visit"),
    Column("drizname", "Name of the stack of its field, detector, filter and epoch"),
    Column("chip", "Chip that holds the first target", dtype="int"),
    Column("chips", "Numbers of the chips in the file, in the order of EXTVER", dtype="object"),
    Column("zeropoint", "AB zeropoint of the chip that holds the first target", "mag", "float", 4),
    Column("zeropoints_ab", "AB zeropoints of the chips", "mag", "object"),
    Column("zeropoints_st", "ST zeropoints of the chips", "mag", "object"),
    Column("targets", "Targets that fall on a chip"),
    Column("pa_v3", "Position angle of the telescope's V3 axis", "deg", "float", 4),
    Column("pa_y", "Position angle of the y axis of the chip with the target", "deg", "float", 4),
    Column("proposal", "Proposal number"),
    Column("object", "TARGNAME of the header"),
    Column("aperture", "Aperture"),
    Column("wcsname", "Name of the WCS the file came with"),
)


def row(exposure: Exposure, number: int, epoch: int, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a row of the exposure table.

    Parameters
    ----------
    exposure : Exposure
        The exposure.
    number : int
        Its number in the order of time.
    epoch : int
        Number of its epoch.
    labels : mapping of str to str
        Its ``field``, ``visit`` and ``epoch``.

    Returns
    -------
    dict
        Values by the names of :data:`COLUMNS`.
    """
    chip = _chip_of_target(exposure)
    slug = instruments.get(exposure.detector).slug
    return {
        "imagenumber": number,
        "image": exposure.image,
        "root": exposure.root,
        "instrument": f"{slug}_{'sub' if exposure.subarray else 'full'}",
        "detector": exposure.detector,
        "filter": exposure.filter,
        "filter_class": exposure.filter_class,
        "exptime": exposure.exposure_time_s,
        "datetime": iso(exposure.start_mjd),
        "mjd": exposure.middle_mjd,
        "field": labels["field"],
        "epoch": epoch,
        "epoch_name": labels["epoch"],
        "visit": labels["visit"],
        "drizname": group_name(labels["field"], slug, exposure.filter, labels["epoch"]),
        "chip": chip.number,
        "chips": [item.number for item in exposure.chips],
        "zeropoint": chip.zeropoint_ab,
        "zeropoints_ab": [_or_nan(item.zeropoint_ab) for item in exposure.chips],
        "zeropoints_st": [_or_nan(item.zeropoint_st) for item in exposure.chips],
        "targets": " ".join(exposure.targets),
        "pa_v3": exposure.pa_v3_deg,
        "pa_y": chip.position_angle_deg,
        "proposal": exposure.proposal,
        "object": exposure.object_name,
        "aperture": exposure.aperture,
        "wcsname": exposure.wcs_name,
    }


def _chip_of_target(exposure: Exposure) -> Chip:
    return next((chip for chip in exposure.chips if chip.targets), exposure.chips[0])


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
