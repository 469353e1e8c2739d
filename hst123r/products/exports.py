"""One table of all light curves, and one HDF5 file with everything.

Layout of the HDF5 file, version 1. Every column of a table is a dataset of its own, compressed,
with the attributes ``unit`` and ``description``; texts are UTF-8::

    /                              attributes: format, version, recipe
    /exposures/<column>            the exposure table
    /photometry/<name>/catalog/…   one group for each field, detector and filter
    /photometry/<name>/epochs/…
    /photometry/<name>/measurements/…
    /light_curves/<target>/…       attributes: position and separation of the source
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.photometry_tables import read_table

if TYPE_CHECKING:
    import h5py
    from astropy.table import Table

FORMAT: Final = "hst123r"
VERSION: Final = 1
COMPRESSION: Final = 4


def write_light_curves(path: Path, curves: Mapping[str, str]) -> None:
    """Write the light curves of all targets as one ECSV table.

    Parameters
    ----------
    path : Path
        New file.
    curves : mapping of str to str
        Path of each target's light curve.
    """
    from astropy.table import Column, vstack

    found = []
    for target, source in curves.items():
        table = tables.read(source)
        name = Column([target] * len(table), name="target", description="Target", dtype=str)
        table.add_column(name, index=0)
        table.meta = {}
        found.append(table)
    tables.write(vstack(found, metadata_conflicts="silent"), path)


def write_hdf5(
    path: Path,
    recipe: str,
    exposures: str,
    photometry: Mapping[str, Mapping[str, str]],
    curves: Mapping[str, str],
) -> None:
    """Write everything as one HDF5 file; see the layout above.

    Parameters
    ----------
    path : Path
        New file.
    recipe : str
        Name of the recipe.
    exposures : str
        Path of the exposure table.
    photometry : mapping of str to mapping of str to str
        For each field, detector and filter, path by role.
    curves : mapping of str to str
        Path of each target's light curve.
    """
    import h5py

    with h5py.File(path, "w", track_order=True) as store:
        store.attrs.update({"format": FORMAT, "version": VERSION, "recipe": recipe})
        _write(_group(store, "exposures"), tables.read(exposures))
        for name, files in photometry.items():
            for role, source in files.items():
                _write(_group(store, f"photometry/{name}/{role}"), read_table(source))
        for target, source in curves.items():
            _write(_group(store, f"light_curves/{target}"), tables.read(source))


def _group(store: h5py.File, name: str) -> h5py.Group:
    """Make a group that lists its columns in the order of the table."""
    return store.create_group(name, track_order=True)


def _write(group: h5py.Group, table: Table) -> None:
    import h5py
    import numpy as np

    for key, value in table.meta.items():
        if isinstance(value, (str, int, float, bool)):
            group.attrs[key] = value
    for name in table.colnames:
        column = table[name]
        data: Any = np.asarray(column)
        options: dict[str, Any] = {}
        if data.dtype.kind in "US":
            data, options["dtype"] = data.astype(object), h5py.string_dtype()
        elif data.dtype.kind == "O":
            options["dtype"] = h5py.vlen_dtype(np.dtype("f8"))
        if len(data):
            options |= {"compression": "gzip", "compression_opts": COMPRESSION}
        dataset = group.create_dataset(name, data=data, **options)
        dataset.attrs["unit"] = str(column.unit or "")
        dataset.attrs["description"] = column.description or ""
