"""What a file is, is told by what is in it; what does not open is refused."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from hst123r.errors import InputError
from hst123r.products.recognised import recognise

WRONG = ["cut.fits", "empty.fits", "letter.txt", "ragged.cat", "notes.phot", "bad.ecsv", "half.h5"]


def image(**cards):
    primary = fits.PrimaryHDU()
    primary.header.update(cards)
    return fits.HDUList([primary, fits.ImageHDU(np.zeros((8, 8), "f4"), name="SCI")])


@pytest.fixture
def files(tmp_path):
    import h5py

    image(TELESCOP="HST", ROOTNAME="jbcd01a1q").writeto(tmp_path / "jbcd01a1q_flc.fits")
    image(NDRIZIM=4, TELESCOP="HST", ROOTNAME="jbcd01010").writeto(tmp_path / "stack.fits")
    image().writeto(tmp_path / "plain.fits")
    letter = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(name="SIPWCS")])
    letter[0].header["HDRNAME"] = "x"
    letter.writeto(tmp_path / "x_hlet.fits")
    table = Table({"ra": [1.0], "dec": [2.0]})
    table.write(tmp_path / "stars.fits")
    table.write(tmp_path / "stars.ecsv")
    table.write(tmp_path / "stars.csv")
    with h5py.File(tmp_path / "dp0000.h5", "w") as out:
        out["photometry"] = np.zeros(3)
    (tmp_path / "dp0000").write_text("1 2.0 3.5e3\n4 5 nan\n")
    (tmp_path / "dp0000.phot").write_text("# source = 1\n# MJD Instrument\n59000.1 ACS_WFC\n")
    whole = (tmp_path / "plain.fits").read_bytes()
    (tmp_path / "cut.fits").write_bytes(whole[:-1000])
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    (tmp_path / "letter.txt").write_text("Dear Ann,\n")
    (tmp_path / "ragged.cat").write_text("1 2\n3\n")
    (tmp_path / "notes.phot").write_text("notes\n")
    (tmp_path / "bad.ecsv").write_text("nothing: [\n")
    (tmp_path / "half.h5").write_bytes((tmp_path / "dp0000.h5").read_bytes()[:600])
    return tmp_path


def test_everything_is_told_by_what_is_in_it(files):
    names = {path.name for path in files.iterdir()} - set(WRONG)
    assert {name: recognise(files / name) for name in names} == {
        "jbcd01a1q_flc.fits": "exposure", "stack.fits": "image", "plain.fits": "image",
        "x_hlet.fits": "headerlet", "stars.fits": "catalogue", "stars.ecsv": "catalogue",
        "stars.csv": "catalogue", "dp0000.h5": "catalogue", "dp0000": "catalogue",
        "dp0000.phot": "light curve",
    }  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_open_is_refused(files, name):
    with pytest.raises(InputError) as found:
        recognise(files / name)
    assert name in str(found.value)


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        recognise(tmp_path / "none")
