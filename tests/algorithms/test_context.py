"""Context images."""

import numpy as np

from hst123r.algorithms.context import most_in_one_group


def planes(*lists):
    """One pixel for each list of images."""
    bits = np.zeros((2, 1, len(lists)), np.int64)
    for pixel, images in enumerate(lists):
        for image in images:
            bits[image // 32, 0, pixel] |= 1 << (image % 32)
    return bits.astype(np.uint32).view(np.int32)


def test_exposures_of_other_epochs_do_not_count():
    groups = ["a", "a", "b", "b"]
    found = most_in_one_group(planes([], [0], [0, 2], [0, 1], [1, 2, 3]), groups)
    assert found.tolist() == [[0, 1, 1, 2, 2]]


def test_planes_and_the_sign_bit():
    groups = ["a"] * 31 + ["b"] * 9
    found = most_in_one_group(planes([31], [31, 32, 39], list(range(40))), groups)
    assert found.tolist() == [[1, 3, 31]]
