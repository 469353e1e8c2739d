"""Which exposures have a pixel on a stack."""

import numpy as np
import pytest

from hst123r.algorithms.grid import Extent
from hst123r.algorithms.sphere import from_tangent_plane
from hst123r.products.on_stack import Place, reaches, whole

RA, DEC = 150.1, 2.2
GRID = Place((RA, DEC), Extent((101.0, 51.0), (100, 200)), 0.1, 30.0)
"""20 by 10 arcsec, turned by 30 degrees."""


def square(x, y, side):
    """Return the outline of a chip, in arcsec along the axes of the stack from its middle."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * side / 2
    steps = np.linspace(0, 1, 20)[:-1, None]
    edge = np.concatenate(
        [a + steps * (b - a) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    ) + np.array([x, y])
    angle = np.radians(30.0)
    east = -edge[:, 0] * np.cos(angle) + edge[:, 1] * np.sin(angle)
    north = edge[:, 1] * np.cos(angle) + edge[:, 0] * np.sin(angle)
    return np.column_stack(from_tangent_plane(east, north, RA, DEC))


@pytest.mark.parametrize(("x", "y", "side", "there"), [
    (0, 0, 4, True), (0, 0, 400, True), (11, 0, 3, True), (0, 6, 3, True), (11, 6, 3, True),
    (12, 0, 3, False), (0, 7, 3, False), (12, 7, 3, False), (30, 30, 3, False),
])  # fmt: skip
def test_a_chip_within_the_stack_around_it_or_across_its_edge_is_on_it(x, y, side, there):
    assert reaches([square(x, y, side)], GRID) is there
    assert reaches([square(-x, -y, side)], GRID) is there


def test_one_chip_is_enough_and_the_other_side_of_the_sky_is_none():
    far = square(0, 0, 4) + np.array([180.0, 0.0])
    assert not reaches([far], GRID)
    assert reaches([far, square(0, 0, 4)], GRID)


@pytest.mark.parametrize(("x", "y", "side", "all_of_it"), [
    (0, 0, 9.5, True), (5, 0, 9.5, True), (0, 0, 9.9, False), (6, 0, 9, False), (0, 1, 9, False),
    (30, 30, 3, False), (0, 0, 400, False),
])  # fmt: skip
def test_a_whole_chip_is_on_the_stack_when_its_edge_is(x, y, side, all_of_it):
    assert whole(square(x, y, side), GRID) is all_of_it
    assert whole(square(-x, -y, side), GRID) is all_of_it
    assert not whole(square(x, y, side) + np.array([180.0, 0.0]), GRID)
