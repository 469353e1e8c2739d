from __future__ import annotations

import numpy as np
import pytest

from hst123r.errors import InputError
from hst123r.products.dolphot.columns import read_columns
from hst123r.products.dolphot.fake import read_fake


def test_stars_come_out_as_they_were_put_in(samples):
    layout = read_columns(samples / "generic" / "p2.phot.columns")
    fake = read_fake(samples / "generic" / "p2.phot.fake1", layout)
    asked = np.loadtxt(samples / "generic" / "fake.list")
    assert np.array_equal(fake.x, asked[:, 2])
    assert np.allclose(fake.counts, asked[:, 4:], atol=0.1)
    assert fake.recovered.sum() == 58
    away = np.hypot(fake.found.objects["x"] - fake.x, fake.found.objects["y"] - fake.y)
    assert np.median(away[fake.recovered]) < 0.05
    for image, offset in ((0, 0.0015), (1, 0.003)):
        difference = fake.found.images[image]["mag"] - fake.mag[:, image]
        assert np.nanmedian(difference[fake.recovered]) == pytest.approx(offset, abs=0.001)
    lost = fake.found.images[0]["mag"][~fake.recovered]
    assert np.isnan(lost).all()


def test_stars_of_a_run_with_filters(samples):
    layout = read_columns(samples / "wfc3_uvis" / "noref.phot.columns")
    fake = read_fake(samples / "wfc3_uvis" / "noref.phot.fake", layout)
    asked = np.loadtxt(samples / "wfc3_uvis" / "fake12.list")
    assert np.array_equal(np.column_stack([fake.x, fake.y]), asked[:, 2:4])
    assert fake.recovered.all()
    assert fake.counts.shape == fake.mag.shape == (12, 4)
    # one magnitude for each filter
    assert np.allclose(fake.mag[:, [0, 2]], asked[:, 4:], atol=0.001)
    assert len(fake.found.combined) == 2


def test_no_stars_and_a_cut_table(samples, write, layout):
    assert read_fake(write("", "none.fake"), layout).recovered.shape == (0,)
    text = (samples / "generic" / "p2.phot.fake1").read_text()
    layout = read_columns(samples / "generic" / "p2.phot.columns")
    with pytest.raises(InputError, match="ends in the middle of a row"):
        read_fake(write(text[:-20]), layout)
    with pytest.raises(InputError, match="with 8 columns of what was put in, describes 53"):
        read_fake(samples / "generic" / "p2.phot", layout)
