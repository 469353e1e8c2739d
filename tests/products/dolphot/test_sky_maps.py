from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import InputError
from hst123r.instruments.dolphot_facts import CalcSky
from hst123r.products.dolphot.sky_maps import find_sky, write_sky

SETTINGS = CalcSky(r_in=4, r_out=12, step=2, above=2.25, below=2.0)


@pytest.fixture
def image(tmp_path):
    """Write an image for DOLPHOT: a sky of 50, stars, bad and saturated pixels."""
    rng = np.random.default_rng(4)
    data = rng.normal(50, 5, (60, 70)).astype("f4")
    data[rng.random(data.shape) < 0.02] += 1000
    data[rng.random(data.shape) < 0.05] = -500
    data[rng.random(data.shape) < 0.05] = 9e4
    path = tmp_path / "a.chip1.fits"
    header = fits.Header({"BADPIX": -400.0, "SATURATE": 8e4, "DOL_ACS": 1})
    fits.PrimaryHDU(data, header).writeto(path)
    return path


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS.model_copy(update={"step": -30})])
def test_a_map_beside_the_image(image, settings):
    path = write_sky(image, settings)
    assert path.name == "a.chip1.sky.fits"
    with fits.open(path) as hdus:
        sky, header = hdus[0].data, hdus[0].header
    assert sky.shape == (60, 70)
    assert header["DOL_ACS"] == 1
    assert abs(sky.mean() - 50) < 0.5
    assert np.ptp(sky) < 6


def test_a_map_of_an_older_image_is_replaced(image):
    write_sky(image, SETTINGS)
    with fits.open(image, mode="update") as hdus:
        hdus[0].data[:] = 7
    assert (fits.getdata(write_sky(image, SETTINGS)) == 7).all()


def test_the_limits_themselves_are_not_used():
    data = np.full((20, 20), 5.0, "f4")
    data[np.random.default_rng(6).random(data.shape) < 0.3] = 1.0
    assert (find_sky(data, (1.0, 6.0), SETTINGS) == 5).all()
    assert not find_sky(data, (5.0, 6.0), SETTINGS).any()


@pytest.mark.parametrize("step", [2, -10])
def test_what_is_not_finite_is_not_used(step):
    """A sky without a number would be one for every star near it."""
    rng = np.random.default_rng(8)
    data = np.full((40, 40), 5.0, "f4")
    data[rng.random(data.shape) < 0.3] = np.nan
    data[3, 4] = np.inf
    settings = SETTINGS.model_copy(update={"step": step})
    assert (find_sky(data, (1.0, 6.0), settings) == 5).all()
    assert not find_sky(np.full_like(data, np.nan), (1.0, 6.0), settings).any()


def test_an_image_that_is_not_ready(image, tmp_path):
    with fits.open(image, mode="update") as hdus:
        del hdus[0].header["BADPIX"]
    with pytest.raises(InputError, match=r"a.chip1.fits: its header has no BADPIX"):
        write_sky(image, SETTINGS)
    fits.PrimaryHDU().writeto(tmp_path / "none.fits")
    with pytest.raises(InputError, match="there is no image in it"):
        write_sky(tmp_path / "none.fits", SETTINGS)
