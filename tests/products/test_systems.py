"""Light curves in other systems and without extinction."""

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.magnitudes import (
    flam_per_njy,
    magnitude_ab,
    njy_per_unit,
    zeropoint_ab,
    zeropoint_st,
)
from hst123r.products.systems import Dust, columns_of, in_system, read_vega

PHOTFLAM, PHOTPLAM = 7.9e-20, 5921.9
BASE = {"detector": "ACS/WFC", "filter": "F606W", "visit": "v", "epoch": "e", "exposure": "",
        "source": 1, "extver": 2, "flux_err_njy": 5.0}  # fmt: skip
PIVOTS = {("a", 1): 1.0, ("a", 2): PHOTPLAM, ("b", 2): PHOTPLAM + 10}
VEGA = {("ACS/WFC", "F606W"): 0.085}
DUST = Dust(0.1, 3.1, "ccm89")


def rows(rate=50.0):
    """Return rows whose flux is that of a rate, by PHOTFLAM and PHOTPLAM."""
    flux = rate * float(njy_per_unit(zeropoint_ab(PHOTFLAM, PHOTPLAM)))
    mag = float(magnitude_ab(flux)) if rate > 0 else None
    own = {**BASE, "flux_njy": flux, "mag_ab": mag, "limit_ab": 27.0}
    return [
        {**own, "level": "exposure", "exposure": "a"},
        {**own, "level": "exposure", "exposure": "b"},
        {**own, "level": "filter", "visit": "", "epoch": ""},
    ]


@pytest.mark.parametrize("rate", [50.0, -3.0])
def test_st_fluxes_are_the_rate_times_photflam_exactly(rate):
    one = in_system(rows(rate), "st", PIVOTS, {}, None)[0]
    assert one["flux_flam"] == pytest.approx(rate * PHOTFLAM, rel=1e-12)
    assert one["flux_err_flam"] / one["flux_flam"] == pytest.approx(5.0 / one["flux_njy"])
    if rate > 0:
        wanted = float(zeropoint_st(PHOTFLAM)) - 2.5 * np.log10(rate)
        assert one["mag_st"] == pytest.approx(wanted, abs=1e-12)
        assert one["mag_st"] - one["mag_ab"] == pytest.approx(one["limit_st"] - 27.0)
    else:
        assert one["mag_st"] is None


def test_a_mean_has_the_mean_pivot_of_its_exposures():
    found = in_system(rows(), "st", PIVOTS, {}, None)
    ratio = found[2]["flux_flam"] / found[2]["flux_njy"]
    assert ratio == pytest.approx(float(flam_per_njy(PHOTPLAM + 5)))


def test_vega_magnitudes_are_less_by_vegas_own():
    (one, *_) = in_system(rows(), "vega", PIVOTS, VEGA, None)
    assert one["mag_vega"] == pytest.approx(one["mag_ab"] - 0.085)
    assert one["limit_vega"] == pytest.approx(27.0 - 0.085)
    with pytest.raises(InputError, match="no line for ACS/WFC F606W"):
        in_system(rows(), "vega", PIVOTS, {("ACS/WFC", "F814W"): 0.4}, None)


def test_extinction_stands_beside_and_changes_nothing():
    before = rows()
    (one, *_) = in_system(before, "ab", PIVOTS, {}, DUST)
    assert {name: one[name] for name in before[0]} == before[0]
    assert 0.25 < one["extinction_mag"] < 0.31
    ratio = one["flux_corrected_njy"] / one["flux_njy"]
    assert 2.5 * np.log10(ratio) == pytest.approx(one["extinction_mag"])
    assert one["flux_err_corrected_njy"] / 5.0 == pytest.approx(ratio)
    assert one["mag_ab_corrected"] == pytest.approx(one["mag_ab"] - one["extinction_mag"])
    (vega, *_) = in_system(before, "vega", PIVOTS, VEGA, DUST)
    assert vega["mag_vega_corrected"] == pytest.approx(one["mag_ab_corrected"] - 0.085)


def test_without_a_pivot_there_is_no_value_and_no_wrong_one():
    for row in in_system(rows(), "st", {}, {}, DUST):
        assert row["mag_st"] is None
        assert row["extinction_mag"] is None
        assert row["flux_corrected_njy"] is None


@pytest.mark.parametrize("system", ["ab", "st", "vega"])
@pytest.mark.parametrize("dust", [None, DUST])
def test_every_column_has_a_value_and_every_value_a_column(system, dust):
    names = [column.name for column in columns_of(system, dust)]
    for before, row in zip(rows(), in_system(rows(), system, PIVOTS, VEGA, dust), strict=True):
        assert set(row) - set(before) == set(names)
    assert len(set(names)) == len(names)


def test_a_table_of_vega(tmp_path):
    path = tmp_path / "vega.csv"
    path.write_text("# from somewhere\ndetector,filter,vega_ab\nACS/WFC,F606W,0.085\n")
    assert read_vega(path) == VEGA
    path.write_text("camera,filter,zp\nACS/WFC,F606W,0.085\n")
    with pytest.raises(InputError, match="no table with the columns detector, filter, vega_ab"):
        read_vega(path)
    path.write_text("detector,filter,vega_ab\nACS/WFC,F606W,bright\n")
    with pytest.raises(InputError, match="no table with the columns"):
        read_vega(path)


def test_a_table_of_vega_in_ecsv(tmp_path):
    """As astropy writes it by default, with units or as plain numbers."""
    from astropy import units
    from astropy.table import QTable, Table

    rows = {"detector": ["ACS/WFC", "WFC3/IR"], "filter": ["F606W", "F160W"]}
    wanted = {("ACS/WFC", "F606W"): 0.085, ("WFC3/IR", "F160W"): 1.25}
    plain = Table({**rows, "vega_ab": [0.085, 1.25]})
    plain["vega_ab"].unit = "mag"
    for name, table in (
        ("plain.ecsv", plain),
        ("quantity.ecsv", QTable({**rows, "vega_ab": [0.085, 1.25] * units.mag})),
    ):
        table.write(tmp_path / name)
        assert read_vega(tmp_path / name) == wanted


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("ACS/WFC,F606W,", "row 1 has no value.*ACS/WFC, F606W, [?]"),
        ("ACS/WFC,F814W,0.42\nACS/WFC,F606W,nan", "row 2 has no value.*F606W, nan"),
        ("ACS/WFC,F606W,inf", "row 1 has no value"),
        ("ACS/WFC,,0.085", "row 1 has no value.*ACS/WFC, [?], 0.085"),
        ("ACS/WFC,F606W,0.085\nACS/WFC,F606W,0.42", "row 2 is about ACS/WFC F606W"),
    ],
)
def test_blank_and_repeated_lines_of_a_table_of_vega_are_errors(tmp_path, lines, said):
    path = tmp_path / "vega.csv"
    path.write_text(f"detector,filter,vega_ab\n{lines}\n")
    with pytest.raises(InputError, match=said):
        read_vega(path)


def test_vega_by_what_dolphot_measured():
    from hst123r.errors import InputError
    from hst123r.products.systems import vega_of_dolphot
    from hst123r.records.outcome import Product

    labels = {"detector": "ACS/WFC", "filter": "F606W"}
    one = Product("photometry", "a", labels, {}, {"vega_ab": 0.0871})
    assert vega_of_dolphot([one]) == {("ACS/WFC", "F606W"): 0.0871}
    with pytest.raises(InputError, match="b was not measured with zeropoints of DOLPHOT"):
        vega_of_dolphot([one, Product("photometry", "b", labels, {}, {})])
