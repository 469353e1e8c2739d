"""Tables in one HDF5 file."""

import json

import h5py
import numpy as np
from astropy.table import Column, Table

from hst123r.products.catalog_file import open_file, write_file


def test_lists_texts_units_and_meta_survive(tmp_path):
    lists = np.empty(2, dtype=object)
    lists[:] = [np.array([1.5, np.nan]), np.array([2.0])]
    table = Table({"name": ["é", "longer"], "flux": [1.0, np.nan]}, meta={"a": 1, "b": [1, 2]})
    table["flux"].unit, table["flux"].description = "nJy", "a flux"
    table["lists"] = Column(lists, unit="mag")
    table["empty"] = ["", ""]
    write_file(tmp_path / "x.h5", {"recipe": "r", "software": {"x": "1"}}, {"a/b": table})
    found = open_file(tmp_path / "x.h5")["a/b"]
    assert found["name"].tolist() == ["é", "longer"]
    assert str(found["flux"].unit) == "nJy"
    assert [json.loads(text) for text in found["lists"]] == [[1.5, None], [2.0]]
    assert str(found["lists"].unit) == "mag"
    assert found["empty"].tolist() == ["", ""]
    assert (found.meta["a"], found.meta["b"]) == (1, [1, 2])
    with h5py.File(tmp_path / "x.h5") as store:
        assert json.loads(store.attrs["software"]) == {"x": "1"}
        assert store["a/b"].attrs["a"] == 1


def test_the_same_tables_make_the_same_bytes(tmp_path):
    table = Table({"flux": np.arange(50.0)})
    for name in ("a.h5", "b.h5"):
        write_file(tmp_path / name, {"recipe": "r"}, {"x": table, "y/z": table})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
