"""The WCS of exposures, copied to companions and compared before and after."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import StageError
from hst123r.files.content import look
from hst123r.products import wcs_cards
from hst123r.products.wcs_cards import copy_wcs, displacement, renew_wcs, round_trip, take_over


@pytest.mark.parametrize("name", ["SCI", "SDQ"])
def test_a_companion_gets_the_wcs_of_its_science_file_and_keeps_its_flags(wfpc2, name):
    with fits.open(wfpc2["dq"], mode="update") as hdus:
        for hdu in hdus[1:]:
            hdu.name = name
    flags = look_pixels(wfpc2["dq"])
    with fits.open(wfpc2["science"], mode="update") as hdus:
        hdus["SCI", 3].header["CRVAL1"] += 0.001
        hdus["SCI", 3].header["CRVAL1O"] = 150.0
        hdus["SCI", 3].header["EXPTIME"] = -5.0
    copy_wcs(wfpc2["science"], wfpc2["dq"])
    with fits.open(wfpc2["science"]) as one, fits.open(wfpc2["dq"]) as other:
        for version in (1, 2, 3, 4):
            here, there = one["SCI", version].header, other[name, version].header
            for keyword in ("CRVAL1", "CRVAL2", "CD1_1", "CRPIX1"):
                assert there[keyword] == here[keyword]
        assert other[name, 3].header["CRVAL1O"] == 150.0
        assert other[name, 3].header.get("EXPTIME") != -5.0
    assert look_pixels(wfpc2["dq"]) == flags


def look_pixels(path):
    return look(Path(path)).facets["pixels"]


@pytest.mark.parametrize(("east", "north"), [(0.1, 0.0), (0.0, -0.25), (2.0, 1.0)])
def test_a_shift_on_the_sky_is_measured_in_arcsec_east_and_north(acs, read, tmp_path, east, north):
    moved = tmp_path / "moved.fits"
    shutil.copy(acs["science"], moved)
    with fits.open(moved, mode="update") as hdus:
        for version in (1, 2):
            header = hdus["SCI", version].header
            header["CRVAL1"] += east / 3600 / math.cos(math.radians(2.2))
            header["CRVAL2"] += north / 3600
    found = displacement(acs["science"], moved, read(acs))
    assert found == pytest.approx((east, north), abs=1e-4)
    assert displacement(acs["science"], acs["science"], read(acs)) == (0.0, 0.0)


def solved_by_another(acs, path, **cards):
    """Copy an exposure, as another program does, and change cards of its second chip."""
    shutil.copy(acs["science"], path)
    with fits.open(path, mode="update") as hdus:
        for keyword, change in cards.items():
            hdus["SCI", 2].header[keyword] += change
    return path


def test_the_solution_of_another_program_is_taken_over_under_its_name(acs, read, tmp_path):
    solved = solved_by_another(acs, tmp_path / "x.fits", CRVAL2=1e-4, CD1_1=1e-9)
    exposure = read(acs)
    take_over(acs, exposure, solved, "JHAT")
    assert displacement(solved, acs["science"], exposure) == pytest.approx((0, 0), abs=1e-9)
    with fits.open(acs["science"]) as hdus:
        header = hdus["SCI", 2].header
        assert header["WCSNAME"] == "JHAT"
        # what was there is kept as an alternate
        assert header["CRVAL2"] - header["CRVAL2A"] == pytest.approx(1e-4, abs=1e-9)


@pytest.mark.parametrize(("keyword", "change"), [("CRPIX1", 0.5), ("A_2_0", 1e-6)])
def test_what_changes_more_than_the_plane_is_not_taken_over(acs, read, tmp_path, keyword, change):
    """As half a pixel in CRPIX, which no CRVAL says."""
    solved = solved_by_another(acs, tmp_path / "x.fits", **{keyword: change})
    with pytest.raises(StageError, match="JHAT has changed more of the WCS"):
        take_over(acs, read(acs), solved, "JHAT")


def test_a_renewed_companion_has_neither_more_nor_less(wfpc2):
    table = fits.ImageHDU(np.ones((1, 80), "f4"), name="D2IMARR")
    with fits.open(wfpc2["science"], mode="update") as hdus:
        hdus.append(table)
        hdus["SCI", 1].header["D2IMDIS2"] = "Lookup"
    with fits.open(wfpc2["dq"], mode="update") as hdus:
        quality = next(hdu for hdu in hdus[1:] if hdu.ver == 1)
        quality.header["CPDIS1"] = "Lookup"
        quality.header["CRVAL1B"] = 3.0
        hdus.append(fits.ImageHDU(np.ones((9, 9), "f4"), name="WCSDVARR"))
    renew_wcs(wfpc2["science"], wfpc2["dq"])
    with fits.open(wfpc2["dq"]) as hdus:
        quality = next(hdu for hdu in hdus[1:] if hdu.ver == 1)
        assert quality.header["D2IMDIS2"] == "Lookup"
        assert "CPDIS1" not in quality.header
        assert "CRVAL1B" not in quality.header
        assert [hdu.name for hdu in hdus[5:]] == ["D2IMARR"]
    both = [look(Path(wfpc2[role])).facets for role in ("science", "dq")]
    assert both[0]["wcs"] == both[1]["wcs"]


def test_pixels_go_to_the_sky_and_back(acs, read):
    assert round_trip(acs["science"], read(acs)) < 1e-5


def test_a_round_trip_that_is_no_number_is_none(acs, read, monkeypatch):
    class Lost:
        def all_pix2world(self, pixels, _origin):
            return pixels

        def all_world2pix(self, sky, _origin, **_options):
            return np.where(np.arange(len(sky))[:, None] == 3, np.nan, sky)

    exposure = read(acs)
    lost = {chip.extver: Lost() for chip in exposure.chips}
    monkeypatch.setattr(wcs_cards, "open_chips", lambda *_: lost)
    assert np.isnan(round_trip(acs["science"], exposure))
