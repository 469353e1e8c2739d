"""The HDU lists: structure, keywords, units, and that they belong to their detector."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from hst123r import instruments

STRUCTURE = {
    "ACS/WFC": {"flc": ["SCI", "ERR", "DQ"] * 2},
    "ACS/HRC": {"flt": ["SCI", "ERR", "DQ"]},
    "WFC3/UVIS": {"flc": ["SCI", "ERR", "DQ"] * 2},
    "WFC3/IR": {"flt": ["SCI", "ERR", "DQ", "SAMP", "TIME"]},
    "WFPC2": {"c0m": ["SCI"] * 4, "c1m": ["SCI"] * 4},
}


def test_files_and_extensions_are_those_of_the_archive(simulated):
    detector, planned, exposure = simulated
    wanted = STRUCTURE[detector.name]
    assert list(exposure.files) == [f"{planned.root}_{suffix}.fits" for suffix in wanted]
    for (name, hdus), extensions in zip(exposure.files.items(), wanted.values(), strict=True):
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus[1:]] == extensions
        assert all(hdu.data.shape == (128, 128) for hdu in hdus[1:])
        primary = hdus[0].header
        assert primary["FILENAME"] == name
        assert primary["NEXTEND"] == len(extensions)
        assert instruments.match(primary) is detector


def test_equal_programmes_make_equal_bytes(simulated, simulate_again):
    detector, _, exposure = simulated
    _, _, again = simulate_again(detector.name)
    for first, second in zip(exposure.files.values(), again.files.values(), strict=True):
        assert contents(first) == contents(second)


def contents(hdus):
    file = io.BytesIO()
    fits.HDUList([hdu.copy() for hdu in hdus]).writeto(file)
    return file.getvalue()


def test_stwcs_reads_the_headers(simulated):
    from stwcs.wcsutil import HSTWCS

    detector, _, exposure = simulated
    hdus = next(iter(exposure.files.values()))
    for chip in detector.chips:
        wcs = HSTWCS(hdus, ext=("SCI", chip.extver))
        assert wcs.naxis1 == wcs.naxis2 == 128
        assert wcs.idcscale == pytest.approx(chip.geometry.idc["IDCSCALE"])
        assert wcs.pscale == pytest.approx(chip.geometry.idc["IDCSCALE"], rel=0.15)
        plain = WCS(hdus["SCI", chip.extver].header).all_pix2world(60, 70, 0)
        assert np.array(wcs.all_pix2world(60, 70, 0)) == pytest.approx(np.array(plain), abs=1e-12)
