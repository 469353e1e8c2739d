"""A work directory as tables, from Python."""

import subprocess
import sys

import numpy as np
import pytest

import hst123r
from hst123r.engine.opened import UNITS, table
from hst123r.errors import InputError
from hst123r.provenance.store import Store


def test_light_curves_products_and_measurements_are_tables(finished):
    work = hst123r.open(finished)
    curve = work.photometry
    rows = curve[(curve["target"] == "SN") & (curve["level"] == "epoch")]
    assert len(rows) == 3
    assert str(curve["flux_njy"].unit) == "nJy"
    assert str(curve["mag_ab"].unit) == "mag"
    assert np.ma.is_masked(curve["mag_ab"])
    stacks = work.products[work.products["kind"] == "stack"]
    assert all(work.path(str(path)).is_file() for path in stacks["path"])
    assert set(work.measurements["name"]) >= {"matches", "residual_rms"}
    assert list(work.runs["state"]) == ["done"]
    assert set(work.jobs["state"]) == {"done"}
    assert len(work.history(stage="align")) == 2
    assert len(work.lineage("SN/F814W")["ends"]) == 6
    assert work.sql("select count(*) as n from job")["n"][0] == len(work.jobs)


def test_every_number_of_a_light_curve_has_its_unit(tmp_path):
    """Ratios have none, and so have numbers and names of things."""
    columns = Store.in_memory(tmp_path).db.table("photometry").columns_dict
    assert {name for name, kind in columns.items() if kind is float} - set(UNITS) == {
        "snr", "chi2", "limit_sigma"
    }  # fmt: skip
    row = {name: 1.0 for name, kind in columns.items() if kind is float}
    assert {str(table([row])[name].unit) for name in row if name.endswith("_njy")} == {"nJy"}


def test_what_it_shows_is_short(finished):
    work = hst123r.open(finished)
    html = work._repr_html_()
    assert "<th>light curves</th><td>SN (14 rows), nothing (" in html
    assert html.count("<tr>") == 4
    assert "last run: small" in repr(work)


def test_without_a_store_it_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no run of hst123r in this directory"):
        hst123r.open()
    with pytest.raises(InputError, match="nothing has been run"):
        hst123r.open(str(tmp_path))


def test_a_table_has_a_type_for_each_column_and_masks_what_is_missing():
    rows = [
        {"a": 1, "b": None, "c": 1.5, "d": ["x", "y"], "e": True, "f": "s", "g": None},
        {"a": 2, "b": 3, "c": 1, "d": {"k": 1}, "e": False, "f": None, "g": None},
    ]
    found = table(rows)
    assert [found[name].dtype.kind for name in "abcdefg"] == list("iifUbUU")
    assert found["d"].tolist() == ["x; y", '{"k": 1}']
    assert found["b"].mask.tolist() == [True, False]
    assert found["g"].mask.all()
    assert table([], ["a", "b"]).colnames == ["a", "b"]


def test_importing_the_package_stays_cheap():
    heavy = ("astropy", "numpy", "sqlite3", "pydantic")
    code = f"import hst123r, sys; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
