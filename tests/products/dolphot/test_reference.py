"""A stack as the image that DOLPHOT's positions refer to."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.products.dolphot.reference import write_reference

ACS = "ACS/WFC"


@pytest.fixture
def stack(tmp_path):
    """Write a small stack in electrons per second, its first column not covered."""

    def call(**cards):
        data = np.arange(12, dtype=np.float32).reshape(3, 4)
        weight = np.full((3, 4), 100.0, np.float32)
        weight[:, 0] = 0
        science = fits.ImageHDU(data, name="SCI")
        science.header.update({
            "BUNIT": "ELECTRONS/S", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0,
            "CRVAL2": 2.0, "CRPIX1": 1.0, "CRPIX2": 1.0, "CD1_1": -1e-5, "CD2_2": 1e-5,
            "EXPTIME": 200.0, **cards,
        })  # fmt: skip
        context = fits.ImageHDU((weight > 0).astype(np.int32), name="CTX")
        primary = fits.PrimaryHDU()
        primary.header.update({"FILTER1": "F606W", "NINPUT": 2, "MJD-AVG": 58574.5})
        path = tmp_path / "stack_drz.fits"
        hdus = [primary, science, fits.ImageHDU(weight, name="WHT"), context]
        fits.HDUList(hdus).writeto(path)
        return path

    return call


def test_rates_become_counts_and_what_is_not_covered_is_bad(stack, tmp_path):
    path = tmp_path / "reference.fits"
    wcs = write_reference(stack(), ACS, path)
    with fits.open(path) as hdus:
        header, data = hdus[0].header, hdus[0].data
    assert header["DOL_ACS"] == -2
    assert header["FILTER1"] == "F606W"
    assert (header["EXPTIME"], header["EXPTIME0"]) == (200.0, 100.0)
    assert header["MJD-OBS"] == 58574.5
    good = (data > header["BADPIX"]) & (data < header["SATURATE"])
    assert not good[:, 0].any()
    assert data[1, 2] == pytest.approx(6 * 200 / 0.951763, rel=1e-6)
    assert good[1, 2]
    assert wcs.wcs.crval[0] == 150.0


def test_counts_stay_and_the_generic_mode_has_no_tag(stack, tmp_path):
    path = tmp_path / "reference.fits"
    write_reference(stack(BUNIT="ELECTRONS"), ACS, path, tagged=False)
    with fits.open(path) as hdus:
        assert "DOL_ACS" not in hdus[0].header
        assert hdus[0].data[1, 2] == pytest.approx(6 / 0.951763, rel=1e-6)


def test_a_stack_without_a_time_is_none(stack, tmp_path):
    with pytest.raises(InputError, match="its exposure time is 0 s"):
        write_reference(stack(EXPTIME=0.0), ACS, tmp_path / "reference.fits")
