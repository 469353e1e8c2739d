"""The rows of a light curve: what a filter's mean says of a source that changes."""

import numpy as np
import pytest
from astropy.table import Table

from hst123r.photometry.flags import Flag
from hst123r.photometry.magnitudes import magnitude_ab
from hst123r.products.light_curve import light_curve
from hst123r.records.outcome import Product

ROOTS = ("jsi00101q", "jsi00102q", "jsi00201q", "jsi00202q")
SLOPE, EMPTY = 0.1, 100.0
"""Variance of a flux: EMPTY + SLOPE * flux, in nJy^2."""


def mean(flux, error):
    weight = error**-2.0
    average = float(np.average(flux, weights=weight))
    formal = float(weight.sum() ** -0.5)
    chi2 = float((weight * (flux - average) ** 2).sum())
    scatter = formal * np.sqrt(chi2 / (flux.size - 1))
    wide = chi2 > 6.6 * (flux.size - 1)
    return {
        "source": 1, "mjd": 58000.0, "exposure_time": 100.0 * flux.size, "flux": average,
        "n_exposures": flux.size, "flux_err": max(formal, scatter) if wide else formal,
        "flux_err_weights": formal, "limit_ab": 21.7, "flags": 4,
    }  # fmt: skip


@pytest.fixture
def rows(tmp_path):
    """Return the rows of a source with these fluxes in four exposures of two epochs."""

    def make(*fluxes):
        flux = np.array(fluxes, float)
        error = np.sqrt(EMPTY + SLOPE * np.maximum(flux, 0))
        measured = Table(
            {
                "source": [1] * 4, "exposure": list(ROOTS), "mjd": [58000.0 + i for i in range(4)],
                "exposure_time": [100.0] * 4, "flux": flux, "flux_err": error,
                "photon_slope": [SLOPE] * 4, "flags": [0, 0, 4, 0], "used": [True] * 4,
            }
        )  # fmt: skip
        epochs = [
            {"epoch": name, **mean(flux[part], error[part])}
            for name, part in (("20190401", slice(0, 2)), ("20190610", slice(2, 4)))
        ]
        paths = {role: tmp_path / role for role in ("catalog.ecsv", "epochs.ecsv", "m.fits")}
        Table([mean(flux, error)]).write(paths["catalog.ecsv"])
        Table(epochs).write(paths["epochs.ecsv"])
        measured.write(paths["m.fits"])
        files = dict(
            zip(("catalog", "epochs", "measurements"), map(str, paths.values()), strict=True)
        )
        product = Product("photometry", "p", {"detector": "ACS/WFC", "filter": "F606W"}, files)
        blank = dict.fromkeys(ROOTS, "x")
        return light_curve(1, [product], blank, blank, 3.0)

    return make


def of_level(rows, level):
    return [row for row in rows if row["level"] == level]


def test_a_source_that_changed_keeps_the_formal_error_of_its_mean(rows):
    found = rows(9000, 9010, 350, 360)
    (row,) = of_level(found, "filter")
    assert row["flags"] == 4 | Flag.VARIABLE
    assert row["flux_err_njy"] < 20
    assert row["snr"] > 20
    assert row["mag_ab"] == pytest.approx(float(magnitude_ab(row["flux_njy"])))
    # a limit is never brighter than what was seen
    assert row["limit_ab"] > max(r["mag_ab"] for r in of_level(found, "epoch"))
    assert not any(r["flags"] & Flag.VARIABLE for r in of_level(found, "epoch"))
    assert not any(r["flags"] & Flag.VARIABLE for r in of_level(found, "exposure"))


def test_a_constant_source_has_no_flag(rows):
    (row,) = of_level(rows(1000, 1010, 995, 1005), "filter")
    assert row["flags"] == 4
    assert row["limit_ab"] == 21.7


def test_scatter_within_epochs_is_error_and_not_change(rows):
    """One exposure of each epoch is off, as with an unmasked cosmic ray: the error stays wide."""
    (row,) = of_level(rows(1000, 2000, 1000, 2000), "filter")
    assert row["flags"] == 4
    assert row["flux_err_njy"] > 200
