"""What DOLPHOT measured in the tables of the built-in engine, with what it alone knows added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import photometry_tables, tables
from hst123r.products.photometry_tables import CATALOGUE, MEASUREMENTS
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from astropy.table import Table

    from hst123r.products.dolphot.catalogue import Catalogue
    from hst123r.products.dolphot.measurements import Converted
    from hst123r.sources.measured import Means

OBJECTS: Final = (
    Column("object_type", "DOLPHOT: 1 bright star, 2 faint star, 3 elongated, 4 too sharp, 5 "
           "extended", dtype="int"),
    Column("sharpness", "DOLPHOT's, of all images: 0 for a star, above for a cosmic ray, below for "
           "what is extended", "", "float", 3),
    Column("roundness", "DOLPHOT's, of all images: 0 for a star", "", "float", 3),
    Column("dolphot_chi", "DOLPHOT's chi of the fit to all images", "", "float", 2),
    Column("dolphot_snr", "DOLPHOT's signal-to-noise in all images", "", "float", 1),
    Column("dolphot_crowding", "Brightening in all images if neighbours were not fitted", "mag",
           "float", 3),
    Column("dolphot_x", "DOLPHOT's column on the reference, 0.5 at the middle of the first pixel",
           "pix", "float", 2),
    Column("dolphot_y", "DOLPHOT's row, likewise", "pix", "float", 2),
    Column("dolphot_flags", "Sum of DOLPHOT's flags in the exposures used: 1 edge of the chip, 2 "
           "bad pixels, 4 saturated, 8 hopeless, 16 not found", dtype="int"),
)  # fmt: skip
"""Columns of the catalogue beside those of the built-in engine."""
SINGLE: Final = (
    Column("sharpness", "DOLPHOT's sharpness", "", "float32"),
    Column("roundness", "DOLPHOT's roundness", "", "float32"),
    Column("dolphot_flags", "DOLPHOT's photometry quality flag", dtype="int32"),
)
"""Columns of the measurements beside those of the built-in engine."""


def sources_of(
    catalogue: Catalogue,
    ra: Any,
    dec: Any,
    numbers: Sequence[int] | None = None,
    targets: Sequence[str] | None = None,
) -> Table:
    """Return the sources of a catalogue as a table, numbered from 1 in its order.

    Parameters
    ----------
    catalogue : Catalogue
        The catalogue.
    ra, dec : (n,) ndarray of float64
        Positions in degrees.
    numbers : sequence of int, optional
        Numbers of the sources, where they have some already.
    targets : sequence of str, optional
        Names of targets that are measured although nothing was found, empty for sources.

    Returns
    -------
    astropy.table.Table
        With ``source``, ``ra``, ``dec`` and ``target``.
    """
    import numpy as np
    from astropy.table import Table

    count = len(catalogue)
    return Table(
        {
            "source": np.arange(1, count + 1) if numbers is None else np.asarray(numbers),
            "ra": np.asarray(ra), "dec": np.asarray(dec),
            "target": np.full(count, "") if targets is None else np.asarray(targets, dtype=str),
        }
    )  # fmt: skip


def write_catalogue(
    path: Path,
    catalogue: Catalogue,
    sources: Table,
    converted: Converted,
    rows: Sequence[int],
    means: Means,
    meta: Mapping[str, Any],
    systematic_mag: Any,
) -> None:
    """Write the catalogue of one filter.

    Parameters
    ----------
    path : Path
        New ECSV file.
    catalogue : Catalogue
        What DOLPHOT wrote.
    sources : Table
        As by :func:`sources_of`.
    converted : Converted
        Its measurements.
    rows : sequence of int
        Numbers of the exposures in this filter.
    means : Means
        Their means.
    meta : mapping
        What the table is about.
    systematic_mag : (n,) ndarray of float64
        Standard error that the magnitudes of each source share; NaN where it is not known.
    """
    import numpy as np

    found = converted.found.of(rows)
    objects = catalogue.objects
    flags = np.where(found.chosen(np.arange(len(rows))), converted.flags[list(rows)], 0)
    arrays = {
        "source": sources["source"],
        "ra": sources["ra"],
        "dec": sources["dec"],
        # DOLPHOT does not say how well it knows a place
        "pos_err": np.full(len(catalogue), np.nan),
        "target": sources["target"],
        **photometry_tables.measured_arrays(found, means, systematic_mag),
        "object_type": objects["type"],
        "sharpness": objects["sharpness"],
        "roundness": objects["roundness"],
        "dolphot_chi": objects["chi"],
        "dolphot_snr": objects["snr"],
        "dolphot_crowding": objects["crowding"],
        "dolphot_x": objects["x"],
        "dolphot_y": objects["y"],
        "dolphot_flags": np.bitwise_or.reduce(flags, axis=0),
    }
    tables.write(tables.from_arrays((*CATALOGUE, *OBJECTS), arrays, meta), path)


def write_measurements(
    path: Path, sources: Table, exposures: Sequence[str], mjd: Any, times: Any, converted: Converted
) -> None:
    """Write every measurement as a FITS table; those without a flux are left out.

    Parameters
    ----------
    path : Path
        New FITS file.
    sources : Table
        As by :func:`sources_of`.
    exposures : sequence of str
        Root names.
    mjd, times : (exposures,) ndarray of float64
        Middle and length of the exposures.
    converted : Converted
        The measurements.
    """
    more = {
        "sharpness": converted.sharpness,
        "roundness": converted.roundness,
        "dolphot_flags": converted.flags,
    }
    arrays = photometry_tables.single_arrays(
        sources["source"], exposures, mjd, times, converted.found, more
    )
    photometry_tables.write_fits((*MEASUREMENTS, *SINGLE), arrays, path)
