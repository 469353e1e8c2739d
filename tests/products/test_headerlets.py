"""A WCS brought from one copy of an exposure to another by a headerlet."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from hst123r.errors import StageError
from hst123r.products.headerlets import write_headerlet


@pytest.mark.filterwarnings("ignore:The WCS transformation has more axes")
def test_another_copy_gets_the_wcs(acs, tmp_path, monkeypatch):
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    root = fits.getval(acs["science"], "ROOTNAME")
    with fits.open(acs["science"], mode="update") as hdus:
        for version in (1, 2):
            hdus["SCI", version].header["CRVAL1"] += 1e-4
            hdus["SCI", version].header["WCSNAME"] = "HST123R"
    path = tmp_path / "new_hlet.fits"
    write_headerlet(acs["science"], path, root, 40, "SN")
    assert list(elsewhere.iterdir()) == []
    with fits.open(path) as hdus:
        assert [hdu.name for hdu in hdus].count("SIPWCS") == 2
        head = hdus[0].header
        assert (head["HDRNAME"], head["DESTIM"]) == (f"{root}_HST123R", root)
        assert (head["WCSNAME"], head["NMATCH"], head["CATALOG"]) == ("HST123R", 40, "SN")
        for version in (1, 2):
            here = WCS(hdus["SIPWCS", version].header, hdus, relax=True)
            with fits.open(acs["science"]) as given:
                there = WCS(given["SCI", version].header, given)
            x, y = np.random.default_rng(1).uniform(0, 64, (2, 20))
            back = np.array(here.all_world2pix(*there.all_pix2world(x, y, 0), 0, tolerance=1e-8))
            assert np.abs(back - [x, y]).max() < 1e-6


def test_a_file_without_a_wcs_of_hubble_is_a_sentence(tmp_path):
    path = tmp_path / "x.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((4, 4)), name="ERR")]).writeto(path)
    with pytest.raises(StageError, match="no headerlet of x"):
        write_headerlet(path, tmp_path / "out.fits", "x", 0, "SN")
