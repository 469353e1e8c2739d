"""Files of the STDPSF library."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.files.psf_library import RADIUS_PIX, find_grid, older, read_grid
from hst123r.optics.telescope import effective_psf

ACS, IR = instruments.get("ACS/WFC"), instruments.get("WFC3/IR")


def write(path, rows, psfs):
    """Write PSFs, one for each row of places, as the library has them."""
    header = fits.Header([("NXPSFS", 1), ("NYPSFS", len(rows)), ("IPSFX01", 2048)])
    header.extend([(f"JPSFY{n:02d}", row) for n, row in enumerate(rows, 1)])
    fits.PrimaryHDU(np.stack(psfs).astype("f4"), header).writeto(path)


def native(fwhm_pix):
    """Return a round PSF of some width on a grid of four nodes a pixel."""
    x = (np.arange(101) - 50) / 4
    return np.exp(-2.77 * (x[:, None] ** 2 + x**2) / fwhm_pix**2)


def test_each_chip_has_its_own_psf_with_the_light_of_the_computed_one(tmp_path):
    path = tmp_path / "PSFSTD_ACSWFC_F606W.fits"
    write(path, [0, 2048, 2048, 4096], [native(2), native(2), native(3), native(3)])
    assert find_grid(tmp_path, ACS, "F606W") == path
    assert older(tmp_path, ACS, "F606W") == path
    newer = tmp_path / "STDPSF_ACSWFC_F606W.fits"
    newer.touch()
    assert find_grid(tmp_path, ACS, "F606W") == newer
    found = read_grid(path, ACS, "F606W")
    # the lower chip, WFC2, is the first extension of a file
    first, second = sorted(ACS.chips, key=lambda chip: chip.extver)
    assert found[first.number].fwhm_pix == pytest.approx(2.0, abs=0.05)
    assert found[second.number].fwhm_pix == pytest.approx(3.0, abs=0.05)
    light = effective_psf(ACS, "F606W", chip=first.number).encircled_energy(RADIUS_PIX)
    for psf in found.values():
        assert float(psf.encircled_energy(RADIUS_PIX)) == pytest.approx(float(light), abs=1e-3)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no STDPSF_ACSWFC_F814W.fits"):
        find_grid(tmp_path, ACS, "F814W")
    with pytest.raises(InputError, match="no files of WFPC2"):
        find_grid(tmp_path, instruments.get("WFPC2"), "F555W")


def test_a_file_of_another_detector_or_none_is_refused(tmp_path):
    path = tmp_path / "PSFSTD_WFC3IR_F160W.fits"
    write(path, [0, 2048, 2048, 4096], [native(2)] * 4)
    with pytest.raises(InputError, match="PSFs of 2 chips, WFC3/IR has 1"):
        read_grid(path, IR, "F160W")
    path.write_text("no FITS")
    with pytest.raises(InputError, match="cannot be read"):
        read_grid(path, IR, "F160W")
