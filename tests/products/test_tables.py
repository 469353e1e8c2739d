"""Tables as ECSV."""

import numpy as np
import pytest

from hst123r.products.tables import Column, build, from_arrays, read, write

COLUMNS = (
    Column("name", "A name"),
    Column("number", "A number", dtype="int"),
    Column("flux", "A flux", "nJy", "float", 2),
    Column("chips", "A list", dtype="object"),
)


def test_units_descriptions_meta_and_values_survive(tmp_path):
    rows = [
        {"name": "a, with comma", "number": 3, "flux": 1.23456, "chips": [1, 2]},
        {"name": "", "number": -1, "flux": None, "chips": [1.5]},
        {"name": None, "number": 0, "flux": 0.0, "chips": []},
    ]
    path = tmp_path / "table.ecsv"
    write(build(COLUMNS, rows, {"target": "SN", "list": ["x"]}), path)
    found = read(path)
    assert found.meta == {"target": "SN", "list": ["x"]}
    assert list(found["name"]) == ["a, with comma", "", ""]
    assert found["number"].tolist() == [3, -1, 0]
    assert found["flux"][0] == 1.23
    assert np.isnan(found["flux"][1])
    assert found["flux"][2] == 0.0
    assert str(found["flux"].unit) == "nJy"
    assert found["flux"].description == "A flux"
    assert [np.asarray(value).tolist() for value in found["chips"]] == [[1.0, 2.0], [1.5], []]


def test_a_whole_number_that_is_missing_is_a_mistake(tmp_path):
    with pytest.raises(TypeError):
        build(COLUMNS, [{"name": "a", "number": None, "flux": 1.0, "chips": []}], {})


def test_no_rows_make_a_table_that_can_be_read(tmp_path):
    path = tmp_path / "table.ecsv"
    write(build(COLUMNS[:3], [], {}), path)
    found = read(path)
    assert found.colnames == ["name", "number", "flux"]
    assert len(found) == 0


def test_the_same_rows_are_the_same_bytes(tmp_path):
    rows = [{"name": "a", "number": 3, "flux": 1.0, "chips": [1]}]
    for name in ("one", "two"):
        write(build(COLUMNS, rows, {"b": 1, "a": 2}), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_arrays_are_rounded_and_typed_like_rows():
    given = {"name": ["a"], "number": [2.0], "flux": np.array([0.005])}
    table = from_arrays(COLUMNS[:3], given, {})
    assert table["number"].dtype.kind == "i"
    assert table["flux"][0] in {0.0, 0.01}
    with pytest.raises(KeyError):
        from_arrays(COLUMNS, given, {})
