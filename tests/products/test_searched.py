"""The tangent plane by which pixels lie on a stack; its use is in tests/stages/test_drizzle.py."""

import pytest

from hst123r.algorithms.grid import Extent
from hst123r.products.on_stack import Place
from hst123r.products.searched import _wcs


def test_the_y_axis_points_to_the_position_angle():
    # y points east of north by 90 degrees
    wcs = _wcs(Place((150.0, 0.0), Extent((11.0, 11.0), (21, 21)), 0.1, 90.0))
    x, y = wcs.all_world2pix([[150.0 + 0.5 / 3600, 0.0]], 0)[0]
    assert (x, y) == (pytest.approx(10.0, abs=1e-4), pytest.approx(15.0, abs=1e-4))
