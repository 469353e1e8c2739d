"""Fractions of masks: of what was searched."""

import numpy as np
import pytest

from hst123r.products.found_masks import fractions
from hst123r.products.quality import read_mask, write_mask
from hst123r.records.outcome import Product


def test_the_fraction_is_of_the_pixels_that_were_searched(tmp_path):
    hit, searched = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    searched[:10], hit[2, :4] = True, True
    path = tmp_path / "m.fits"
    write_mask({1: hit}, path, "CRMASK", {1: searched})
    assert list(read_mask(path)) == [1]
    (found,) = fractions([Product("cosmic-ray mask", "a", {}, {"mask": str(path)}, {})], 0.1)
    assert (found.value, found.high, found.subject) == (pytest.approx(4 / 400), 0.1, "a")
