"""The files people publish hold what the tables hold."""

import h5py
import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.exports import write_hdf5, write_light_curves
from hst123r.products.photometry_tables import read_table
from hst123r.products.tables import Column, build


def same(dataset, column):
    """Whether a dataset holds a column, value by value."""
    data = dataset[()]
    if column.dtype.kind == "U":
        return [text.decode() for text in data] == [str(text) for text in column]
    if column.dtype.kind == "O":
        return all(np.array_equal(a, b) for a, b in zip(data, column, strict=True))
    return np.array_equal(data, np.asarray(column), equal_nan=data.dtype.kind == "f")


def test_everything_is_in_the_hdf5_file_with_its_unit(small):
    with h5py.File(small.path("export/all/small.h5")) as store:
        assert dict(store.attrs) == {"format": "hst123r", "version": 1, "recipe": "small"}
        groups = {"exposures": small.path("exposures/all/exposures.ecsv")}
        for path in small.folder.glob("products/photometry/*/*"):
            role = path.stem.rpartition("_")[2]
            groups[f"photometry/{path.parent.name}/{role}"] = path
        for path in small.folder.glob("products/scrape/*/*.ecsv"):
            groups[f"light_curves/{path.parent.name}"] = path
        assert len(groups) == 9
        for name, path in groups.items():
            table = read_table(path)
            assert list(store[name]) == table.colnames
            for column in table.colnames:
                assert same(store[name][column], table[column]), (name, column)
                assert store[name][column].attrs["unit"] == str(table[column].unit or "")
        assert store["light_curves/SN"].attrs["separation_arcsec"] < 0.01
        assert store["light_curves/SN/flux_njy"].attrs["description"] == "Flux, AB"


def test_light_curves_of_all_targets_are_one_table(small):
    table = small.table("export/all/small_light_curves.ecsv")
    assert table.colnames[0] == "target"
    names = [str(name) for name in table["target"]]
    assert (names.count("SN"), names.count("nothing")) == (14, 14)
    own = tables.read(small.path("scrape/SN/SN_light_curve.ecsv"))
    mine = table[np.array(names) == "SN"]
    assert np.array_equal(mine["flux_njy"], own["flux_njy"])
    assert str(table["flux_njy"].unit) == "nJy"


@pytest.fixture
def empty(tmp_path):
    """Write an exposure table and a light curve without rows."""
    columns = (Column("name", "A name"), Column("flux", "A flux", "nJy", "float"))
    paths = []
    for name in ("exposures", "curve"):
        paths.append(tmp_path / f"{name}.ecsv")
        tables.write(build(columns, [], {}), paths[-1])
    return [str(path) for path in paths]


def test_tables_without_rows_are_written_too(empty, tmp_path):
    exposures, curve = empty
    write_hdf5(tmp_path / "x.h5", "r", exposures, {}, {"SN": curve})
    with h5py.File(tmp_path / "x.h5") as store:
        assert store["exposures/flux"].shape == (0,)
        assert store["light_curves/SN/name"].attrs["description"] == "A name"
    write_light_curves(tmp_path / "x.ecsv", {"SN": curve})
    assert tables.read(tmp_path / "x.ecsv").colnames == ["target", "name", "flux"]
