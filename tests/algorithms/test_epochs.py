from __future__ import annotations

import pytest

from hst123r.algorithms.epochs import link


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], []),
        ([5.0], [1]),
        ([0.0, 0.5], [1, 1]),
        ([0.0, 9.0], [1, 2]),
        # a chain: 0, 23 and 46 hours
        ([0.0, 23 / 24, 46 / 24], [1, 1, 1]),
        ([59000.9, 59010.0, 59000.0], [1, 2, 1]),
        # at the gap they are apart, below it together
        ([0.0, 1.0], [1, 2]),
        ([0.0, 0.999999], [1, 1]),
        ([3.0, 3.0, 1.0], [2, 2, 1]),
    ],
)
def test_single_linkage(times, expected):
    assert [int(number) for number in link(times, 1.0)] == expected
