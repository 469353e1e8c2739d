"""Context images: which exposures each pixel of a stack is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PER_PLANE: Final = 32
"""Images that one plane of a context image tells apart, one bit each."""


def most_in_one_group(planes: NDArray[Any], groups: Sequence[str]) -> NDArray[np.uint8]:
    """Return how many images of one group each pixel has, for the group that has most there.

    Cosmic rays are found by comparing the exposures of a group, such as an epoch. A pixel with
    one exposure of each of two epochs has been compared with nothing.

    Parameters
    ----------
    planes : (k, ny, nx) ndarray of int32
        The context image: bit i of plane p stands for image 32 p + i, in the order they were
        drizzled.
    groups : sequence of str
        Group of every image, in that order.

    Returns
    -------
    (ny, nx) ndarray of uint8
        Zero where there are no data.
    """
    bits = planes.astype(np.uint32)
    most = np.zeros(planes.shape[1:], np.uint8)
    for group in dict.fromkeys(groups):
        count = np.zeros_like(most)
        for number in range(len(planes)):
            mine = groups[number * PER_PLANE : (number + 1) * PER_PLANE]
            mask = np.uint32(sum(1 << i for i, name in enumerate(mine) if name == group))
            count += np.bitwise_count(bits[number] & mask)
        np.maximum(most, count, out=most)
    return most
