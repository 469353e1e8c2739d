"""Headerlets and alternates put into use by stwcs, in a child process."""

import shutil

import pytest
from astropy.io import fits

from hst123r.products.wcs_solutions import read_solutions


@pytest.fixture
def exposure(data, add_headerlets):
    path = data / "jsi00101q_flc.fits"
    with fits.open(path, mode="update") as hdus:
        for version in (1, 2):
            header = hdus["SCI", version].header
            header.update(WCSNAME="IDC_toy-FIT_REL_GAIADR2", NMATCHES=40, RMS_RA=6.0)
            for keyword in ("CTYPE", "CRVAL", "CRPIX"):
                for axis in "12":
                    header[f"{keyword}{axis}B"] = header[f"{keyword}{axis}"]
            for name in ("CD1_1", "CD1_2", "CD2_1", "CD2_2"):
                header[f"{name}B"] = header[name]
            header["CRVAL2B"] += 1.0 / 3600
            header["WCSNAMEB"] = "IDC_toy-GSC240"
    add_headerlets(path, IDC_toy=0.5)
    return path


def declinations(path):
    with fits.open(path) as hdus:
        return [hdus["SCI", version].header["CRVAL2"] for version in (1, 2)]


def test_a_headerlet_replaces_the_wcs_and_what_was_said_of_its_fit(exposure, outside, tmp_path):
    before = declinations(exposure)
    index = read_solutions(exposure)[-1].index
    assert outside("apply", tmp_path, path=str(exposure), index=index) == {}
    after = declinations(exposure)
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([0.5 / 3600] * 2)
    solution = read_solutions(exposure)[0]
    assert (solution.name, solution.lacks) == ("IDC_toy", [])
    assert (solution.matches, solution.rms_ra_mas) == (None, None)
    with fits.open(exposure) as hdus:
        assert hdus[0].header["NEXTEND"] == len(hdus) - 1


def test_an_alternate_replaces_the_wcs_and_keeps_the_distortion(exposure, outside, tmp_path):
    before = declinations(exposure)
    sip = fits.getval(exposure, "A_2_0", "SCI", 1)
    assert outside("apply", tmp_path, path=str(exposure), key="B") == {}
    after = declinations(exposure)
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([1 / 3600] * 2)
    assert fits.getval(exposure, "A_2_0", "SCI", 1) == sip
    assert "NMATCHES" not in fits.getheader(exposure, "SCI", 1)
    assert read_solutions(exposure)[0].name == "IDC_toy-GSC240"


def test_a_headerlet_of_another_exposure_is_refused(exposure, outside, tmp_path):
    other = tmp_path / "other.fits"
    shutil.copy(exposure, other)
    fits.setval(other, "ROOTNAME", value="jsi00999q")
    index = read_solutions(other)[-1].index
    said = outside("apply", tmp_path, path=str(other), index=index)
    assert "stwcs cannot apply the headerlet" in said["error"]
