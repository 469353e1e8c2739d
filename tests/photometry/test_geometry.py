from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.photometry.geometry import AreaMap, pixel_area, pixel_jacobian, sky_to_pixel
from hst123r.simulation.pointing import place, template_of


@pytest.fixture(scope="module", params=["ACS/WFC", "WFC3/IR"])
def chip(request):
    detector = instruments.get(request.param)
    return place(template_of(detector), (359.999, -60.0), 30.0).true[0]


def test_area_is_that_of_the_distortion(chip):
    shape, scale = chip.shape, float(chip.header["IDCSCALE"])
    expected = chip.pixel_area()
    area = AreaMap(chip.wcs, shape, scale)
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, shape[1], 300), rng.integers(0, shape[0], 300)
    assert np.abs(area(x, y) - expected[y, x]).max() < 2e-5
    assert np.abs(pixel_area(chip.wcs, x, y, scale) - expected[y, x]).max() < 2e-5


def test_the_image_of_areas_is_the_area_of_every_pixel(chip):
    area = AreaMap(chip.wcs, chip.shape, float(chip.header["IDCSCALE"]))
    image = area.image()
    assert image.shape == tuple(chip.shape)
    y, x = np.random.default_rng(2).integers(0, 1000, (2, 300))
    assert image[y, x] == pytest.approx(area(x, y), abs=1e-12)
    assert image[-1, -1] == pytest.approx(float(area(chip.shape[1] - 1, chip.shape[0] - 1)))


def test_jacobian_predicts_small_steps(chip):
    x, y = np.array([100.0, 700.0]), np.array([50.0, 900.0])
    jacobian = pixel_jacobian(chip.wcs, x, y)
    ra, dec = chip.wcs.all_pix2world(x, y, 0)
    ra2, dec2 = chip.wcs.all_pix2world(x + 0.3, y - 0.2, 0)
    step = jacobian @ np.array([0.3, -0.2])
    east = ((ra2 - ra + 180) % 360 - 180) * np.cos(np.radians(dec)) * 3600
    assert step[:, 0] == pytest.approx(east, abs=1e-6)
    assert step[:, 1] == pytest.approx((dec2 - dec) * 3600, abs=1e-6)


def test_no_positions_no_jacobian(chip):
    assert pixel_jacobian(chip.wcs, [], []).shape == (0, 2, 2)


def test_sky_to_pixel_goes_back(chip):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-20, chip.shape[1] + 20, 200), rng.uniform(-20, chip.shape[0] + 20, 200)
    ra, dec = chip.wcs.all_pix2world(x, y, 0)
    px, py = sky_to_pixel(chip.wcs, chip.shape, ra, dec)
    assert np.abs(px - x).max() < 1e-4
    assert np.abs(py - y).max() < 1e-4


def test_positions_elsewhere_are_not_on_the_frame(chip):
    ra, dec = chip.wcs.all_pix2world(500.0, 500.0, 0)
    # the other side of the sphere, a degree away, and nowhere
    far_ra = [float(ra) + 180.0, float(ra), np.nan]
    far_dec = [-float(dec), float(dec) + 1.0, 0.0]
    x, y = sky_to_pixel(chip.wcs, chip.shape, far_ra, far_dec)
    assert np.isnan(x).all()
    assert np.isnan(y).all()


def test_a_grid_around_the_frame_never_folds_into_it(chip):
    steps = np.linspace(-0.3, 0.3, 41)
    ra0, dec0 = (float(v) for v in chip.wcs.all_pix2world(500.0, 500.0, 0))
    d_ra, d_dec = np.meshgrid(steps, steps)
    ra, dec = ra0 + d_ra.ravel() / np.cos(np.radians(dec0)), dec0 + d_dec.ravel()
    x, y = sky_to_pixel(chip.wcs, chip.shape, ra, dec)
    inside = (x > 0) & (x < chip.shape[1]) & (y > 0) & (y < chip.shape[0])
    back_ra, back_dec = chip.wcs.all_pix2world(x[inside], y[inside], 0)
    east = ((back_ra - ra[inside] + 180) % 360 - 180) * np.cos(np.radians(dec0))
    assert inside.any()
    assert np.hypot(east, back_dec - dec[inside]).max() < 1e-7
