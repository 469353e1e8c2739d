from __future__ import annotations

import numpy as np
import pytest

from hst123r.products import photometry_tables
from hst123r.products.dolphot import result
from hst123r.products.dolphot.catalogue import read_catalogue
from hst123r.products.dolphot.columns import read_columns
from hst123r.products.dolphot.info import read_info
from hst123r.products.dolphot.measurements import ImageNote, convert
from hst123r.sources.measured import mean_fluxes

ROOTS = ["iabc01q1q", "iabc02q1q", "iabc03q1q", "iabc04q1q"]
TIMES = np.array([400.0, 400.0, 500.0, 500.0])


@pytest.fixture(scope="module")
def run(shared_data):
    name = shared_data / "dolphot_sample" / "wfc3_uvis" / "noref.phot"
    catalogue = read_catalogue(name, read_columns(f"{name}.columns"))
    info = read_info(f"{name}.info")
    converted = convert(catalogue, info, [ImageNote(i, 1, 26.0) for i in range(4)], 4)
    sources = result.sources_of(catalogue, catalogue.objects["x"], catalogue.objects["y"])
    return catalogue, sources, converted, np.array(info.mjd)


def test_the_catalogue_of_a_filter(run, tmp_path):
    catalogue, sources, converted, mjd = run
    means = mean_fluxes(converted.found, [0, 1], mjd, TIMES, 3.0)
    path = tmp_path / "catalog.ecsv"
    result.write_catalogue(
        path, catalogue, sources, converted, [0, 1], means, {"filter": "F606W"}, 0.012
    )
    table = photometry_tables.read_table(path)
    ours = [column.name for column in photometry_tables.CATALOGUE]
    assert table.colnames[: len(ours)] == ours
    assert {c.name: (c.unit, c.description) for c in photometry_tables.CATALOGUE} == {
        name: (str(table[name].unit or ""), table[name].description) for name in ours
    }
    assert len(table) == 590
    assert table["source"][0] == 1
    assert np.array_equal(table["object_type"], catalogue.objects["type"])
    assert table["sharpness"][5] == pytest.approx(catalogue.objects["sharpness"][5], abs=1e-6)
    assert table["dolphot_x"].unit == "pix"
    assert table.meta["filter"] == "F606W"
    both = (table["n_exposures"] == 2) & (table["snr"] > 10)
    assert both.sum() > 200
    chi = np.median([converted.found.chi[0], converted.found.chi[1]], axis=0)
    assert np.asarray(table["chi"])[both] == pytest.approx(chi[both], abs=6e-4)
    assert np.isnan(table["pos_err"]).all()
    assert (table["dolphot_flags"][both] < 8).all()


def test_epochs_and_measurements(run, tmp_path):
    _, sources, converted, mjd = run
    epochs = {
        name: mean_fluxes(converted.found, rows, mjd, TIMES, 3.0)
        for name, rows in (("2010-11-01", [0]), ("2010-11-02", [1]))
    }
    photometry_tables.write_epochs(tmp_path / "epochs.ecsv", sources, epochs, {})
    assert len(photometry_tables.read_table(tmp_path / "epochs.ecsv")) == 2 * 590
    path = tmp_path / "measurements.fits"
    result.write_measurements(path, sources, ROOTS, mjd, TIMES, converted)
    table = photometry_tables.read_table(path)
    names = [column.name for column in photometry_tables.MEASUREMENTS]
    assert table.colnames == [*names, "sharpness", "roundness", "dolphot_flags"]
    assert len(table) == np.isfinite(converted.found.flux).sum()
    first = table[table["exposure"] == ROOTS[0]]
    seen = np.isfinite(converted.found.flux[0])
    assert np.allclose(first["flux"], converted.found.flux[0, seen], rtol=1e-6)
    assert np.array_equal(first["dolphot_flags"], converted.flags[0, seen])
    assert str(table["rate"].unit) == "electron / s"
