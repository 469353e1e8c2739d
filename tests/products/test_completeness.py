"""Completeness, bias and error of artificial stars."""

import numpy as np
import pytest

from hst123r.products import tables
from hst123r.products.completeness import bins_of, magnitude_at, plot, write_bins, write_stars


@pytest.fixture
def bins():
    random = np.random.default_rng(1)
    magnitude = random.uniform(20, 28, 4000)
    error = 0.1 * 10 ** (0.2 * (magnitude - 25))
    found = magnitude + 0.02 + random.normal(0, error)
    return bins_of(magnitude, found, error, magnitude < random.normal(26.1, 0.3, 4000), 0.5)


def test_bins_say_what_was_put_in(bins):
    assert bins["mag_ab"][0] == 20.25
    assert len(bins["mag_ab"]) == 16
    assert bins["stars"].sum() == 4000
    assert bins["completeness"][0] == 1
    assert bins["completeness"][-1] == 0
    bright = bins["mag_ab"] < 25
    assert np.all(np.abs(bins["bias"][bright] - 0.02) < 0.02)
    assert np.all(np.abs(bins["scatter"][bright] / bins["quoted_err"][bright] - 1) < 0.2)
    # nothing was found there, and nothing can be said
    assert np.isnan(bins["bias"][-1])
    assert 0 < bins["completeness_err"][0] < 0.02


def test_where_half_is_found(bins):
    assert magnitude_at(bins, 0.5) == pytest.approx(26.1, abs=0.08)
    assert np.isnan(magnitude_at({"mag_ab": [1.0, 2.0], "completeness": [0.9, 0.8]}, 0.5))
    assert np.isnan(magnitude_at({"mag_ab": [1.0], "completeness": [0.1]}, 0.5))


def test_files(bins, tmp_path):
    write_bins(tmp_path / "bins.ecsv", bins, {"seed": 1})
    again = tables.read(tmp_path / "bins.ecsv")
    assert np.allclose(again["completeness"], bins["completeness"], atol=1e-4)
    assert again.meta["seed"] == 1
    plot(tmp_path / "plot.png", bins, title="stars")
    assert (tmp_path / "plot.png").stat().st_size > 5000
    star = {name: np.ones(2) for name in ("x", "y", "mag_in", "flux", "flux_err", "mag_ab")}
    write_stars(tmp_path / "stars.ecsv", {**star, "recovered": np.array([1, 0])}, {})
    assert list(tables.read(tmp_path / "stars.ecsv")["recovered"]) == [1, 0]
