"""The stars that an alignment was judged by, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from hst123r.sources.alignment import ReferenceStars, Residual

COLUMNS: Final = (
    Column("exposure", "Root name of the exposure"),
    Column("star", "Row of the star in the exposure's list", dtype="int"),
    Column("reference", "Number of the star in the reference catalogue", dtype="int"),
    Column("d_east", "Reference less exposure, towards east", "mas", "float", 3),
    Column("d_north", "Reference less exposure, towards north", "mas", "float", 3),
)

RADIUS_ARCSEC: Final = 0.3
"""Of the circles around matched stars."""


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


def write_regions(found: Mapping[str, Residual], reference: ReferenceStars, path: Path) -> None:
    """Write the catalogue stars that were matched as DS9 regions, with their exposures as text.

    Parameters
    ----------
    found : mapping of str to Residual
        By root name.
    reference : ReferenceStars
        The catalogue.
    path : Path
        New region file.
    """
    roots: dict[int, list[str]] = {}
    for root, residual in found.items():
        for number in residual.reference.tolist():
            roots.setdefault(number, []).append(root)
    lines = ["# Region file format: DS9", "global color=green", "icrs"]
    lines += [
        f"circle({reference.ra_deg[number]:.8f},{reference.dec_deg[number]:.8f},"
        f'{RADIUS_ARCSEC}") # text={{{number + 1}: {" ".join(seen)}}}'
        for number, seen in sorted(roots.items())
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
