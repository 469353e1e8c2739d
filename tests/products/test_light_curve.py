"""The rows of a source."""

import math
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from hst123r.errors import StageError
from hst123r.photometry.flags import Flag
from hst123r.photometry.magnitudes import magnitude_ab
from hst123r.products import tables
from hst123r.products.light_curve import light_curve, write_light_curve
from hst123r.products.photometry_tables import read_table
from hst123r.records.outcome import Product


@pytest.fixture
def rows(small):
    """Return the rows of a target of the run, made anew from its products."""
    photometry = [
        Product(
            "photometry", name, {"detector": "ACS/WFC", "filter": name},
            {role: str(small.path(f"photometry/*{name.lower()}/*_{role}.{end}"))
             for role, end in (("catalog", "ecsv"), ("epochs", "ecsv"), ("measurements", "fits"))},
        )
        for name in ("F606W", "F814W")
    ]  # fmt: skip
    table = small.table("exposures/all/exposures.ecsv")
    visits = dict(zip(table["root"], table["visit"], strict=True))
    epochs = dict(zip(table["root"], table["epoch_name"].astype(str), strict=True))

    def of(source, nsigma=3.0):
        return light_curve(source, photometry, visits, epochs, nsigma)

    return of


def number(small, target):
    return small.facts("light curve")[target]["source"]


def test_every_exposure_every_epoch_and_every_filter_has_a_row(rows, small):
    found = rows(number(small, "SN"))
    levels = [row["level"] for row in found]
    assert [levels.count(name) for name in ("exposure", "visit", "epoch", "filter")] == [6, 3, 3, 2]
    assert [row["mjd"] for row in found[:6]] == sorted(row["mjd"] for row in found[:6])
    first = found[0]
    assert (first["exposure"], first["visit"], first["epoch"]) == (
        "jsi00101q", "99900_01", "20190401",
    )  # fmt: skip
    assert first["exposure_time_s"] == 400.0


def test_the_error_that_a_filter_shares_is_in_every_row_and_in_no_other_error(rows, small):
    from astropy.table import Table

    plain = rows(number(small, "SN"))
    own = {row["filter"]: row["mag_sys"] for row in plain}
    # stars of simulated exposures have the published light, with its error, as real ones do, and
    # most of it is that of the computed PSF's core: about 0.02 of the flux in both filters
    assert set(own) == {"F606W", "F814W"}
    assert all(0.02 < value < 0.03 for value in own.values())
    for name, value in (("f606w", 0.02), ("f814w", 0.03)):
        path = small.path(f"photometry/*{name}/*_catalog.ecsv")
        before = path.read_bytes()
        table = Table.read(path)
        table["mag_sys"] = value
        path.chmod(0o644)
        try:
            table.write(path, format="ascii.ecsv", delimiter=",", overwrite=True)
            found = rows(number(small, "SN"))
        finally:
            path.write_bytes(before)
        mine = [row for row in found if row["filter"] == name.upper()]
        assert {row["mag_sys"] for row in mine} == {value}
        assert {row["level"] for row in mine} == {"exposure", "visit", "epoch", "filter"}
        bare = [{**row, "mag_sys": own[row["filter"]]} for row in found]
        assert bare == plain


def test_magnitudes_are_those_of_the_fluxes_and_near_the_truth(rows, small):
    for row in rows(number(small, "SN")):
        if row["level"] == "filter":
            continue
        # AB: 3631 Jy is magnitude zero, nearly
        assert row["mag_ab"] == pytest.approx(31.4 - 2.5 * math.log10(row["flux_njy"]), abs=1e-4)
        error = 2.5 / math.log(10) * row["flux_err_njy"] / row["flux_njy"]
        assert row["mag_err"] == pytest.approx(error, rel=0.02)
        early = "20190401" in row["epoch"] or row["mjd"] < 58600
        true = 21.0 if early else 24.0
        assert abs(row["mag_ab"] - true) < 3 * row["mag_err"]
        assert row["limit_ab"] > row["mag_ab"]


def test_below_the_wanted_snr_there_is_a_limit_and_no_magnitude(rows, small):
    found = rows(number(small, "nothing"))
    assert len(found) == 14
    for row in found:
        assert row["snr"] < 3
        assert (row["mag_ab"], row["mag_err"]) == (None, None)
        assert 26 < row["limit_ab"] < 29
        assert math.isfinite(row["flux_njy"])
    # at the same place a star of the limit's flux would have that S/N
    one = found[0]
    flux = 10 ** (-0.4 * (one["limit_ab"] - 31.4))
    assert flux / one["flux_err_njy"] == pytest.approx(3.0, rel=0.15)


def test_the_snr_of_the_limit_is_the_users(rows, small):
    strict = rows(number(small, "SN"), 60.0)
    faint = [row for row in strict if row["epoch"] == "20190610" and row["level"] == "exposure"]
    assert len(faint) == 2
    assert all(row["snr"] < 60 and row["mag_ab"] is None for row in faint)
    assert {row["limit_sigma"] for row in strict} == {60.0}


def test_what_is_none_is_nan_in_the_table(rows, small, tmp_path):
    path = tmp_path / "curve.ecsv"
    write_light_curve(path, rows(number(small, "nothing")), {"target": "nothing"})
    table = tables.read(path)
    assert np.all(np.isnan(table["mag_ab"]))
    assert np.all(np.isfinite(table["limit_ab"]))
    assert str(table["flux_njy"].unit) == "nJy"
    assert table.meta == {"target": "nothing"}


def test_a_source_that_nobody_measured_has_no_rows(rows):
    assert rows(9999) == []


ROOTS = ("jsi00101q", "jsi00102q", "jsi00201q", "jsi00202q")
SLOPE, EMPTY = 0.1, 100.0
"""Variance of a flux: EMPTY + SLOPE * flux, in nJy^2."""


def mean(flux):
    """Return the mean of fluxes with the variance of each at that mean, as the catalogue has it."""
    average = float(flux.mean())
    weight = np.full(flux.size, 1 / (EMPTY + SLOPE * np.maximum(average, 0)))
    formal = float(weight.sum() ** -0.5)
    chi2 = float((weight * (flux - average) ** 2).sum())
    scatter = formal * np.sqrt(chi2 / (flux.size - 1))
    wide = chi2 > 6.6 * (flux.size - 1)
    return {
        "source": 1, "mjd": 58000.0, "exposure_time": 100.0 * flux.size, "flux": average,
        "n_exposures": flux.size, "flux_err": max(formal, scatter) if wide else formal,
        "flux_err_weights": formal, "flux_err_scatter": scatter, "chi2": chi2,
        "flux_err_fixed": max(formal, scatter) if wide else formal,
        "limit_ab": 21.7, "flags": 4, "mag_sys": 0.012,
    }  # fmt: skip


@pytest.fixture
def changing(tmp_path):
    """Return the changing of a source with these fluxes in four exposures of two epochs."""

    def make(*fluxes):
        flux = np.array(fluxes, float)
        error = np.sqrt(EMPTY + SLOPE * np.maximum(flux, 0))
        measured = Table(
            {
                "source": [1] * 4, "exposure": list(ROOTS), "mjd": [58000.0 + i for i in range(4)],
                "exposure_time": [100.0] * 4, "flux": flux, "flux_err": error,
                "flux_err_fixed": error,
                "photon_slope": [SLOPE] * 4, "flags": [0, 0, 4, 0], "used": [True] * 4,
                "extver": [1] * 4,
            }
        )  # fmt: skip
        epochs = [
            {"epoch": name, **mean(flux[part])}
            for name, part in (("20190401", slice(0, 2)), ("20190610", slice(2, 4)))
        ]
        paths = {role: tmp_path / role for role in ("catalog.ecsv", "epochs.ecsv", "m.fits")}
        # the third has a flag with which it is in no mean of others that have none
        Table([mean(flux[[0, 1, 3]])]).write(paths["catalog.ecsv"])
        Table(epochs).write(paths["epochs.ecsv"])
        measured.write(paths["m.fits"])
        files = dict(
            zip(("catalog", "epochs", "measurements"), map(str, paths.values()), strict=True)
        )
        product = Product("photometry", "p", {"detector": "ACS/WFC", "filter": "F606W"}, files)
        blank = dict.fromkeys(ROOTS, "x")
        return light_curve(1, [product], blank, blank, 3.0)

    return make


def of_level(changing, level):
    return [row for row in changing if row["level"] == level]


def test_a_source_that_changed_keeps_the_formal_error_of_its_mean(changing):
    found = changing(9000, 9010, 350, 360)
    (row,) = of_level(found, "filter")
    assert row["flags"] == 4 | Flag.VARIABLE
    assert row["flux_err_njy"] < 20
    # no part of a mean's error is shared here, so that at the fixed place it is the same
    assert row["flux_err_fixed_njy"] == pytest.approx(row["flux_err_njy"])
    assert row["snr"] > 20
    assert row["mag_ab"] == pytest.approx(float(magnitude_ab(row["flux_njy"])))
    # a limit is never brighter than what was seen
    assert row["limit_ab"] > max(r["mag_ab"] for r in of_level(found, "epoch"))
    assert not any(r["flags"] & Flag.VARIABLE for r in of_level(found, "epoch"))
    assert not any(r["flags"] & Flag.VARIABLE for r in of_level(found, "exposure"))


def test_a_constant_source_has_no_flag(changing):
    (row,) = of_level(changing(1000, 1010, 995, 1005), "filter")
    assert row["flags"] == 4
    assert row["limit_ab"] == 21.7


def test_scatter_within_epochs_is_error_and_not_change(changing):
    """One exposure of each epoch is off, as with an unmasked cosmic ray: the error stays wide."""
    (row,) = of_level(changing(1000, 2000, 1000, 2000), "filter")
    assert row["flags"] == 4
    assert row["flux_err_njy"] > 200


def test_a_visit_is_the_mean_of_its_exposures(rows, small):
    """Here visits and epochs hold the same exposures, so both means are the same."""
    found = rows(number(small, "SN"))
    visits, epochs = of_level(found, "visit"), of_level(found, "epoch")
    assert [row["visit"] for row in visits] == ["99900_01", "99900_01", "99900_02"]
    for visit, epoch in zip(visits, epochs, strict=True):
        assert (visit["epoch"], visit["exposure"], epoch["visit"]) == ("", "", "")
        assert visit["n_exposures"] == epoch["n_exposures"] == 2
        for name in ("flux_njy", "flux_err_njy", "flux_err_scatter_njy", "chi2", "mjd"):
            assert visit[name] == pytest.approx(epoch[name], rel=1e-4, abs=1e-3), name
        assert visit["limit_ab"] == pytest.approx(epoch["limit_ab"], abs=1e-3)


def test_both_errors_and_chi_square_stand_in_every_row_of_a_mean(changing):
    for row in changing(1000, 1010, 995, 1005):
        assert row["limit_method"] == "forced flux error"
        if row["n_exposures"] == 1:
            assert row["flux_err_weights_njy"] == row["flux_err_njy"]
            assert (row["flux_err_scatter_njy"], row["chi2"]) == (None, None)
            continue
        free = row["n_exposures"] - 1
        scatter = row["flux_err_weights_njy"] * math.sqrt(row["chi2"] / free)
        assert row["flux_err_scatter_njy"] == pytest.approx(scatter)
        assert row["flux_err_njy"] == row["flux_err_weights_njy"]


def test_a_mean_whose_exposures_differ_has_the_error_of_their_scatter(changing):
    for row in of_level(changing(1000, 2000, 1000, 2000), "visit"):
        assert row["n_exposures"] == 3
        assert row["flux_err_njy"] == row["flux_err_scatter_njy"] > 10 * row["flux_err_weights_njy"]


def test_the_limit_of_a_visit_scales_background_and_photons_with_the_scatter(changing):
    """As `Combined.limit` does, the same as the limits of epochs and catalogues."""
    for row in of_level(changing(1000, 2000, 1000, 2000), "visit"):
        ratio = (row["flux_err_njy"] / row["flux_err_weights_njy"]) ** 2
        empty, slope = EMPTY / 3 * ratio, SLOPE / 3 * ratio
        limit = 4.5 * slope + math.sqrt((4.5 * slope) ** 2 + 9 * empty)
        assert row["limit_ab"] == pytest.approx(float(magnitude_ab(limit)), abs=1e-6)


def test_a_place_without_a_value_has_rows_without_numbers(changing):
    with np.errstate(invalid="ignore"):
        found = changing(*[np.nan] * 4)
    for row in found:
        assert (row["flux_njy"], row["mag_ab"], row["snr"]) == (None, None, None)
        assert not row["flags"] & Flag.VARIABLE
    assert len(found) == 8


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("*_measurements.fits", "flux_err_fixed"),
        ("*_epochs.ecsv", "flux_err_fixed"),
        ("*_catalog.ecsv", "mag_sys"),
    ],
)
def test_a_table_without_a_column_is_named(small, tmp_path, pattern, column):
    """As of an earlier version, adopted or edited."""
    files = {}
    for role, end in (("catalog", "ecsv"), ("epochs", "ecsv"), ("measurements", "fits")):
        path = small.path(f"photometry/*f606w/*_{role}.{end}")
        table = read_table(path)
        files[role] = str(tmp_path / path.name)
        for name in table.colnames:
            # FITS does not know all of the units
            table[name].unit = None
        if path.match(pattern):
            table.remove_column(column)
        table.write(files[role])
    product = Product("photometry", "p", {"detector": "ACS/WFC", "filter": "F606W"}, files)
    with pytest.raises(StageError, match=rf"there is no column {column}\.") as caught:
        light_curve(1, [product], {}, {}, 3.0)
    assert caught.value.where == next(one for one in files.values() if Path(one).match(pattern))
    assert "make it again" in str(caught.value)
