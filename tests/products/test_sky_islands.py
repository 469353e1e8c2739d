"""Which exposures of a stack no overlap connects with the others."""

import numpy as np

from hst123r.products.sky_islands import unmatched

RA, DEC = 150.1, 2.2


def square(east, north, side=100.0):
    """Return the edge of a chip on the sky, by its middle and side in arcsec."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
    steps = np.linspace(0, 1, 17)[:-1, None]
    edge = np.concatenate(
        [a + steps * (b - a) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    ) + np.array([east, north])
    return np.stack([RA + edge[:, 0] / 3600 / np.cos(np.radians(DEC)), DEC + edge[:, 1] / 3600], 1)


def named(**outlines):
    return [caveat.subject for caveat in unmatched(outlines, (RA, DEC))]


def test_a_chain_of_overlaps_is_one_island():
    assert named(a=[square(0, 0)], b=[square(80, 0)], c=[square(160, 0)]) == []
    # the last one to come connects the others
    assert named(a=[square(0, 0)], c=[square(160, 0)], b=[square(80, 0)]) == []
    assert named(a=[square(0, 0)]) == []
    assert named() == []


def test_who_is_not_connected_with_most_is_named():
    there = {"a": [square(0, 0)], "b": [square(30, 10)]}
    assert named(**there, c=[square(0, 300)]) == ["c"]
    assert named(**there, c=[square(0, 300)], d=[square(10, 300)], e=[square(9, 290)]) == ["a", "b"]
    # one chip is enough, and one may lie within the other
    assert named(**there, c=[square(0, 300), square(-40, 0, 30)]) == []
    assert named(a=[square(0, 0)], b=[square(0, 0, 10)]) == []
    # neighbours that only touch share nothing a sky could be measured on
    assert named(a=[square(0, 0)], b=[square(101, 0)], c=[square(0, 0)]) == ["b"]
