"""Catalogues of the user's."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from hst123r.errors import InputError
from hst123r.products.star_catalogue import read_star_catalogue

PLAIN = {"ra": [1.0, 2.0, 3.0], "dec": [4.0, 5.0, 6.0]}
GAIA = {
    **PLAIN, "ra_error": [3.0, 0.3, 0.3], "dec_error": [4.0, 0.4, 0.4], "pmra": [1.0, 2.0, 3.0],
    "pmdec": [1.0, 2.0, 3.0], "pmra_error": [0.1] * 3, "pmdec_error": [0.1] * 3,
    "ref_epoch": [2016.0] * 3, "phot_g_mean_mag": [20.0, 15.0, 18.0],
}  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "ecsv", "fits"])
def test_every_format_gives_the_same_the_brightest_first(tmp_path, ending):
    path = tmp_path / f"c.{ending}"
    Table(GAIA).write(path)
    stars = read_star_catalogue(path)
    assert stars.ra_deg.tolist() == [2.0, 3.0, 1.0]
    assert stars.error_mas == pytest.approx(np.array([0.5, 0.5, 5.0]) / 2**0.5)
    assert stars.pm_ra_mas_yr.tolist() == [2.0, 3.0, 1.0]
    assert stars.epoch.tolist() == [2016.0] * 3


def test_units_are_converted(tmp_path):
    table = Table({**PLAIN, "pos_err": [0.1, 0.2, 0.3]})
    table["ra"] = (table["ra"] * u.deg).to(u.arcmin)
    table["pos_err"].unit = u.arcsec
    table.write(tmp_path / "c.ecsv")
    stars = read_star_catalogue(tmp_path / "c.ecsv")
    assert stars.ra_deg == pytest.approx([1.0, 2.0, 3.0])
    assert stars.error_mas == pytest.approx([100.0, 200.0, 300.0])
    assert np.isnan(stars.pm_ra_mas_yr).all()


def test_empty_cells_are_not_known(tmp_path):
    (tmp_path / "c.csv").write_text(
        "ra,dec,ra_error,dec_error,pmra,pmdec,ref_epoch\n"
        "1,2,0.1,0.1,,,2016\n3,4,,,1,1,2016\n5,6,0.1,0.1,1,1,2016\n"
    )
    stars = read_star_catalogue(tmp_path / "c.csv")
    assert stars.ra_deg.tolist() == [1.0, 5.0]
    assert np.isnan(stars.pm_ra_mas_yr).tolist() == [True, False]


def test_mean_objects_of_pan_starrs_are_taken_as_they_come(tmp_path):
    """Errors in arcsec, the epoch as MJD, and -999 where there is no value."""
    (tmp_path / "ps1.csv").write_text(
        "objID,raMean,decMean,raMeanErr,decMeanErr,epochMean,rMeanPSFMag\n"
        "1,10.5,-20.25,0.003,0.004,56658.0,18.5\n"
        "2,10.6,-20.35,-999.0,-999.0,56658.0,15.0\n"
        "3,10.7,-20.45,0.030,0.040,56475.375,-999.0\n"
        "4,-999.0,-999.0,0.003,0.004,56658.0,17.0\n"
    )
    stars = read_star_catalogue(tmp_path / "ps1.csv")
    # the one without a magnitude comes last
    assert stars.ra_deg.tolist() == [10.5, 10.7]
    assert stars.error_mas == pytest.approx(np.array([5.0, 50.0]) / 2**0.5)
    # J2000.0 is MJD 51544.5, and a Julian year has 365.25 days
    assert stars.epoch == pytest.approx([2014.0, 2013.5], abs=1e-3)
    assert np.isnan(stars.pm_ra_mas_yr).all()


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"alpha": [1.0], "dec": [2.0]}, "no columns `ra` and `dec`.*It has alpha, dec"),
        (PLAIN, "how good its positions are"),
        ({k: v for k, v in GAIA.items() if k != "ref_epoch"}, "proper motions and no epoch"),
        ({**GAIA, "ra": ["a", "b", "c"]}, "its column 'ra'"),
    ],
)
def test_what_is_not_known_is_not_guessed(tmp_path, columns, says):
    Table(columns).write(tmp_path / "c.ecsv")
    with pytest.raises(InputError, match=says):
        read_star_catalogue(tmp_path / "c.ecsv")


def test_the_recipe_can_say_what_the_file_does_not(tmp_path):
    Table(PLAIN).write(tmp_path / "c.ecsv")
    stars = read_star_catalogue(tmp_path / "c.ecsv", error_mas=20.0, epoch=2010.0)
    assert stars.error_mas.tolist() == [20.0] * 3
    assert stars.epoch.tolist() == [2010.0] * 3


def test_a_file_that_is_no_catalogue(tmp_path):
    (tmp_path / "c.txt").write_text("x")
    (tmp_path / "c.fits").write_text("x")
    for name, says in (("c.txt", "no catalogue that can be read"), ("c.fits", "cannot be read")):
        with pytest.raises(InputError, match=says):
            read_star_catalogue(tmp_path / name)


def test_real_rows_of_gaia(shared_data):
    path = shared_data / "catalogs" / "gaiadr3_47tuc_full_columns_SArcD.csv"
    stars = read_star_catalogue(path, epoch=2016.0)
    assert stars.ra_deg.size > 9000
    # the file has no errors of the motions: they count as not known
    _, _, error = stars.at(2002.3)
    assert np.median(error) > 0.06
