"""Catalogues, epochs, and single measurements."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.products.photometry_tables import CATALOGUE, EPOCHS, MEASUREMENTS, read_table

NAMES = ("f606w", "f814w")


@pytest.fixture(params=NAMES)
def made(small, request):
    """Return catalogue, epochs and measurements of a filter."""
    ends = {"catalog": "ecsv", "epochs": "ecsv", "measurements": "fits"}
    return {
        role: read_table(small.path(f"photometry/*{request.param}/*_{role}.{end}"))
        for role, end in ends.items()
    }


def test_every_column_has_its_unit_and_its_description(made, small):
    for role, columns in (("catalog", CATALOGUE), ("epochs", EPOCHS)):
        assert made[role].colnames == [column.name for column in columns]
        for column in columns:
            assert str(made[role][column.name].unit or "") == column.unit
            assert made[role][column.name].description == column.description
    assert made["measurements"].colnames == [column.name for column in MEASUREMENTS]
    for column in MEASUREMENTS:
        assert str(made["measurements"][column.name].unit or "") == column.unit
        assert made["measurements"][column.name].description == column.description


def test_units_stand_in_the_fits_file_for_other_programs_too(small):
    """Electrons are no unit of the FITS standard, and astropy warns of what is none."""
    with fits.open(small.path("photometry/*f606w/*_measurements.fits")) as hdus:
        units = {column.name: column.unit for column in hdus[1].columns}
        assert hdus[1].header["TCOMM1"] == "Number of the source"
    assert (units["rate"], units["sky"], units["flux"]) == ("count s-1", "count pix-1", "nJy")
    assert units["flags"] is None


def test_numbers_of_sources_are_the_same_in_all_tables(made):
    catalogue = set(made["catalog"]["source"])
    assert len(catalogue) == len(made["catalog"])
    assert set(made["epochs"]["source"]) == catalogue
    assert set(made["measurements"]["source"]) <= catalogue


def test_a_mean_is_made_of_the_measurements_that_say_they_are_used(made):
    """Times and numbers add up, and the mean lies among the fluxes it is made of."""
    every = made["measurements"]
    checked = 0
    for row in made["catalog"]:
        mine = every[(every["source"] == row["source"]) & every["used"]]
        assert row["n_exposures"] <= len(mine)
        if row["n_exposures"] == len(mine) > 1:
            checked += 1
            assert row["exposure_time"] == pytest.approx(np.sum(mine["exposure_time"]))
            low, high = np.min(mine["flux"]), np.max(mine["flux"])
            slack = 1e-3 * (high - low) + 1e-3
            assert low - slack <= row["flux"] <= high + slack
            assert np.min(mine["mjd"]) - 1e-6 <= row["mjd"] <= np.max(mine["mjd"]) + 1e-6
    assert checked > 30


def test_weights_are_inverse_variances(made):
    """Two exposures of one epoch: the error of the mean is that of the weights or the scatter."""
    for row in made["epochs"]:
        if row["n_exposures"] > 1:
            assert row["flux_err"] in {row["flux_err_weights"], row["flux_err_scatter"]}
            assert row["flux_err"] >= row["flux_err_weights"]
            assert row["snr"] == pytest.approx(row["flux"] / row["flux_err"], abs=2e-3, rel=1e-3)


def test_magnitudes_are_given_above_the_snr_of_a_limit_only(made):
    table = made["catalog"]
    measured = np.isfinite(table["flux"]) & (table["n_exposures"] > 0)
    seen = np.isfinite(table["mag_ab"])
    assert np.array_equal(seen, measured & (table["snr"] >= 3.0))
    assert np.all(np.isfinite(table["limit_ab"][measured]))


def test_the_catalogue_agrees_with_the_truth(made, small):
    """Stars of the first visit within their errors; the transient is left out."""
    truth = small.truth("jsi00101q" if made["catalog"].meta["filter"] == "F606W" else "jsi00103q")
    truth = truth[truth["star"] != np.max(truth["star"])]
    pulls = []
    for star in truth:
        apart = 3600 * np.hypot(
            (made["catalog"]["ra"] - star["ra"]) * np.cos(np.radians(2.2)),
            made["catalog"]["dec"] - star["dec"],
        )
        row = made["catalog"][int(np.argmin(apart))]
        if apart.min() < 0.02 and row["flags"] == 0 and np.isfinite(row["mag_ab"]):
            pulls.append((row["mag_ab"] - star["magnitude"]) / row["mag_err"])
    assert len(pulls) > 20
    assert abs(np.mean(pulls)) < 0.6
    assert 0.5 < np.std(pulls) < 1.5
