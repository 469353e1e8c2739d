from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture
def image(tmp_path):
    """Write a small exposure-like file; keywords change headers and arrays."""

    def write(name="jabc01a1q_flt.fits", *, sci=None, cards=None, primary=None, checksum=False):
        rng = np.random.default_rng(1)
        data = rng.normal(size=(30, 40)).astype("f4") if sci is None else sci
        head = fits.PrimaryHDU()
        head.header["ROOTNAME"] = "jabc01a1q"
        head.header["DATE"] = "2020-01-01"
        head.header["EXPTIME"] = 100.0
        head.header.update(primary or {})
        science = fits.ImageHDU(data, name="SCI", ver=1)
        science.header["CRVAL1"] = 10.0
        science.header["PHOTFLAM"] = 1e-19
        science.header.update(cards or {})
        dq = fits.ImageHDU(np.zeros((30, 40), "i2"), name="DQ", ver=1)
        path = tmp_path / name
        hdus = fits.HDUList([head, science, fits.ImageHDU(abs(data), name="ERR", ver=1), dq])
        head.header["NEXTEND"] = 3
        hdus.writeto(path, overwrite=True, checksum=checksum)
        return path

    return write
