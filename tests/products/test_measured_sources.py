"""The sources of a field from its catalogues."""

import numpy as np
import pytest
from astropy.table import Table

from hst123r.errors import StageError
from hst123r.products import tables
from hst123r.products.measured_sources import measured_sources


@pytest.fixture
def written(tmp_path):
    """Write catalogues with number, place, its error, S/N and target, and return their paths."""
    names = ("source", "ra", "dec", "pos_err", "snr", "target")

    def call(*catalogues):
        paths = []
        for number, rows in enumerate(catalogues):
            path = tmp_path / f"{len(catalogues)}_{number}.ecsv"
            tables.write(Table(rows=rows, names=names), path)
            paths.append(str(path))
        return paths

    return call


def test_each_source_is_there_once_at_the_mean_of_its_places(written):
    found = measured_sources(written(
        [(1, 10.0, 2.0, 1.0, 5.0, ""), (2, 11.0, 3.0, 1.0, 0.1, "SN")],
        [(1, 10.0004, 2.0, 2.0, 9.0, "")],
    ))  # fmt: skip
    assert list(found["source"]) == [1, 2]
    # weights 4 to 1
    assert found["ra"][0] == pytest.approx(10.00008, abs=1e-9)
    assert list(found["snr"]) == [9.0, 0.1]
    assert list(found["target"]) == ["", "SN"]


def test_a_place_without_an_error_counts_where_no_filter_has_one(written):
    rows = [(1, 10.0, 2.0, np.nan, np.nan, "")], [(1, 10.0, 2.002, np.nan, 3.0, "")]
    found = measured_sources(written(*rows))
    assert found["dec"][0] == pytest.approx(2.001)
    assert found["snr"][0] == 3.0
    known = measured_sources(written(*rows, [(1, 10.0, 2.004, 1.0, 3.0, "")]))
    assert known["dec"][0] == pytest.approx(2.004)


def test_right_ascension_may_jump(written):
    found = measured_sources(written(
        [(1, 359.9999, 2.0, 1.0, 5.0, "")], [(1, 0.0003, 2.0, 1.0, 5.0, "")]
    ))  # fmt: skip
    assert found["ra"][0] == pytest.approx(0.0001)


def test_nothing_measured_is_no_source():
    assert len(measured_sources([])) == 0


def test_a_catalogue_without_a_column_is_named(written):
    (path,) = written([(1, 10.0, 2.0, 1.0, 5.0, "")])
    table = tables.read(path)
    table.remove_columns(["pos_err", "snr"])
    path += ".edited.ecsv"
    tables.write(table, path)
    with pytest.raises(StageError, match=r"there is no column pos_err, snr\.") as caught:
        measured_sources([path])
    assert caught.value.where == path
