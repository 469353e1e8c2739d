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


def test_a_star_without_a_position_is_left_out_and_counted(tmp_path, sky):
    ra, dec = (np.array(values) for values in sky)
    one = write(tmp_path / "a.ecsv", ra % 360, dec, np.ones(40))
    ra[3], dec[5] = np.nan, np.inf
    masked = np.ma.array(ra % 360, mask=np.arange(40) == 7)
    two = write(tmp_path / "b.ecsv", masked, dec, np.ones(40))
    found = compare(one, two, 0.05, 5)
    assert (found["a"], found["b"], found["no_position_a"], found["no_position_b"]) == (
        40,
        40,
        0,
        3,
    )
    assert (found["matched"], found["only_a"], found["only_b"]) == (37, 3, 0)
    assert compare(two, two, 0.05, 5)["different"] == 0


def test_fluxes_are_compared_in_one_unit(tmp_path, sky):
    def with_unit(name, flux, unit, unit_of_error):
        path = write(tmp_path / name, sky[0] % 360, sky[1], np.full(40, flux), flux / 10)
        found = Table.read(path)
        found["flux"].unit, found["flux_err"].unit = unit, unit_of_error
        found.write(path, overwrite=True)
        return path

    nano = with_unit("n.ecsv", 1000.0, "nJy", "nJy")
    micro = with_unit("m.ecsv", 1.0, "uJy", "uJy")
    found = compare(nano, micro, 0.05, 5)
    assert found["median_offset_mag"] == pytest.approx(0)
    assert found["largest_sigma"] == pytest.approx(0)
    # an error in another unit than its flux is converted as well
    odd = with_unit("o.ecsv", 1100.0, "nJy", "uJy")
    assert compare(nano, odd, 0.05, 5)["largest_sigma"] == pytest.approx(100 / np.hypot(100, 1.1e5))
    for other, sentence in (("ct / s", "is in ct / s"), (None, "no unit")):
        with pytest.raises(InputError, match=f"flux.*{sentence}.*cannot be compared.*nJy"):
            compare(
                nano, with_unit(f"{sentence}.ecsv".replace("/", ""), 1.0, other, other), 0.05, 5
            )


def test_what_is_no_catalogue_is_a_sentence(tmp_path):
    path = tmp_path / "a.ecsv"
    Table({"ra": [1.0]}).write(path, format="ascii.ecsv")
    with pytest.raises(InputError, match="has no column dec, flux, flux_err"):
        compare(path, path, 0.05, 1)
    path.write_text("nothing")
    with pytest.raises(InputError, match="cannot be read"):
        compare(path, path, 0.05, 1)
