from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hst123r.photometry.design import Design
from hst123r.photometry.sky import Background


def test_the_matrix_holds_every_usable_pixel_once(make_frame, psf):
    frame = make_frame([30.2, 33.1, 128.9], [40.0, 41.5, 0.2], [0.0] * 3)
    mask = frame.mask.copy()
    mask[40, 30] = True
    frame = replace(frame, mask=mask)
    x, y = np.array([30.2, 33.1, 128.9]), np.array([40.0, 41.5, 0.2])
    design = Design.build(frame, x, y, 3.0)
    stamps, x0, y0 = psf.stamps(x, y, design.half)
    dense = design.matrix([design.select(stamps)]).toarray()
    expected = np.zeros((3, frame.data.size))
    for star in range(3):
        for j in range(stamps.shape[1]):
            for i in range(stamps.shape[2]):
                column, row = x0[star] + i, y0[star] + j
                near = (column - x[star]) ** 2 + (row - y[star]) ** 2 <= 9.0
                on = 0 <= column < 130 and 0 <= row < 120
                if near and on and not frame.bad[row, column]:
                    expected[star, row * 130 + column] = stamps[star, j, i]
    assert np.array_equal(np.flatnonzero(expected.any(axis=0)), design.pixels)
    assert dense == pytest.approx(expected[:, design.pixels])


def test_stars_without_pixels(make_frame):
    frame = make_frame([30.0], [40.0], [0.0])
    x = np.array([np.nan, -50.0, 30.0, 1e12])
    y = np.array([10.0, 10.0, np.inf, 3.0])
    design = Design.build(frame, x, y, 4.0)
    assert design.pixels.size == 0
    assert design.matrix([design.select(np.zeros((4, 9, 9)))]).shape == (4, 0)
    assert design.per_star(np.empty(0)).tolist() == [0, 0, 0, 0]
    assert design.largest(np.empty(0)).tolist() == [0, 0, 0, 0]


def test_sums_and_maxima_by_star(make_frame):
    frame = make_frame([30.0], [40.0], [0.0])
    design = Design.build(frame, np.array([30.0, np.nan, 32.0]), np.array([40.0, 1.0, 40.0]), 2.0)
    values = np.arange(design.place.size, dtype=float)
    own = [values[design.star == star] for star in range(3)]
    assert design.per_star(values) == pytest.approx([item.sum() for item in own])
    assert design.largest(values).tolist() == [own[0].max(), 0.0, own[2].max()]


def test_the_variance_of_an_empty_pixel(make_frame):
    frame = replace(make_frame([30.0], [40.0], [0.0], area=1.1), dark_e=9.0)
    design = Design.build(frame, np.array([30.0]), np.array([40.0]), 2.0)
    _, variance = design.empty_variance(Background.flat(50.0, frame.shape))
    # counts before flat-fielding: 50 * 1.1 of sky, 9 of dark, 4**2 of read noise
    assert variance == pytest.approx((50 * 1.1 + 9 + 16) / 1.1**2)


def test_measured_noise_counts_where_it_is_larger(make_frame):
    frame = make_frame([30.0], [40.0], [0.0])
    design = Design.build(frame, np.array([30.0]), np.array([40.0]), 2.0)
    for rms, expected in ((20.0, 400.0), (1.0, 66.0), (np.nan, 66.0)):
        _, variance = design.empty_variance(Background.flat(50.0, frame.shape, rms))
        assert variance == pytest.approx(expected)
