from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.photometry.dolphot_mask import MaskRules, above, below, mask_pixels, mask_stack

RULES = MaskRules(bad=1727, saturated=2304, cosmic_rays=12288, widen=2.0)
LIMITS = (-60.0, 84000.0)


def one(value, quality, rules=RULES, limits=LIMITS, **more):
    """Mask a pixel in the middle of good ones."""
    data = np.full((3, 3), 100.0, "f4")
    flags = np.zeros((3, 3), "i4")
    data[1, 1], flags[1, 1] = value, quality
    masked = mask_pixels(data, flags, rules, limits, **more)
    pixel = masked.data[1, 1]
    return "bad" if pixel < masked.low else "saturated" if pixel > masked.high else float(pixel)


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(0, -1, 1), (-250, -251.0025, -248.9975), (100, 98.999, 101.001)],
)
def test_safely_outside(value, down, up):
    assert below(value) == np.float32(down)
    assert above(value) == np.float32(up)
    assert above(4095.0) == np.float32(4096.04095)


@pytest.mark.parametrize(
    ("bit", "verdict"),
    [(b, "bad") for b in (1, 2, 4, 8, 16, 32, 128, 512, 1024, 4096, 8192)]
    + [(256, "saturated"), (2048, "saturated"), (64, 50.0), (16384, 50.0), (8 | 256, "saturated")],
)
def test_every_bit(bit, verdict):
    """As measured bit by bit with acsmask of 2022."""
    assert one(50.0, bit) == verdict


def test_cosmic_rays_can_stay():
    assert one(50.0, 4096 | 8192, keep_cosmic_rays=True) == 50
    assert one(50.0, 16 | 8192, keep_cosmic_rays=True) == "bad"


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(-61.5, "bad"), (84002.0, "saturated"), (-60.9, pytest.approx(-60.9)), (np.nan, "bad"),
     (np.inf, "bad"), (-np.inf, "bad")],
)  # fmt: skip
def test_limits_of_the_header(value, verdict):
    found = one(value, 0)
    assert found == verdict


def test_limits_are_those_of_a_real_run():
    """BADPIX and SATURATE of the sample headers, written by acsmask and wfpc2mask."""
    blank, flags = np.zeros((2, 2), "f4"), np.zeros((2, 2), "i4")
    acs = mask_pixels(blank, flags, RULES, LIMITS)
    assert (acs.low, acs.high) == (np.float32(-183.0018), np.float32(252005.53125))
    wfpc2 = mask_pixels(blank, flags, MaskRules(951, 8, 4096), (-100.0, 4095.0))
    assert (wfpc2.low, wfpc2.high) == (np.float32(-151.501495), np.float32(6144.061523))


def test_areas_unit_and_what_is_divided_by():
    data = np.array([[100.0, 200.0], [300.0, 400.0]], "f4")
    area = np.array([[1.0, 1.05], [0.95, 1.0]], "f4")
    masked = mask_pixels(data, np.zeros((2, 2), "i4"), RULES, LIMITS, area, 10.0, 0.951763)
    wanted = (data * (area.astype("f8") / 0.951763)).astype("f4") * 10
    assert np.allclose(masked.data, wanted, rtol=1e-7)
    assert masked.low == pytest.approx(-1830.018)
    assert (masked.bad, masked.saturated) == (0, 0)
    assert data[0, 1] == 200


def test_the_edge_and_the_ceiling():
    rules = MaskRules(951, 8, 4096, ceiling=3500.0, trim=True)
    data = np.full((4, 5), 10.0, "f4")
    data[0, 0] = data[3, 4] = 3600.0
    masked = mask_pixels(data, np.zeros((4, 5), "i4"), rules, (-100.0, 4095.0))
    bad = masked.data < masked.low
    assert bad[:3, -1].all()
    assert bad[-1, :-1].all()
    assert bad.sum() == masked.bad == 7
    assert ((masked.data > masked.high) == (data > 3500)).all()


@pytest.mark.parametrize("low", [-60.0, 0.0, 5.0])
def test_limits_keep_their_order_on_either_side_of_zero(low):
    data = np.array([[low - 10, low + 10]], "f4")
    masked = mask_pixels(data, np.zeros((1, 2), "i4"), RULES, (low, 1000.0))
    assert masked.data[0, 0] < masked.low < masked.data[0, 1]


def test_a_reference():
    data = np.array([[0.5, -0.25, 2.0], [np.nan, 1.0, 0.1]], "f4")
    covered = np.array([[True, True, True], [True, False, True]])
    masked = mask_stack(data, covered, 1000.0, 0.5)
    assert (masked.low, masked.high) == (-500.0, 4000.0)
    assert masked.data[0, 0] == 1000
    assert masked.data[0, 1] == masked.low
    assert masked.data[0, 2] == masked.high
    assert (masked.data[1] < masked.low).tolist() == [True, True, False]
    assert (masked.bad, masked.saturated) == (3, 1)
    with pytest.raises(InputError, match="cannot be a reference"):
        mask_stack(np.full((2, 2), np.nan, "f4"), np.ones((2, 2), bool), 1.0)


def test_what_does_not_fit():
    data, flags = np.zeros((2, 3), "f4"), np.zeros((2, 3), "i4")
    with pytest.raises(InputError, match="shape"):
        mask_pixels(data, flags[:1], RULES, LIMITS)
    with pytest.raises(InputError, match="areas"):
        mask_pixels(data, flags, RULES, LIMITS, np.ones((3, 2)))
    with pytest.raises(InputError, match="from 5 to 5"):
        mask_pixels(data, flags, RULES, (5.0, 5.0))
