"""References of the user's: images and catalogues, read and never written."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from hst123r.errors import InputError
from hst123r.products.user_reference import read_user_reference, stars_on

HOW = {"year": 2019.3, "fwhm_arcsec": 0.1, "threshold_sigma": 5.0, "brightest": 500}


@pytest.fixture
def write_image(tmp_path):
    """Write an image of 30 stars as MAST does; return its path and their positions."""

    def write(primary=False, scale=1.0, empty=False, celestial=True):
        rng = np.random.default_rng(1)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
        wcs.wcs.crpix = [150.5, 150.5]
        wcs.wcs.cd = np.diag([-0.05, 0.05]) / 3600 * scale
        x, y = rng.uniform(15, 285, (2, 30))
        rows, columns = np.mgrid[:300, :300]
        data = rng.normal(0, 1, (300, 300))
        for a, b in zip(x, y, strict=True):
            data += 300 * np.exp(-0.5 * ((columns - a) ** 2 + (rows - b) ** 2) / 0.85**2)
        data = np.where(empty, np.nan, data).astype("f4")
        header = wcs.to_header() if celestial else None
        hdus = fits.HDUList(
            [fits.PrimaryHDU(data, header)] if primary else [
                fits.PrimaryHDU(), fits.ImageHDU(data, header, name="SCI"),
                fits.ImageHDU(np.ones_like(data), header, name="WHT"),
            ]
        )  # fmt: skip
        hdus.writeto(tmp_path / "r_drc.fits", overwrite=True)
        return tmp_path / "r_drc.fits", wcs.all_pix2world(np.stack([x, y], 1), 0)

    return write


@pytest.mark.parametrize("primary", [False, True])
def test_the_stars_of_an_image(write_image, primary):
    path, sky = write_image(primary)
    path.chmod(0o444)
    before = path.read_bytes()
    found = read_user_reference(path, **HOW)
    assert path.read_bytes() == before
    away = np.hypot(
        *(3600 * (np.stack([found.ra_deg, found.dec_deg], 1)[:, None] - sky[None])).T
    ).min(axis=1)
    assert np.median(away) < 0.003
    assert np.sum(away < 0.01) >= 25
    assert np.all(np.diff(found.flux) <= 0)
    assert found.position_error_arcsec.min() == pytest.approx(0.0025, rel=0.1)


def test_an_image_that_cannot_be_used(write_image):
    for given, says in (
        ({"scale": 100.0}, r"pixels of 5 arcsec"),
        ({"empty": True}, "the image is empty"),
        ({"celestial": False}, "no celestial WCS"),
    ):
        with pytest.raises(InputError, match=says):
            read_user_reference(write_image(**given)[0], **HOW)


def test_a_table_is_taken_at_the_time_of_the_exposures(tmp_path):
    Table(
        {"ra": [10.0], "dec": [0.0], "pos_err": [1.0], "pmra": [0.0], "pmdec": [3.6e3],
         "ref_epoch": [2009.3]}
    ).write(tmp_path / "c.fits")  # fmt: skip
    found = read_user_reference(tmp_path / "c.fits", **HOW)
    assert found.dec_deg == pytest.approx([0.01], abs=1e-8)
    assert np.isnan(found.flux).all()


def test_what_a_table_does_not_say_is_given_by_the_recipe(tmp_path):
    (tmp_path / "c.csv").write_text("ra,dec,pmra,pmdec\n10,0,0,3600\n")
    with pytest.raises(InputError, match="set `file_error`"):
        read_user_reference(tmp_path / "c.csv", **HOW)
    with pytest.raises(InputError, match="set `file_epoch`"):
        read_user_reference(tmp_path / "c.csv", **HOW, error_mas=2.0)
    found = read_user_reference(tmp_path / "c.csv", **HOW, error_mas=2.0, epoch=2009.3)
    assert found.dec_deg == pytest.approx([0.01], abs=1e-8)
    assert found.motions is not None
    assert found.motions.epoch.tolist() == [2009.3]


def test_an_image_whose_time_is_known_has_stars_that_may_have_moved(write_image):
    path, _ = write_image()
    still, moving = (read_user_reference(path, **HOW, epoch=year) for year in (None, 2015.3))
    assert still.motions is None
    assert np.array_equal(still.ra_deg, moving.ra_deg)
    grown = np.hypot(still.position_error_arcsec, 0.020)
    assert moving.position_error_arcsec == pytest.approx(grown)


def test_stars_on_exposures(tmp_path):
    Table({"ra": [10.0, 10.5], "dec": [0.0, 0.0], "pos_err": [1.0, 1.0]}).write(tmp_path / "c.csv")
    found = read_user_reference(tmp_path / "c.csv", **HOW)
    square = [[9.9, -0.1], [10.1, -0.1], [10.1, 0.1], [9.9, 0.1]]
    away = [[a + 180, b] for a, b in square]
    assert stars_on(found, {"a": [square], "b": [away], "c": []}) == {"a": 1, "b": 0, "c": 0}


def test_what_is_no_fits(tmp_path):
    (tmp_path / "x.fits").write_text("x")
    with pytest.raises(InputError, match="the reference cannot be read"):
        read_user_reference(tmp_path / "x.fits", **HOW)
