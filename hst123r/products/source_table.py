"""The list of sources to be measured, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from astropy.table import Table

    from hst123r.sources.stacked import Sources

TARGET_ERROR_ARCSEC: Final = 0.001
"""A target where nothing was found is measured where the recipe puts it."""
COLUMNS: Final = (
    Column("source", "Number of the source", dtype="int"),
    Column("ra", "Right ascension, ICRS, in the frame of the reference", "deg", "float", 9),
    Column("dec", "Declination, likewise", "deg", "float", 9),
    Column("pos_err", "Standard error of the position along each axis", "mas", "float", 3),
    Column("snr", "Height over the noise in the stack; 0 for a target where none was found", "",
           "float", 2),
    Column("sharpness", "DAOFIND's sharpness", "", "float", 3),
    Column("roundness", "DAOFIND's roundness", "", "float", 3),
    Column("stack", "Stack in which it was found"),
    Column("target", "Name of the target that is measured here although nothing was found"),
)  # fmt: skip


def write_sources(
    sources: Sources,
    stacks: Sequence[str],
    unseen: Mapping[str, tuple[float, float]],
    path: Path,
    meta: Mapping[str, Any],
) -> int:
    """Write the sources of a field, and its targets where nothing was found.

    Parameters
    ----------
    sources : Sources
        What was found.
    stacks : sequence of str
        Names of the images searched.
    unseen : mapping of str to (float, float)
        Position of targets without a detection.
    path : Path
        New ECSV file.
    meta : mapping
        What the table is about.

    Returns
    -------
    int
        Number of rows.
    """
    rows = [
        {
            "source": index + 1,
            "ra": float(sources.ra_deg[index]),
            "dec": float(sources.dec_deg[index]),
            "pos_err": float(sources.error_arcsec[index]) * 1000,
            "snr": float(sources.snr[index]),
            "sharpness": float(sources.sharpness[index]),
            "roundness": float(sources.roundness[index]),
            "stack": stacks[int(sources.image[index])],
            "target": "",
        }
        for index in range(sources.count)
    ]
    for name, (ra, dec) in unseen.items():
        rows.append(
            {
                "source": len(rows) + 1,
                "ra": ra,
                "dec": dec,
                "pos_err": TARGET_ERROR_ARCSEC * 1000,
                "snr": 0.0,
                "sharpness": None,
                "roundness": None,
                "stack": "",
                "target": name,
            }
        )
    tables.write(tables.build(COLUMNS, rows, meta), path)
    return len(rows)


def read_sources(path: str | Path) -> Table:
    """Read a table of sources."""
    return tables.read(path)
