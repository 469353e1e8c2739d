"""Two catalogues are compared by position, and their fluxes in sigma."""

import numpy as np
import pytest
from astropy.table import Table

from hst123r.engine.star_by_star import compare
from hst123r.errors import InputError


def write(path, ra, dec, flux, error=1.0, **more):
    found = Table({"ra": ra, "dec": dec, "flux": flux, "flux_err": np.full(len(ra), error)} | more)
    found.write(path, format="ascii.ecsv")
    return path


@pytest.fixture
def sky():
    rng = np.random.default_rng(3)
    return 359.999 + rng.uniform(0, 0.002, 40), rng.uniform(-0.001, 0.001, 40)


def test_offsets_are_those_that_were_put_in(tmp_path, sky):
    ra, dec = sky
    flux = np.linspace(100, 1000, 40)
    one = write(tmp_path / "a.ecsv", ra % 360, dec, flux, 3.0, source=np.arange(40))
    moved = dec + 0.002 / 3600
    # the other has the stars in another order, one less and one more, and one 10 nJy brighter
    order = np.roll(np.arange(1, 40), 7)
    other_flux = flux.copy()
    other_flux[5] += 10
    two = write(
        tmp_path / "b.ecsv", np.append(ra[order] % 360, 0.5), np.append(moved[order], 0.0),
        np.append(other_flux[order], 50), 4.0, source=np.append(order, 99),
    )  # fmt: skip
    found = compare(one, two, 0.05, 3)
    assert (found["a"], found["b"], found["matched"]) == (40, 40, 39)
    assert (found["only_a"], found["only_b"], found["different"]) == (1, 1, 39)
    assert found["median_separation_mas"] == pytest.approx(2.0, abs=0.01)
    assert found["largest_sigma"] == pytest.approx(10 / 5)
    assert found["rms_sigma"] == pytest.approx(2 / np.sqrt(39))
    worst = found["stars"][0]
    assert (worst["source_a"], worst["source_b"]) == ("5", "5")
    assert worst["sigma"] == pytest.approx(2)
    assert worst["offset_mag"] == pytest.approx(-2.5 * np.log10((flux[5] + 10) / flux[5]))


def test_equal_catalogues_and_empty_ones(tmp_path, sky):
    one = write(tmp_path / "a.ecsv", *sky, np.ones(40))
    assert compare(one, one, 0.05, 5)["different"] == 0
    assert compare(one, one, 0.05, 5)["stars"] == []
    none = write(tmp_path / "n.ecsv", np.zeros(0), np.zeros(0), np.zeros(0))
    found = compare(one, none, 0.05, 5)
    assert (found["matched"], found["only_a"], found["rms_sigma"]) == (0, 40, None)


def test_what_is_no_catalogue_is_a_sentence(tmp_path):
    path = tmp_path / "a.ecsv"
    Table({"ra": [1.0]}).write(path, format="ascii.ecsv")
    with pytest.raises(InputError, match="has no column dec, flux, flux_err"):
        compare(path, path, 0.05, 1)
    path.write_text("nothing")
    with pytest.raises(InputError, match="cannot be read"):
        compare(path, path, 0.05, 1)
