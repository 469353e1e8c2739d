"""The tangent plane by which pixels lie on a stack; its use is in tests/stages/test_drizzle.py."""

import numpy as np
import pytest

from hst123r.algorithms.grid import Extent
from hst123r.products import on_stack
from hst123r.products.exposures import open_chips
from hst123r.products.on_stack import Place
from hst123r.products.quality import data_quality, write_mask
from hst123r.products.searched import _wcs, pixels_on, reaching_beyond
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Product


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


def test_the_pixels_on_a_stack_are_those_whose_middle_is_within_its_outer_pixels(small):
    product = small.products("align", "exposure")[0]
    exposure, path = Exposure.own(product.facts), product.files["science"]
    # off its middle and turned, so that all four borders of the stack cross the chip
    rows, columns = 60, 80
    place = Place(small_centre(path, exposure), Extent((41.0, 30.0), (rows, columns)), 0.05, 30.0)
    found = pixels_on(path, exposure, place)
    for version, wcs in open_chips(path, exposure).items():
        y, x = np.indices(found[version].shape)
        sky = wcs.all_pix2world(x.ravel(), y.ravel(), 0)
        on_x, on_y = (a.reshape(x.shape) for a in _wcs(place).all_world2pix(*sky, 0))
        border = np.min(
            [abs(on_x), abs(on_x - columns + 1), abs(on_y), abs(on_y - rows + 1)], axis=0
        )
        right = (on_x >= 0) & (on_x <= columns - 1) & (on_y >= 0) & (on_y <= rows - 1)
        sure = border > 0.02
        assert np.array_equal(found[version][sure], right[sure])
    assert 0 < sum(int(on.sum()) for on in found.values()) < 80 * 60 * 2


def test_flagged_pixels_need_no_search(small, tmp_path):
    product = small.products("align", "exposure")[0]
    exposure, path = Exposure.own(product.facts), product.files["science"]
    place = Place(small_centre(path, exposure), Extent((40.5, 30.5), (60, 80)), 0.05, 0.0)
    on = pixels_on(path, exposure, place)
    quality = data_quality(product.files, exposure)
    free = {version: on[version] & (quality[version] == 0) for version in on}
    few = {version: on[version] & (quality[version] != 0) for version in on}
    assert sum(int(plane.sum()) for plane in few.values()) > 0

    def caveats(searched):
        nothing = {version: np.zeros_like(plane) for version, plane in searched.items()}
        file = tmp_path / "mask.fits"
        file.unlink(missing_ok=True)
        write_mask(nothing, file, "CRMASK", searched)
        mask = Product("cosmic-ray mask", product.name, {}, {"mask": str(file)}, {})
        return [found.code for found in reaching_beyond([product], [mask], place, 0)]

    assert caveats(free) == []
    # a strip through the middle is more than it may have missed
    some = {version: plane.copy() for version, plane in free.items()}
    for plane in some.values():
        lit = np.flatnonzero(plane.any(axis=1))
        middle, wide = len(lit) // 2, len(lit) // 20 + 1
        plane[lit[middle : middle + wide]] = False
    assert caveats(some) == ["mask_too_small"]
    assert reaching_beyond([product], [], place, 0) == []


def small_centre(path, exposure):
    """Return the middle of the first chip on the sky, degrees."""
    version, wcs = next(iter(open_chips(path, exposure).items()))
    rows, columns = next(c.shape for c in exposure.chips if c.extver == version)
    ra, dec = wcs.all_pix2world((columns - 1) / 2, (rows - 1) / 2, 0)
    return float(ra), float(dec)
