"""The tangent plane by which pixels lie on a stack; its use is in tests/stages/test_drizzle.py."""

import pytest

from hst123r.algorithms.grid import Extent
from hst123r.products import on_stack
from hst123r.products.on_stack import Place
from hst123r.products.searched import _wcs, pixels_on
from hst123r.records.exposure import Exposure


def test_the_y_axis_points_to_the_position_angle():
    # y points east of north by 90 degrees
    wcs = _wcs(Place((150.0, 0.0), Extent((11.0, 11.0), (21, 21)), 0.1, 90.0))
    x, y = wcs.all_world2pix([[150.0 + 0.5 / 3600, 0.0]], 0)[0]
    assert (x, y) == (pytest.approx(10.0, abs=1e-4), pytest.approx(15.0, abs=1e-4))


def test_a_chip_that_is_all_on_a_stack_is_so_without_a_look_at_its_pixels(small, monkeypatch):
    product = small.products("align", "exposure")[0]
    exposure, path = Exposure.own(product.facts), product.files["science"]
    place = Place((150.1, 2.2), Extent((800.5, 800.5), (1600, 1600)), 0.05, 0.0)
    quick = pixels_on(path, exposure, place)
    monkeypatch.setattr(on_stack, "whole", lambda *_: False)
    slow = pixels_on(path, exposure, place)
    assert set(quick) == set(slow) == {chip.extver for chip in exposure.chips}
    assert all(quick[version].all() and slow[version].all() for version in quick)
