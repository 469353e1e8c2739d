from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r.errors import InputError


def test_pixels_that_are_left_out(make_frame):
    frame = make_frame([60.0], [60.0], [0.0])
    data = frame.data.copy()
    data[3, 4] = np.nan
    mask, saturated = frame.mask.copy(), frame.saturated.copy()
    mask[5, 6] = saturated[7, 8] = True
    bad = replace(frame, data=data, mask=mask, saturated=saturated).bad
    assert bad[3, 4]
    assert bad[5, 6]
    assert bad[7, 8]
    assert bad.sum() == 3


def test_area_as_map_and_as_function(make_frame):
    frame = make_frame([60.0], [60.0], [0.0])
    area = np.arange(frame.data.size, dtype=float).reshape(frame.shape)
    as_map = replace(frame, area=area)
    assert as_map.area_at([2.4, -3.0], [1.6, 1e6]).tolist() == [area[2, 2], area[-1, 0]]
    as_function = replace(frame, area=lambda x, y: x + 10 * y)
    assert as_function.area_at([2.0], [3.0]).tolist() == [32.0]


def test_positions_on_the_frame(make_frame):
    frame = make_frame([60.0], [60.0], [0.0])
    x = [-0.6, -0.5, 129.4, 129.5, np.nan]
    assert frame.contains(x, [5.0] * 5).tolist() == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mask": np.zeros((3, 3), bool)}, "the mask has the shape"),
        ({"area": np.ones((3, 3))}, "the area has the shape"),
        ({"data": np.zeros(5)}, "is no image"),
        ({"data": np.zeros((0, 5))}, "is no image"),
        ({"read_noise_e": np.nan}, "read noise"),
        ({"read_noise_e": -1.0}, "read noise"),
        ({"exposure_time_s": 0.0}, "exposure of 0.0 s"),
    ],
)
def test_what_does_not_fit_is_refused(make_frame, change, words):
    with pytest.raises(InputError, match=words):
        replace(make_frame([60.0], [60.0], [0.0]), **change)
