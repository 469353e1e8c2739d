from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.box_sky import box_sky


def test_a_slope_is_followed_between_the_middles_of_boxes():
    ny, nx, side = 40, 64, 8
    x = np.arange(nx)
    data = np.broadcast_to(10.0 + 0.25 * x, (ny, nx)).astype("f4")
    sky = box_sky(data, np.ones((ny, nx), bool), side, 3.0, 3.0)
    # the program takes the middle of a box for half a pixel more than its mean column
    inner = slice(side // 2, nx - side // 2)
    assert np.allclose(sky[:, inner], data[:, inner] - 0.25 / 2, atol=1e-4)
    assert np.allclose(sky[:, :4], sky[:, 4:5])
    assert np.allclose(sky[:, -4:], sky[:, [-4]])


def test_stars_and_unusable_pixels_are_left_out():
    rng = np.random.default_rng(3)
    data = rng.normal(50, 5, (96, 80)).astype("f4")
    data[rng.integers(0, 96, 60), rng.integers(0, 80, 60)] += 3000
    usable = rng.random(data.shape) > 0.1
    data[~usable] = 1e6
    sky = box_sky(data, usable, 32, 2.25, 2.0)
    assert abs(sky.mean() - 50) < 0.5
    assert np.ptp(sky) < 2


def test_a_box_without_pixels_takes_from_its_neighbours():
    data = np.full((24, 24), 7.0, "f4")
    usable = np.ones(data.shape, bool)
    usable[8:16, 8:16] = False
    usable[:8, :16] = False
    sky = box_sky(data, usable, 8, 2.0, 2.0)
    assert set(np.unique(sky[13:])) == {7.0}
    assert set(np.unique(sky)) == {0.0, 7.0}
    assert not box_sky(data, np.zeros_like(usable), 8, 2.0, 2.0).any()


def test_what_cannot_be_worked_on():
    data = np.zeros((8, 8), "f4")
    with pytest.raises(InputError, match="boxes of 0 pixels"):
        box_sky(data, data == 0, 0, 2, 2)
    with pytest.raises(InputError, match="shape"):
        box_sky(data, np.ones(8, bool), 4, 2, 2)
