"""Boxes on the sky as flags of exposures."""

import numpy as np
import pytest
from astropy.io import fits

from hst123r.errors import StageError
from hst123r.products.boxes import flag_boxes
from hst123r.products.exposures import open_chips
from hst123r.products.quality import data_quality


def box_at(files, exposure, extver, x, y, half):
    ra, dec = open_chips(files["science"], exposure)[extver].all_pix2world(x, y, 0)
    return float(ra), float(dec), half


def test_a_bit_that_no_pixel_has_marks_the_box(acs, read):
    exposure = read(acs)
    with fits.open(acs["science"], mode="update") as hdus:
        hdus["DQ", 1].data[5, 5] = 16384 | 64
    before = data_quality(acs, exposure)
    boxes = [box_at(acs, exposure, 2, 30, 20, 0.3), (0.0, 80.0, 5.0)]
    bit, held = flag_boxes([acs], [exposure], boxes, 8192 | 4096)
    assert bit == 2048
    after = data_quality(acs, exposure)
    marked = (after[2] & bit) != 0
    assert held == [int(marked.sum()), 0]
    assert marked[20, 30]
    assert held[0] == pytest.approx(0.6**2 / 0.05**2, rel=0.15)
    assert np.array_equal(after[1], before[1])
    assert np.array_equal(after[2], np.where(marked, before[2] | bit, before[2]))


def test_a_companion_is_flagged(wfpc2, read):
    exposure = read(wfpc2)
    bit, held = flag_boxes([wfpc2], [exposure], [box_at(wfpc2, exposure, 3, 30, 20, 0.5)], 0)
    marked = {v: flags & bit != 0 for v, flags in data_quality(wfpc2, exposure).items()}
    assert marked[3][20, 30]
    # the chips of the toy overlap
    assert sum(int(mask.sum()) for mask in marked.values()) == held[0] > 50


def test_without_a_free_bit_it_is_refused(acs, read):
    with pytest.raises(StageError, match="every bit of the data quality is in use"):
        flag_boxes([acs], [read(acs)], [(0.0, 0.0, 1.0)], 2**15 - 1)
