"""Files of the STDPSF library."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.files.psf_library import RADIUS_PIX, find_grid, older, read_grid
from hst123r.optics.telescope import effective_psf

ACS, IR = instruments.get("ACS/WFC"), instruments.get("WFC3/IR")
WFPC2 = instruments.get("WFPC2")


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
    for number, psf in found.items():
        light = effective_psf(ACS, "F606W", chip=number).encircled_energy(RADIUS_PIX)
        assert float(psf.encircled_energy(RADIUS_PIX)) == pytest.approx(float(light), abs=1e-3)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no STDPSF_ACSWFC_F814W.fits"):
        find_grid(tmp_path, ACS, "F814W")
    with pytest.raises(InputError, match="no files of WFPC2"):
        find_grid(tmp_path, WFPC2.model_copy(update={"psf_library": None}), "F555W")


def test_a_file_of_another_detector_or_none_is_refused(tmp_path):
    path = tmp_path / "PSFSTD_WFC3IR_F160W.fits"
    write(path, [0, 2048, 2048, 4096], [native(2)] * 4)
    with pytest.raises(InputError, match=r"PSFSTD_WFC3IR_F160W.fits.*not of one chip"):
        read_grid(path, IR, "F160W")
    path.write_text("no FITS")
    with pytest.raises(InputError, match="cannot be read"):
        read_grid(path, IR, "F160W")


def frame_of_wfpc2(path, corners):
    """Write a file of 6 by 6 places, as the library's, whose quarters have PSFs of four widths."""
    places = [50, 425, 800, 850, 1225, 1600]
    header = fits.Header([("NXPSFS", 6), ("NYPSFS", 6)])
    for key in ("IPSFX", "JPSFY"):
        header.extend([(f"{key}{n:02d}", place) for n, place in enumerate(places, 1)])
    psfs = [
        native(corners[j // 3][i // 3] * (1 + 0.02 * (i % 3) + 0.05 * (j % 3)))
        for j in range(6)
        for i in range(6)
    ]
    fits.PrimaryHDU(np.stack(psfs).astype("f4"), header).writeto(path, overwrite=True)
    return path


def test_four_chips_are_where_the_author_of_the_library_puts_them(tmp_path):
    """PC1 at the origin, WF2 beside it, WF3 across, WF4 above (hst1pass.F)."""
    path = frame_of_wfpc2(tmp_path / "STDPSF_WFPC2_F555W.fits", [[2.4, 1.5], [1.9, 1.7]])
    assert find_grid(tmp_path, WFPC2, "F555W") == path
    found = read_grid(path, WFPC2, "F555W")
    assert sorted(found) == [1, 2, 3, 4]
    for number, width in {1: 2.4, 2: 1.5, 3: 1.7, 4: 1.9}.items():
        grid = found[number].grid
        assert grid.x.tolist() == grid.y.tolist() == [49.0, 424.0, 799.0]
        for x, y, factor in [(49, 49, 1.0), (799, 49, 1.04), (49, 799, 1.1), (424, 424, 1.07)]:
            assert grid.at(x, y).fwhm_pix == pytest.approx(width * factor, rel=0.03)
        # each chip has the light of its own pixels
        light = effective_psf(WFPC2, "F555W", chip=number).encircled_energy(RADIUS_PIX)
        assert float(found[number].encircled_energy(RADIUS_PIX)) == pytest.approx(light, abs=1e-3)
    small, large = (float(found[n].encircled_energy(RADIUS_PIX)) for n in (1, 3))
    assert large - small > 0.03


def test_a_file_whose_chips_are_elsewhere_is_refused(tmp_path):
    path = frame_of_wfpc2(tmp_path / "STDPSF_WFPC2_F555W.fits", [[1.5, 1.6], [1.7, 2.4]])
    with pytest.raises(InputError, match="the chips are elsewhere in it"):
        read_grid(path, WFPC2, "F555W")


def test_every_library_has_each_chip_once():
    for name in instruments.names():
        detector = instruments.get(name)
        numbers = [number for row in detector.psf_chips for number in row]
        assert sorted(numbers) == sorted(chip.number for chip in detector.chips)
        assert len({len(row) for row in detector.psf_chips}) == 1


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "band"), [("ACS/WFC", "F775W"), ("WFC3/UVIS", "F555W"), ("WFC3/IR", "F140W")]
)
def test_files_of_the_library_are_read(name, band, shared_data):
    detector = instruments.get(name)
    path = shared_data / "psf" / f"PSFSTD_{detector.psf_library}_{band}.fits"
    if not path.is_file():
        pytest.skip(f"there is no {path.name} in the folder of real files")
    found = read_grid(path, detector, band)
    assert sorted(found) == sorted(chip.number for chip in detector.chips)
    for chip in detector.chips:
        places = found[chip.number].grid
        assert -1.0 <= places.y[0] <= places.y[-1] <= chip.rows
        assert -1.0 <= places.x[0] <= places.x[-1] <= chip.columns
