from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from hst123r import instruments
from hst123r.errors import EnvironmentProblem
from hst123r.products.dolphot.areas import chip_area
from hst123r.products.exposures import read_exposure


@pytest.fixture
def exposure(data):
    path = str(data / "jsi00101q_flc.fits")
    with fits.open(path) as hdus:
        yield hdus, read_exposure(path, {"T": (150.1, 2.2)}).chips[0]


def area(exposure, folder=None, offset=(0, 0)):
    hdus, chip = exposure
    return chip_area(hdus, chip, instruments.get("ACS/WFC"), offset, folder, "x[1]")


def test_areas_of_the_headers_wcs(exposure):
    found = area(exposure)
    assert found.shape == tuple(exposure[1].shape)
    assert np.ptp(found) < 0.01
    assert 0.9 < found.mean() < 1.1


def test_the_part_of_a_map_that_a_subarray_covers(exposure, tmp_path):
    rows, columns = np.mgrid[:100, :200]
    full = (rows + 1000 * columns).astype("f4")
    fits.PrimaryHDU(full).writeto(tmp_path / "wfc2_pam.fits")
    assert np.array_equal(area(exposure, tmp_path, (10, 30)), full[30:94, 10:74])
    with pytest.raises(EnvironmentProblem, match=r"has \[100, 200\] pixels.*begins at \[50, 10\]"):
        area(exposure, tmp_path, (10, 50))


def test_a_map_that_is_missing_or_no_map(exposure, tmp_path):
    with pytest.raises(EnvironmentProblem, match=r"No such file.*Install the pixel area maps"):
        area(exposure, tmp_path)
    fits.PrimaryHDU().writeto(tmp_path / "wfc2_pam.fits")
    with pytest.raises(EnvironmentProblem, match=r"wfc2_pam.fits: the map of pixel areas cannot"):
        area(exposure, tmp_path)
