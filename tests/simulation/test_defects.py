from __future__ import annotations

import numpy as np
import pytest

from hst123r import instruments
from hst123r.simulation.defects import HOT_FRACTION, bad_pixels, flag
from hst123r.simulation.pointing import place, template_of

TARGET = (10.0, 5.0)


def frames(name, size=None):
    return place(template_of(instruments.get(name)), TARGET, 0.0, size_pix=size).true


def test_bad_pixels_belong_to_the_chip_not_to_the_frame():
    detector = instruments.get("ACS/WFC")
    whole, part = frames("ACS/WFC")[0], frames("ACS/WFC", 512)[0]
    all_hot, some_hot = bad_pixels(detector, whole), bad_pixels(detector, part)
    assert all_hot.hot.size == round(HOT_FRACTION * 2048 * 4096)
    rows, columns = np.divmod(all_hot.hot, 4096)
    rows, columns = rows - part.window.y0, columns - part.window.x0
    inside = (rows >= 0) & (rows < 512) & (columns >= 0) & (columns < 512)
    assert np.array_equal((rows * 512 + columns)[inside], some_hot.hot)
    assert np.array_equal(all_hot.hot_rate_e_s[inside], some_hot.hot_rate_e_s)
    assert set(some_hot.dead_columns + part.window.x0) <= set(all_hot.dead_columns)


def test_each_chip_has_its_own_and_a_ramp_has_no_dead_columns():
    detector = instruments.get("WFPC2")
    first, second = (bad_pixels(detector, frame).hot for frame in frames("WFPC2")[:2])
    assert not np.array_equal(first, second)
    infrared = bad_pixels(instruments.get("WFC3/IR"), frames("WFC3/IR")[0])
    assert infrared.dead_columns.size == 0
    assert infrared.hot.size > 0


@pytest.mark.parametrize("name", instruments.names())
def test_flags_are_the_detectors_own_and_mean_bad(name):
    detector = instruments.get(name)
    assert flag(detector, "saturated") & detector.saturated_bits
    for kind in ("hot", "dead"):
        assert flag(detector, kind) & detector.bad_bits
        assert not flag(detector, kind) & detector.saturated_bits
    assert flag(detector, "hot") != flag(detector, "dead")


def test_flags_of_the_wide_field_channel():
    detector = instruments.get("ACS/WFC")
    found = [flag(detector, kind) for kind in ("saturated", "hot", "dead")]
    assert found == [256, 16, 4]
