"""The reference catalogue as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from hst123r.algorithms.merge import Catalogue
    from hst123r.sources.alignment import ReferenceStars
    from hst123r.sources.apart import GroupFrame

COLUMNS: Final = (
    Column("star", "Number of the star, the brightest first", dtype="int"),
    Column("ra", "Right ascension, ICRS, in the frame that the meta name", "deg", "float", 9),
    Column("dec", "Declination, likewise", "deg", "float", 9),
    Column(
        "pos_err",
        "Standard error of the position along each axis, among the stars of the visit that has it",
        "mas",
        "float",
        3,
    ),
    Column(
        "frame_err",
        "Standard error against the reference that it shares with all stars of that visit, if "
        "this was added, or with its group, if both are on an absolute catalogue",
        "mas",
        "float",
        3,
    ),
    Column("links", "Fits of visits between it and the reference", dtype="int"),
    Column(
        "group",
        "0 on the frame of the reference; others are of groups that do not overlap it, each on "
        "the frame that the meta says",
        dtype="int",
    ),
    Column("rate", "Count rate in an infinite aperture", "electron / s", "float", 5),
    Column("rate_err", "Its standard error", "electron / s", "float", 5),
    Column("detections", "Exposures in which the star was found", dtype="int"),
    Column("covering", "Exposures that cover it", dtype="int"),
)
MOTIONS: Final = (
    Column("pmra", "Proper motion to the east, with its cos(dec)", "mas / yr", "float", 4),
    Column("pmdec", "Proper motion to the north", "mas / yr", "float", 4),
    Column("pm_err", "Standard error along each axis", "mas / yr", "float", 4),
    Column("ref_epoch", "Julian year of the measured position", "yr", "float", 4),
)
"""Of a catalogue of the user's that has an epoch, and where visits were added by their motions."""

CHOICE: Final = (
    Column("detector", "Detector of the group"),
    Column("filter", "Filter of the group"),
    Column("visit", "Proposal and visit of the group"),
    Column("exposures", "Number of exposures", dtype="int"),
    Column("exposure_time_s", "Sum of the exposure times", "s", "float", 3),
    Column("score", "Sum of what follows; the highest is chosen", "mag", "float", 3),
    Column("depth_mag", "Zeropoint plus 1.25 log10 of the time", "mag", "float", 3),
    Column("sharpness_mag", "-2.5 log10 of the pixel scale over 50 mas", "mag", "float", 3),
    Column("psf_mag", "-2.5 log10 of the diffraction width over 50 mas", "mag", "float", 3),
    Column("overlap_mag", "Malus for exposures of the field that it does not overlap",
           "mag", "float", 3),
    Column("target_mag", "Malus for exposures without the target", "mag", "float", 3),
    Column("epoch_mag", "Malus for years from the middle of the field's exposures",
           "mag", "float", 3),
    Column("single_mag", "Malus for one exposure alone, which shows cosmic rays as stars",
           "mag", "float", 3),
    Column("avoided", "Whether the recipe avoids the detector; then it comes last", dtype="bool"),
)  # fmt: skip


def write_choice(scores: Sequence[Mapping[str, Any]], path: Path, meta: Mapping[str, Any]) -> None:
    """Write the groups that could be the reference, the chosen one first.

    Parameters
    ----------
    scores : sequence of mapping
        As :meth:`~hst123r.sources.reference_choice.Score.as_json` gives them, the best first.
    path : Path
        New ECSV file.
    meta : mapping
        What the table is about.
    """
    tables.write(tables.build(CHOICE, scores, meta), path)


def write_reference(catalogue: Catalogue, path: Path, meta: Mapping[str, Any]) -> None:
    """Write a reference catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        Merged stars of the reference visit.
    path : Path
        New ECSV file.
    meta : mapping
        What the table is about; ``mjd`` is the time of the positions.
    """
    nothing = [0] * catalogue.ra_deg.size
    error, links, group = catalogue.frame_error_arcsec, catalogue.links, catalogue.group
    rows: list[dict[str, Any]] = [
        {
            "star": number,
            "ra": ra,
            "dec": dec,
            "pos_err": pos_err * 1000,
            "rate": rate,
            "rate_err": rate_error,
            "detections": detections,
            "covering": covering,
            "frame_err": frame_error * 1000,
            "links": count,
            "group": number_of_group,
        }
        for number, (
            ra,
            dec,
            pos_err,
            rate,
            rate_error,
            detections,
            covering,
            frame_error,
            count,
            number_of_group,
        ) in enumerate(
            zip(
                catalogue.ra_deg.tolist(),
                catalogue.dec_deg.tolist(),
                catalogue.position_error_arcsec.tolist(),
                catalogue.flux.tolist(),
                catalogue.flux_error.tolist(),
                catalogue.detections.tolist(),
                catalogue.covering.tolist(),
                nothing if error is None else error.tolist(),
                nothing if links is None else links.tolist(),
                nothing if group is None else group.tolist(),
                strict=True,
            ),
            1,
        )
    ]
    columns: tuple[Column, ...] = COLUMNS
    if catalogue.motions is not None:
        columns += MOTIONS
        moving = catalogue.motions
        for number, row in enumerate(rows):
            row["pmra"] = moving.east_mas_yr[number]
            row["pmdec"] = moving.north_mas_yr[number]
            row["pm_err"] = moving.error_mas_yr[number]
            row["ref_epoch"] = moving.epoch[number]
    tables.write(tables.build(columns, rows, meta), path)


def group_meta(frames: Sequence[GroupFrame]) -> dict[str, Any]:
    """Return what the meta of a catalogue says of groups beside the reference.

    Parameters
    ----------
    frames : sequence of GroupFrame
        Their frames.

    Returns
    -------
    dict
        ``groups``, a list of plain values; empty without groups.
    """
    return {"groups": [asdict(frame) for frame in frames]} if frames else {}


def read_reference(path: str | Path, mjd: float | None = None) -> ReferenceStars:
    """Read a reference catalogue.

    Parameters
    ----------
    path : str or Path
        The file.
    mjd : float, optional
        When the stars are wanted, modified Julian date; by default when the table has them. It
        makes a difference for a catalogue with motions.

    Returns
    -------
    ReferenceStars
        Positions, errors and fluxes.
    """
    import numpy as np

    from hst123r.algorithms.proper_motion import Motions, carried, julian_year
    from hst123r.sources.alignment import ReferenceStars
    from hst123r.sources.apart import GroupFrame

    table = tables.read(path)
    ra, dec, error = (np.array(table[name], float) for name in ("ra", "dec", "pos_err"))
    if mjd is not None and "ref_epoch" in table.colnames:
        motions = Motions(*(np.array(table[column.name], float) for column in MOTIONS))
        then = carried(
            ra, dec, error, motions, julian_year(float(table.meta["mjd"])), julian_year(mjd)
        )
        ra, dec, error = then.ra_deg, then.dec_deg, then.error_mas
    return ReferenceStars(
        ra,
        dec,
        error / 1000,
        np.array(table["rate"], float),
        float(table.meta.get("moved_arcsec", 0.0)),
        np.array(table["frame_err"], float) / 1000,
        np.array(table["links"], int),
        np.array(table["group"], int),
        tuple(GroupFrame(**given) for given in table.meta.get("groups", [])),
    )
