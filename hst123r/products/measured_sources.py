"""The sources that were measured in a field, from its catalogues: whoever found them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hst123r.products import tables

if TYPE_CHECKING:
    from astropy.table import Table


def measured_sources(catalogues: Sequence[str]) -> Table:
    """Return the sources of some catalogues of a field, each once.

    Parameters
    ----------
    catalogues : sequence of str
        Paths of the tables of each detector and filter; a source has one number in all of them.

    Returns
    -------
    astropy.table.Table
        ``source``, ``ra`` and ``dec`` (degrees; the mean of the filters by their errors, where
        they have errors), ``snr`` (the largest of the filters) and ``target`` (empty for what was
        found), sorted by number.

    Raises
    ------
    StageError
        If a table lacks a column.
    """
    import numpy as np
    from astropy.table import Table

    needs = ("source", "ra", "dec", "pos_err", "snr", "target")
    read = [tables.read(path, needs) for path in catalogues]

    def column(name: str) -> Any:
        parts: list[Any] = [
            np.ma.filled(np.ma.asarray(table[name], float), np.nan) for table in read
        ]
        return np.concatenate([np.empty(0), *parts])

    every = column("source").astype(np.int64)
    source, first, row = np.unique(every, return_index=True, return_inverse=True)
    error = column("pos_err")
    with np.errstate(divide="ignore"):
        weight = np.where(error > 0, error**-2.0, 0.0)
    # whoever finds sources in all filters together says no error, and has one position
    weight = np.where((np.bincount(row, weight) > 0)[row], weight, 1.0)
    total = np.bincount(row, weight)
    ra, dec = column("ra"), column("dec")
    # differences, since right ascension may jump between the filters
    east = (ra - ra[first][row] + 180) % 360 - 180
    north = dec - dec[first][row]
    snr = np.full(source.size, -np.inf)
    np.maximum.at(snr, row, np.nan_to_num(column("snr"), nan=-np.inf))
    names = [str(name) for table in read for name in table["target"]]
    return Table(
        {
            "source": source,
            "ra": (ra[first] + np.bincount(row, weight * east) / total) % 360,
            "dec": dec[first] + np.bincount(row, weight * north) / total,
            "snr": snr,
            "target": np.array([*names, ""])[first] if source.size else np.empty(0, "U1"),
        }
    )
