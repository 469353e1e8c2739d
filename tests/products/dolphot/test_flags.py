from __future__ import annotations

import numpy as np
import pytest

from hst123r.photometry.flags import Flag
from hst123r.products.dolphot.flags import our_flags


@pytest.mark.parametrize(
    ("raw", "measured", "ours"),
    [
        (0, True, Flag.GOOD), (1, True, Flag.PARTLY_MASKED), (2, True, Flag.PARTLY_MASKED),
        (4, True, Flag.SATURATED), (7, True, Flag.PARTLY_MASKED | Flag.SATURATED),
        (8, True, Flag.NO_PIXELS), (12, True, Flag.SATURATED | Flag.NO_PIXELS),
        (9, False, Flag.NO_PIXELS | Flag.OFF_FRAME), (-1, False, Flag.NO_PIXELS | Flag.OFF_FRAME),
        (16, False, Flag.NO_PIXELS),
    ],
)  # fmt: skip
def test_flags(raw, measured, ours):
    assert our_flags(np.array([raw]), np.array([measured])).tolist() == [int(ours)]
