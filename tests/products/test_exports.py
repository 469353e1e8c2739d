"""The files people publish hold what the tables hold."""

import json

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

import hst123r
from hst123r.errors import InputError
from hst123r.products import tables
from hst123r.products.exports import write_hdf5, write_light_curves
from hst123r.products.light_curve import COLUMNS
from hst123r.products.photometry_tables import read_table
from hst123r.products.tables import Column, build


def same(found, column):
    """Whether a column holds what another does, value by value; lists are JSON."""
    if column.dtype.kind == "U":
        return [str(text) for text in found] == [str(text) for text in column]
    if column.dtype.kind == "O":
        pairs = zip(found, column, strict=True)
        return all(np.array_equal(np.array(json.loads(a)), np.atleast_1d(b)) for a, b in pairs)
    return np.array_equal(found, np.asarray(column), equal_nan=column.dtype.kind == "f")


def sources_of(small):
    """Return the file of every table that is copied as it is, by its path in the HDF5 file."""
    found = {"exposures": small.path("exposures/all/exposures.ecsv")}
    for path in small.folder.glob("products/photometry/*/*"):
        role = path.stem.rpartition("_")[2]
        found[f"photometry/{path.parent.name}/{role}"] = path
    for path in small.folder.glob("products/scrape/*/*.ecsv"):
        found[f"light_curves/{path.parent.name}"] = path
    return found


def test_everything_is_in_the_hdf5_file_with_its_unit(small):
    found = hst123r.open_catalog(small.path("export/all/small.h5"))
    sources = sources_of(small)
    assert len(sources) == 9
    assert set(found) == {*sources, "alignment", "psf", "parameters", "provenance"}
    for name, path in sources.items():
        table = read_table(path)
        assert found[name].colnames == table.colnames
        for column in table.colnames:
            assert same(found[name][column], table[column]), (name, column)
            assert str(found[name][column].unit or "") == str(table[column].unit or "")
            assert found[name][column].description == table[column].description
    assert found["light_curves/SN"].meta["separation_arcsec"] < 0.01


def test_parameters_alignment_psf_and_stamps_are_in_it(small):
    found = hst123r.open_catalog(small.path("export/all/small.h5"))
    values = {(row["stage"], row["name"]): json.loads(row["value"]) for row in found["parameters"]}
    assert values["scrape", "radius"] == "0.1 arcsec"
    assert values["photometry", "psf"] == "computed"
    assert not any(stage == "report" for stage, _ in values)
    assert set(found["alignment"]["exposure"]) == set(found["exposures"]["root"])
    assert (found["alignment"]["rms_east_mas"] < 5).all()
    assert str(found["alignment"]["rms_east_mas"].unit) == "mas"
    # two chips of each of six exposures
    assert len(found["psf"]) == 12
    assert np.all((found["psf"]["chi"] > 0.5) & (found["psf"]["chi"] < 1.5))
    stamps = found["provenance"]
    fits_files = stamps[stamps["role"] == "measurements"]
    assert len(fits_files) == 2
    assert all(str(row["job"]).split()[1].startswith("photometry:") for row in fits_files)
    assert all(len(str(row["key"])) == 16 for row in fits_files)


def test_h5py_reads_units_without_astropy(small):
    with h5py.File(small.path("export/all/small.h5")) as store:
        assert store.attrs["format"] == "hst123r"
        assert store.attrs["version"] == 2
        assert store.attrs["recipe"] == "small"
        assert "astropy" in json.loads(store.attrs["software"])
        curve = store["light_curves/SN"]
        assert curve["flux_njy"].shape == (14,)
        assert json.loads(curve.attrs["units"])["flux_njy"] == "nJy"
        assert json.loads(curve.attrs["descriptions"])["flux_njy"] == "Flux, AB"
        assert curve.attrs["separation_arcsec"] < 0.01


def test_astropy_and_pandas_read_it_by_themselves(small):
    path = small.path("export/all/small.h5")
    table = Table.read(path, path="light_curves/SN")
    assert str(table["flux_njy"].unit) == "nJy"
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    with h5py.File(path) as store:
        frame = pandas.DataFrame(store["light_curves/SN"][:])
    assert frame["flux_njy"].tolist() == table["flux_njy"].tolist()
    assert list(frame.columns) == table.colnames


def test_pytables_reads_it(small):
    pytables = pytest.importorskip("tables", reason="PyTables is not installed")
    with pytables.open_file(str(small.path("export/all/small.h5"))) as store:
        assert len(store.root.light_curves.SN.col("flux_njy")) == 14


def test_what_is_no_such_file_is_told(small, tmp_path):
    path = small.path("export/all/small.h5")
    with pytest.raises(InputError, match="no table 'light_curves/XY'"):
        hst123r.open_catalog(path, ["light_curves/XY"])
    (one,) = hst123r.open_catalog(path, ["light_curves/SN"]).values()
    assert len(one) == 14
    with pytest.raises(InputError, match="no such file"):
        hst123r.open_catalog(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(InputError, match="no HDF5 file"):
        hst123r.open_catalog(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w"):
        pass
    with pytest.raises(InputError, match="no file of the stage `export`"):
        hst123r.open_catalog(tmp_path / "other.h5")
    with h5py.File(tmp_path / "old.h5", "w") as store:
        store.attrs.update({"format": "hst123r", "version": 1})
    with pytest.raises(InputError, match="of version 1, not 2"):
        hst123r.open_catalog(tmp_path / "old.h5")


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
    write_hdf5(tmp_path / "x.h5", {"recipe": "r"}, exposures, {}, {"SN": curve}, {}, [])
    found = hst123r.open_catalog(tmp_path / "x.h5")
    assert len(found["exposures"]["flux"]) == 0
    assert found["light_curves/SN"]["name"].description == "A name"
    assert [len(found[name]) for name in ("alignment", "psf", "parameters")] == [0, 0, 0]
    write_light_curves(tmp_path / "x.ecsv", {"SN": curve})
    assert tables.read(tmp_path / "x.ecsv").colnames == ["target", "name", "flux"]


def test_without_a_light_curve_the_table_has_its_columns_and_no_rows(tmp_path):
    write_light_curves(tmp_path / "x.ecsv", {})
    table = tables.read(tmp_path / "x.ecsv")
    assert len(table) == 0
    assert table.colnames == ["target", *(column.name for column in COLUMNS)]
    assert str(table["flux_njy"].unit) == "nJy"


def test_tables_of_text_have_the_provenance_of_their_group(empty, tmp_path):
    exposures, curve = empty
    Table({"x": [1.0]}).write(tmp_path / "g_more.fits")
    stamps = {"H123RUN": "r1", "H123JOB": "#7 photometry: SN", "H123KEY": "abc"}
    for name, value in stamps.items():
        fits.setval(tmp_path / "g_more.fits", name, value=value)
    files = {"completeness": curve, "more": str(tmp_path / "g_more.fits")}
    write_hdf5(tmp_path / "x.h5", {"recipe": "r"}, exposures, {"g": files}, {}, {}, [])
    found = hst123r.open_catalog(tmp_path / "x.h5")
    assert "photometry/g/completeness" in found
    rows = found["provenance"]
    assert [str(row["key"]) for row in rows] == ["abc", "abc"]
    assert {str(row["job"]) for row in rows} == {"#7 photometry: SN"}
