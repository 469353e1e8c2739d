"""Reference files that headers name."""

import numpy as np
from astropy.io import fits

from hst123r.files.references import reference_files


def test_names_of_all_headers_once_without_what_is_none(tmp_path):
    primary = fits.PrimaryHDU()
    primary.header.update(
        IDCTAB="jref$0461802ej_idc.fits", NPOLFILE="N/A", CRDS_CTX="hst_1127.pmap", DARKFILE="",
        TARGNAME="cost$", EXPTIME=30.0,
    )  # fmt: skip
    primary.header.add_history("iref$t2c16200i_ccd.fits")
    science = fits.ImageHDU(np.zeros((4, 4), "f4"), name="SCI")
    science.header["IDCTAB"] = "jref$0461802ej_idc.fits"
    science.header["D2IMFILE"] = "jref$4bb15371j_d2i.fits"
    path = tmp_path / "x.fits"
    fits.HDUList([primary, science]).writeto(path)
    assert reference_files([path, path]) == [
        {"keyword": "IDCTAB", "name": "jref$0461802ej_idc.fits"},
        {"keyword": "CRDS_CTX", "name": "hst_1127.pmap"},
        {"keyword": "D2IMFILE", "name": "jref$4bb15371j_d2i.fits"},
    ]
