"""Quality cuts as columns."""

import numpy as np
import pytest
from astropy.table import Table

from hst123r.products import tables
from hst123r.products.quality_flags import Flagged, column_name


@pytest.fixture
def catalogue(tmp_path):
    """Return a maker of the files of a filter, with what DOLPHOT alone knows or without."""

    def make(name, *, dolphot=True, snr=(3.0, 10.0, 10.0, 10.0), crowding=(0.0, 0.05, 0.5, 3.0)):
        table = Table({"source": [1, 2, 3, 4], "snr": list(snr), "crowding": list(crowding)})
        singles = Table({"source": [1, 2, 3, 4] * 3, "used": [True] * 8 + [False] * 4})
        if dolphot:
            table["object_type"] = [1, 1, 2, 3]
            table["dolphot_flags"] = [0, 0, 0, 4]
            # two used exposures and one that is not; the median of the two is their middle
            singles["sharpness"] = [0.0, 0.1, 0.4, 0.0, 0.0, 0.2, 0.5, 0.0, 9.0, 9.0, 9.0, 9.0]
        paths = {"catalog": tmp_path / f"{name}.ecsv", "measurements": tmp_path / f"{name}.fits"}
        tables.write(table, paths["catalog"])
        singles.write(paths["measurements"])
        return {role: str(path) for role, path in paths.items()}

    return make


@pytest.mark.parametrize(
    ("name", "passes"),
    [("hst123", [1, 1, 0, 0]), ("phat-st", [0, 1, 0, 0]), ("phat-gst", [0, 1, 0, 0]),
     ("ers", [0, 1, 0, 0])],
)  # fmt: skip
def test_named_cuts_flag_and_delete_nothing(catalogue, tmp_path, name, passes):
    flagged = Flagged({"F606W": catalogue("one")}, "ACS/WFC")
    applied = flagged.named("F606W", name)
    assert (applied.passed, applied.problem) == (sum(passes), "")
    flagged.write("F606W", tmp_path / "new.ecsv")
    table = tables.read(tmp_path / "new.ecsv")
    assert table[column_name(name)].tolist() == passes
    assert len(table) == 4
    assert table["snr"].tolist() == [3.0, 10.0, 10.0, 10.0]
    assert name in table[column_name(name)].description


# by hand from the publications: where a star of otherwise perfect values stops to pass
EDGES = [
    ("hst123", "WFPC2", "object_type", 1, 2),
    ("phat-st", "ACS/WFC", "snr", 4.01, 4.0),
    ("phat-st", "ACS/WFC", "sharpness", 0.447, 0.448),
    ("phat-st", "WFC3/UVIS", "sharpness", 0.387, 0.388),
    ("phat-st", "WFC3/IR", "sharpness", -0.387, -0.388),
    ("phat-st", "ACS/WFC", "object_type", 2, 3),
    ("phat-gst", "ACS/WFC", "crowding", 2.24, 2.25),
    ("phat-gst", "WFC3/UVIS", "crowding", 1.29, 1.3),
    ("phat-gst", "WFC3/IR", "crowding", 2.24, 2.25),
    ("phat-gst", "ACS/WFC", "sharpness", 0.447, 0.448),
    ("ers", "WFC3/IR", "snr", 4.0, 3.99),
    ("ers", "WFC3/IR", "sharpness", 0.447, 0.448),
    ("ers", "WFC3/IR", "crowding", 2.25, 2.26),
    ("ers", "WFC3/IR", "dolphot_flags", 2, 3),
]


@pytest.mark.parametrize(("name", "detector", "column", "passes", "fails"), EDGES)
def test_a_cut_ends_where_its_source_says(tmp_path, name, detector, column, passes, fails):
    star = {"snr": 50.0, "crowding": 0.0, "object_type": 1, "dolphot_flags": 0, "sharpness": 0.0}
    table = Table([{"source": 1, **star, column: passes}, {"source": 2, **star, column: fails}])
    singles = Table({"source": [1, 2], "used": [True] * 2, "sharpness": table["sharpness"]})
    table.remove_column("sharpness")
    paths = {"catalog": tmp_path / "one.ecsv", "measurements": tmp_path / "one.fits"}
    tables.write(table, paths["catalog"])
    singles.write(paths["measurements"])
    flagged = Flagged({"F814W": {role: str(path) for role, path in paths.items()}}, detector)
    assert flagged.named("F814W", name).passed == 1
    assert flagged.tables["F814W"][column_name(name)].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("column", "passes", "fails"),
    [("sharpness", 0.136, 0.138), ("crowding", 0.049, 0.051), ("snr", 4.1, 4.0)],
)
def test_angst_is_about_the_sums_of_both_filters(tmp_path, column, passes, fails):
    """Half of the limit in each filter: sums of 0.274 squared and 0.1; S/N in the worse one."""
    star = {"snr": 50.0, "crowding": 0.0, "object_type": 1, "sharpness": 0.0}
    files = {}
    for band in ("F606W", "F814W"):
        table = Table([{"source": 1, **star, column: passes}, {"source": 2, **star, column: fails}])
        singles = Table({"source": [1, 2], "used": [True] * 2, "sharpness": table["sharpness"]})
        table.remove_column("sharpness")
        paths = {"catalog": tmp_path / f"{band}.ecsv", "measurements": tmp_path / f"{band}.fits"}
        tables.write(table, paths["catalog"])
        singles.write(paths["measurements"])
        files[band] = {role: str(path) for role, path in paths.items()}
    flagged = Flagged(files, "ACS/WFC")
    assert flagged.named("F606W", "angst").passed == 1
    assert flagged.tables["F606W"]["cut_angst"].tolist() == [1, 0]


def test_a_cut_that_lacks_a_column_says_so_and_is_not_applied(catalogue):
    flagged = Flagged({"F606W": catalogue("one", dolphot=False)}, "ACS/WFC")
    applied = flagged.named("F606W", "phat-st")
    assert applied.passed is None
    assert "needs filter_sharpness, object_type" in applied.problem
    assert "cut_phat_st" not in flagged.tables["F606W"].colnames


def test_a_cut_says_nothing_about_other_detectors(catalogue):
    flagged = Flagged({"F606W": catalogue("one")}, "WFPC2")
    assert "is about WFC3/UVIS, ACS/WFC, WFC3/IR and not WFPC2" in (
        flagged.named("F606W", "phat-st").problem
    )


def test_a_cut_of_two_filters_takes_both(catalogue):
    files = {
        "F606W": catalogue("one", crowding=(0.0, 0.04, 0.5, 3.0)),
        "F814W": catalogue("two", crowding=(0.0, 0.04, 0.5, 3.0), snr=(9, 9, 9, 9)),
    }
    flagged = Flagged(files, "ACS/WFC")
    # sharpness sums to 0.3, whose square is above 0.075
    assert flagged.named("F606W", "angst").passed == 0
    alone = Flagged({"F606W": files["F606W"]}, "ACS/WFC")
    assert "is about 2 filters, and here are 1" in alone.named("F606W", "angst").problem


def test_a_condition_of_ones_own(catalogue):
    flagged = Flagged({"F606W": catalogue("one")}, "ACS/WFC")
    assert flagged.custom("F606W", "mine", "snr > 5 and filter_sharpness < 0.2").passed == 2
    assert flagged.tables["F606W"]["cut_mine"].tolist() == [0, 1, 0, 1]


def test_medians_are_of_exposures_used(catalogue):
    flagged = Flagged({"F606W": catalogue("one")}, "ACS/WFC")
    found = flagged._columns["F606W"]["filter_sharpness"]
    assert found == pytest.approx(np.array([0.0, 0.15, 0.45, 0.0]), abs=1e-6)
