"""The reference catalogue as a table."""

import numpy as np
import pytest

from hst123r import instruments
from hst123r.algorithms.merge import Catalogue
from hst123r.algorithms.sphere import separation_arcsec
from hst123r.optics.encircled import aperture_correction
from hst123r.products import tables
from hst123r.products.reference_table import read_reference, write_reference
from hst123r.products.user_reference import read_user_reference


def test_what_is_read_has_the_units_of_the_code(small):
    path = small.path("reference/SN/SN_reference.ecsv")
    table, stars = tables.read(path), read_reference(path)
    assert str(table["pos_err"].unit) == "mas"
    assert stars.error_arcsec * 1000 == pytest.approx(np.asarray(table["pos_err"]))
    assert stars.rate == pytest.approx(np.asarray(table["rate"]))
    assert table["star"].tolist() == list(range(1, len(table) + 1))
    assert np.all(np.diff(table["rate"]) <= 0)
    first = stars.as_star_list()[0]
    assert first == (stars.ra_deg[0], stars.dec_deg[0], stars.rate[0])


def test_the_catalogue_holds_true_stars_at_their_places(small):
    stars = read_reference(small.path("reference/SN/SN_reference.ecsv"))
    table = tables.read(small.path("reference/SN/SN_reference.ecsv"))
    truth = small.truth("jsi00101q")
    sure = np.asarray(table["detections"]) == 2
    assert sure.sum() > 25
    # lists of stars for alignment are not brought to the published light, which the stars have
    light = aperture_correction(instruments.get("ACS/WFC"), "F606W", 1).factor
    right = wrong = 0
    for ra, dec, error, rate in zip(
        stars.ra_deg[sure], stars.dec_deg[sure], stars.error_arcsec[sure], stars.rate[sure],
        strict=True,
    ):  # fmt: skip
        apart = separation_arcsec(ra, dec, np.asarray(truth["ra"]), np.asarray(truth["dec"]))
        nearest = int(np.argmin(apart))
        if apart[nearest] > 5 * error + 0.001:
            wrong += 1
            continue
        right += rate == pytest.approx(float(truth["rate"][nearest]) / light, rel=0.1)
    # two exposures are hit in one place
    assert wrong <= 1
    # a star that looks like a galaxy, as blends do, has the light of its neighbours too
    assert right > 0.85 * sure.sum()


def test_stars_that_move_are_read_where_they_are_at_a_time(tmp_path):
    """3.6 arcsec a year to the north, measured in 2010; the table is of 2015, the visit of 2020."""
    (tmp_path / "c.csv").write_text(
        "ra,dec,pos_err,pmra,pmdec,pmra_error,pmdec_error,ref_epoch\n"
        "10,0,1,0,3600,0.3,0.3,2010\n11,0,1,,,,,2010\n"
    )
    how = {"fwhm_arcsec": 0.1, "threshold_sigma": 5.0, "brightest": 9}
    mjd = {year: 51544.5 + (year - 2000) * 365.25 for year in (2015, 2020)}
    found = read_user_reference(tmp_path / "c.csv", year=2015.0, **how)
    write_reference(found, tmp_path / "c.ecsv", {"mjd": mjd[2015]})
    then, now = (read_reference(tmp_path / "c.ecsv", when) for when in (None, mjd[2020]))
    assert then.dec_deg == pytest.approx([0.005, 0.0], abs=1e-9)
    assert now.dec_deg == pytest.approx([0.010, 0.0], abs=1e-9)
    # what is not known grows by 5 mas a year from 2010 on
    assert then.error_arcsec * 1e3 == pytest.approx([np.hypot(1, 1.5), np.hypot(1, 25)], abs=2e-3)
    assert now.error_arcsec * 1e3 == pytest.approx([np.hypot(1, 3), np.hypot(1, 50)], abs=2e-3)


def test_what_visits_share_is_kept_and_is_nothing_without_added_visits(tmp_path):
    ones, rows = np.ones(3), np.ones(3, np.int64)
    plain = Catalogue(ones, ones, ones / 500, ones, ones, rows, rows, np.zeros((1, 2)), {})
    grown = Catalogue(
        ones, ones, ones / 500, ones, ones, rows, rows, np.zeros((1, 2)), {},
        frame_error_arcsec=np.array([0.0, 0.003, 0.004]), links=np.array([0, 1, 2]),
    )  # fmt: skip
    found = {}
    for name, catalogue in (("plain", plain), ("grown", grown)):
        write_reference(catalogue, tmp_path / f"{name}.ecsv", {})
        found[name] = read_reference(tmp_path / f"{name}.ecsv")
    assert found["plain"].chain_of(np.array([0, 1])) == (0, 0.0)
    links, error = found["grown"].chain_of(np.array([1, 2]))
    assert (links, error) == (2, pytest.approx(np.sqrt((0.003**2 + 0.004**2) / 2)))
    assert found["grown"].chain_of(np.zeros(0, np.int64)) == (0, 0.0)
