"""The stars that an alignment was judged by, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from hst123r.sources.alignment import Residual

COLUMNS: Final = (
    Column("exposure", "Root name of the exposure"),
    Column("star", "Row of the star in the exposure's list", dtype="int"),
    Column("reference", "Number of the star in the reference catalogue", dtype="int"),
    Column("d_east", "Reference less exposure, towards east", "mas", "float", 3),
    Column("d_north", "Reference less exposure, towards north", "mas", "float", 3),
)


def write_matches(found: Mapping[str, Residual], path: Path, meta: Mapping[str, Any]) -> None:
    """Write the matched stars of some exposures.

    Parameters
    ----------
    found : mapping of str to Residual
        By root name.
    path : Path
        New ECSV file.
    meta : mapping
        What the table is about.
    """
    rows = [
        {"exposure": root, "star": star, "reference": number + 1, "d_east": east, "d_north": north}
        for root, residual in found.items()
        for star, number, east, north in zip(
            residual.star.tolist(),
            residual.reference.tolist(),
            residual.east_mas.tolist(),
            residual.north_mas.tolist(),
            strict=True,
        )
    ]
    tables.write(tables.build(COLUMNS, rows, meta), path)
