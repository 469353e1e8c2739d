from __future__ import annotations

import numpy as np

from hst123r.photometry.annulus_clipping import SIDE, UNUSABLE, Shared, _sorted, clipped_means

CROSS = [(-1, 0), (0, -1), (0, 1), (1, 0)]


def test_samples_of_a_tile_and_whose_they_are():
    shared = Shared.by(CROSS)
    assert shared.reach == 1
    corners = {0, SIDE + 1, (SIDE + 2) * (SIDE + 1), (SIDE + 2) ** 2 - 1}
    assert set(range((SIDE + 2) ** 2)) - set(shared.places.tolist()) == corners
    owners = dict(zip(shared.places.tolist(), shared.owners.tolist(), strict=True))
    # above the first pixel, and the first pixel itself, which two others look at
    assert owners[1] == 1
    assert owners[SIDE + 3] == 1 << 1 | 1 << SIDE
    assert sum(bits.bit_count() for bits in owners.values()) == len(CROSS) * SIDE**2


def test_samples_are_in_order_with_those_below_zero():
    shared = Shared.by(CROSS)
    values = np.random.default_rng(3).normal(0, 1e3, (SIDE + 2, SIDE + 2)).astype("f4")
    values[2, 2], values[3, 3], values[1, 1] = UNUSABLE, -0.0, 0.0
    samples, number = _sorted(values, shared)
    there = values.ravel()[shared.places]
    assert number == there.size - 1
    assert np.array_equal(samples.values, np.sort(there))
    for value, bits in zip(samples.values, samples.owners, strict=True):
        places = shared.owners[there == value]
        assert bits in places


def test_a_sample_that_is_left_out_takes_others_with_it():
    """First the star goes; with it in the mean, what is faint beside it could have stayed."""
    shared = Shared.by(CROSS)
    values = np.zeros((SIDE + 2, SIDE + 2), "f4")
    values[0, 1], values[1, 0], values[1, 2], values[2, 1] = 1000, 10, 1, 0
    sums = [np.zeros((SIDE, SIDE)) for _ in range(3)]
    for top in range(SIDE):
        for left in range(SIDE):
            seen = [float(values[top + 1 + v, left + 1 + u]) for v, u in CROSS]
            for image, power in zip(sums, (1, 2, 0), strict=True):
                image[top, left] = sum(value**power for value in seen)
    found = clipped_means(values, shared, sums, (1.0, 1.0))
    assert found[0, 0] == 0.5
    # far from the star all samples are alike
    assert found[3, 3] == 0


def test_a_pixel_without_samples_has_none():
    shared = Shared.by(CROSS)
    values = np.full((SIDE + 2, SIDE + 2), UNUSABLE)
    values[2, 3] = 7
    number = np.zeros((SIDE, SIDE))
    for row, column in CROSS:
        number[1 + row, 2 + column] = 1
    found = clipped_means(values, shared, [7 * number, 49 * number, number], (2.0, 2.0))
    assert np.array_equal(found, 7 * number)
