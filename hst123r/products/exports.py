"""What people publish: one table of all light curves, and one HDF5 file with everything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.catalog_file import write_file
from hst123r.products.light_curve import COLUMNS
from hst123r.products.photometry_tables import read_table
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from astropy.table import Table

ALIGNMENT: Final = (
    Column("visit", "Job of the alignment: field, visit and detector"),
    Column("exposure", "Root name"),
    Column("stars", "Stars of the exposure", dtype="int"),
    Column("matches", "Matched stars that survived clipping", dtype="int"),
    Column("rms_east_mas", "Residual rms to the east", "mas", "float", 3),
    Column("rms_north_mas", "Residual rms to the north", "mas", "float", 3),
    Column("offset_mas", "Mean residual", "mas", "float", 3),
    Column("solution_error_mas", "Standard error of the solution", "mas", "float", 3),
    Column("why_not", "Why it was not aligned, empty where it was"),
)
PSF: Final = (
    Column("group", "Field, detector and filter"),
    Column("exposure", "Root name"),
    Column("extver", "Chip, by EXTVER", dtype="int"),
    Column("sources", "Sources that were measured", dtype="int"),
    Column("bright", "Those above S/N 20 that take part in means", dtype="int"),
    Column("chi", "Median quality of fit of the bright ones, about 1 if the PSF fits", "", "float",
           3),
    Column("sky", "Median sky under sources", "electron / pix", "float", 3),
)  # fmt: skip
PARAMETERS: Final = (
    Column("stage", "Stage, by its name in the recipe"),
    Column("name", "Parameter"),
    Column("value", "Its value, as JSON"),
)
PROVENANCE: Final = (
    Column("group", "Field, detector and filter"),
    Column("role", "What the file holds"),
    Column("file", "Its name"),
    Column("run", "Run that made it"),
    Column("job", "Job and attempt"),
    Column("key", "Digest of the key of the job"),
    Column("recipe", "Digest of the recipe"),
)
TARGET: Final = Column("target", "Target")
STAMPS: Final = {"run": "H123RUN", "job": "H123JOB", "key": "H123KEY", "recipe": "H123RCP"}
BRIGHT_SNR: Final = 20.0


def write_light_curves(path: Path, curves: Mapping[str, str]) -> None:
    """Write the light curves of all targets as one ECSV table.

    Parameters
    ----------
    path : Path
        New file.
    curves : mapping of str to str
        Path of each target's light curve; without any the table has its columns and no rows.
    """
    from astropy.table import Column as TableColumn
    from astropy.table import vstack

    if not curves:
        tables.write(tables.build((TARGET, *COLUMNS), [], {}), path)
        return
    found = []
    for target, source in curves.items():
        table = tables.read(source)
        names = [target] * len(table)
        name = TableColumn(names, name=TARGET.name, description=TARGET.description, dtype=str)
        table.add_column(name, index=0)
        table.meta = {}
        found.append(table)
    tables.write(vstack(found, metadata_conflicts="silent"), path)


def write_hdf5(
    path: Path,
    about: Mapping[str, Any],
    exposures: str,
    photometry: Mapping[str, Mapping[str, str]],
    curves: Mapping[str, str],
    alignment: Mapping[str, Mapping[str, Mapping[str, Any]]],
    parameters: Sequence[Mapping[str, Any]],
) -> None:
    """Write everything as one HDF5 file; see `products.catalog_file` for the layout.

    Parameters
    ----------
    path : Path
        New file.
    about : mapping
        Name of the recipe, versions of software.
    exposures : str
        Path of the exposure table.
    photometry : mapping of str to mapping of str to str
        For each field, detector and filter, path by role.
    curves : mapping of str to str
        Path of each target's light curve.
    alignment : mapping of str to mapping of str to mapping
        For each visit what was found for each exposure.
    parameters : sequence of mapping
        ``stage``, ``name`` and ``value``.
    """
    contents: dict[str, Table] = {"exposures": tables.read(exposures)}
    psf, stamps = [], []
    for name, files in photometry.items():
        # a group is made by one job, and a table of text carries no stamps of its own
        known = _stamps(list(files.values()))
        for role, source in files.items():
            table = read_table(source)
            contents[f"photometry/{name}/{role}"] = table
            stamps.append({"group": name, "role": role, "file": Path(source).name,
                           **known})  # fmt: skip
            if role == "measurements":
                psf += _psf(name, table)
    for target, source in curves.items():
        contents[f"light_curves/{target}"] = tables.read(source)
    aligned = [
        {"visit": visit, "exposure": root, **found}
        for visit, listed in alignment.items()
        for root, found in listed.items()
    ]
    values = [
        {**item, "value": json.dumps(item["value"], sort_keys=True, ensure_ascii=False)}
        for item in parameters
    ]
    contents["alignment"] = tables.build(ALIGNMENT, aligned, {})
    contents["psf"] = tables.build(PSF, psf, {})
    contents["parameters"] = tables.build(PARAMETERS, values, {})
    contents["provenance"] = tables.build(PROVENANCE, stamps, {})
    write_file(path, about, contents)


def _psf(group: str, table: Table) -> list[dict[str, Any]]:
    """Return how well the PSF fits in every chip of every exposure."""
    import numpy as np

    found = []
    roots = np.array([str(name).strip() for name in table["exposure"]])
    chips = np.asarray(table["extver"], np.int64)
    for root, chip in sorted(set(zip(roots.tolist(), chips.tolist(), strict=True))):
        mine = table[(roots == root) & (chips == chip)]
        bright = np.asarray(mine["used"], bool) & (
            np.asarray(mine["rate"]) > BRIGHT_SNR * np.asarray(mine["rate_err"])
        )
        found.append(
            {
                "group": group,
                "exposure": root,
                "extver": chip,
                "sources": len(mine),
                "bright": int(np.count_nonzero(bright)),
                "chi": _median(np.asarray(mine["chi"], float)[bright]),
                "sky": _median(np.asarray(mine["sky"], float)),
            }
        )
    return found


def _median(values: Any) -> float | None:
    import numpy as np

    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None


def _stamps(paths: Sequence[str]) -> dict[str, str]:
    """Return the stamps of the first FITS file, nothing where there is none."""
    from astropy.io import fits

    for path in paths:
        if path.endswith(".fits"):
            header = fits.getheader(path)
            return {name: str(header.get(keyword, "")) for name, keyword in STAMPS.items()}
    return {}
