"""One HDF5 file with everything: its layout, how it is written, and how it is read.

Layout, version 2. Every table is one compressed dataset of records, as astropy writes them, so that
`astropy.table.Table.read(file, path=...)` gives units, descriptions and meta back, h5py and
PyTables read it as a table, and `pandas.DataFrame(dataset[:])` makes a frame of it. Beside each
stands ``NAME.__table_column_meta__``, which is astropy's. Texts are UTF-8 of fixed length; lists of
numbers are JSON. Attributes of a dataset are ``units`` and ``descriptions``, JSON objects by
column, and the values of the table's meta::

    /                              attributes: format, version, recipe, software (JSON)
    /exposures                     the exposure table
    /photometry/<group>/catalog    a group for each field, detector and filter
    /photometry/<group>/epochs
    /photometry/<group>/measurements
    /photometry/<group>/artificial limits, where there were artificial stars
    /photometry/<group>/completeness, /artificial_stars    where DOLPHOT put them in
    /light_curves/<target>         attributes: position and separation of the source
    /alignment                     residuals of every exposure that was aligned
    /psf                           how well the PSF fits in every exposure
    /parameters                    every parameter of every stage up to the export
    /provenance                    run, job, key and recipe of every file of the photometry
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError

if TYPE_CHECKING:
    import h5py
    from astropy.table import Table

FORMAT: Final = "hst123r"
VERSION: Final = 2
META: Final = ".__table_column_meta__"
"""End of the name of what astropy keeps beside a table."""


def write_file(path: Path, about: Mapping[str, Any], contents: Mapping[str, Table]) -> None:
    """Write tables as one HDF5 file.

    Parameters
    ----------
    path : Path
        New file.
    about : mapping
        Attributes of the file; what is not plain becomes JSON.
    contents : mapping of str to Table
        By their path in the file.
    """
    import h5py

    with h5py.File(path, "w", track_order=True) as store:
        store.attrs.update({"format": FORMAT, "version": VERSION})
        _attributes(store, about)
        for name, table in contents.items():
            _write(store, name, table)


def open_file(path: str | Path, names: Sequence[str] | None = None) -> dict[str, Table]:
    """Read the tables of a file that the stage `export` wrote.

    Parameters
    ----------
    path : str or Path
        The file, ``.h5``.
    names : sequence of str, optional
        Paths of the tables wanted, such as ``light_curves/SN``; all of them by default.

    Returns
    -------
    dict of str to astropy.table.Table
        Tables with units, descriptions and meta by their path in the file.

    Raises
    ------
    InputError
        If the file is not there, is no such file, is of a newer layout, or lacks a table.
    """
    import h5py

    place = str(path)
    if not Path(path).is_file():
        raise InputError("there is no such file", where=place, hint="The stage `export` writes it")
    try:
        store = h5py.File(path, "r")
    except OSError as error:
        raise InputError(f"this is no HDF5 file: {error}", where=place) from error
    with store:
        if store.attrs.get("format") != FORMAT:
            raise InputError("this is no file of the stage `export`", where=place)
        version = int(store.attrs["version"])
        if version != VERSION:
            raise InputError(
                f"the layout is of version {version}, not {VERSION}", where=place,
                hint="Run `export` again, or use the version of hst123r that wrote it",
            )  # fmt: skip
        known: list[str] = []
        store.visititems(
            lambda name, item: (
                known.append(name)
                if isinstance(item, h5py.Dataset) and not name.endswith(META)
                else None
            )
        )
        wanted = known if names is None else list(names)
        for name in wanted:
            if name not in known:
                raise InputError(
                    f"there is no table {name!r}", where=place, hint=f"There are {', '.join(known)}"
                )
        return {name: _read(store, name) for name in wanted}


def _read(store: h5py.File, name: str) -> Table:
    from astropy.table import Table

    return Table.read(store, path=name, format="hdf5", character_as_bytes=False)


def _write(store: h5py.File, name: str, table: Table) -> None:
    import numpy as np
    from astropy.table import Column

    plain = table.copy()
    for column in table.colnames:
        data = np.asarray(table[column])
        if data.dtype.kind == "O":
            texts = [json.dumps([_number(v) for v in np.atleast_1d(item)]) for item in data]
            plain[column] = Column(
                np.asarray(texts, dtype=str), unit=table[column].unit,
                description=table[column].description,
            )  # fmt: skip
        elif data.dtype.kind == "U" and data.dtype.itemsize == 0:
            # HDF5 has no texts of no length
            plain[column] = Column(data.astype("U1"), description=table[column].description)
    group, _, last = name.rpartition("/")
    parent = store.require_group(group) if group else store
    plain.write(parent, path=last, format="hdf5", serialize_meta=True, compression=True)
    dataset = parent[last]
    dataset.attrs["units"] = json.dumps({n: str(table[n].unit or "") for n in table.colnames})
    told = {n: table[n].description or "" for n in table.colnames}
    # an attribute of more than 64 kB does not fit; those of our tables have three
    dataset.attrs["descriptions"] = json.dumps(told, ensure_ascii=False)
    _attributes(dataset, table.meta)


def _attributes(item: h5py.Group | h5py.Dataset, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        plain = isinstance(value, (str, int, float, bool))
        item.attrs[name] = value if plain else json.dumps(value, sort_keys=True, default=str)


def _number(value: Any) -> float | int | None:
    import math

    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number
