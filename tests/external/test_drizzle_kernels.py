"""The kernels: every drop arrives, wherever the image ends."""

import numpy as np
import pytest

from hst123r.algorithms.pixel_map import PixelMap
from hst123r.external.drizzle_kernels import Drizzled, Drops, blot, margin_of, stamp

SHAPE = (96, 128)


def bowed(dx=0.0, dy=0.0, bow=2e-3):
    """Positions of a chip whose straight edges are curves in the stack, two pixels deep."""
    places = [np.arange(-1, n // 32 + 2) * 32.0 for n in SHAPE]
    x, y = np.meshgrid(places[1], places[0])
    nodes = (x + bow * (y - 48) ** 2 / 2 + dx) + 1j * (y + bow * (x - 64) ** 2 / 2 + dy)
    return PixelMap(SHAPE, 32, nodes, None, 0.0)


def drops(positions, value=400.0):
    pixels, weight = np.full(SHAPE, value, "f4"), np.full(SHAPE, 400.0, "f4")
    return Drops(pixels, weight, positions, 1.0, 400.0, "counts", 1.0)


def test_counts_become_rates_and_weights_exposure_times():
    image = Drizzled((140, 160), "square", 1.0, np.nan, 1)
    image.add(drops(bowed(10, 10)))
    inside = np.zeros((140, 160), bool)
    inside[45:70, 40:110] = True
    assert np.allclose(image.science[inside], 1.0, rtol=0.02)
    assert np.allclose(image.weight[inside], 400.0, rtol=0.02)
    assert set(np.unique(image.context)) == {0, 1}
    assert np.isnan(image.science[image.weight == 0]).all()


def test_an_image_that_cuts_through_a_chip_is_the_part_of_a_larger_one():
    """Without a margin the kernels lose drops at the chip's curved edges."""
    whole = Drizzled((160, 190), "square", 0.8, np.nan, 1)
    whole.add(drops(bowed(30, 30)))
    shape, positions = (70, 80), bowed(-10, -20)
    margin = margin_of([positions], shape)
    assert margin > 20
    parts = [Drizzled(shape, "square", 0.8, np.nan, 1, margin=m) for m in (margin, 0)]
    for part in parts:
        part.add(drops(positions))
    window = (slice(50, 120), slice(40, 120))
    assert np.array_equal(parts[0].science, whole.science[window], equal_nan=True)
    assert np.array_equal(parts[0].weight, whole.weight[window])
    assert not np.array_equal(parts[1].weight, whole.weight[window])


def test_a_chip_that_lies_elsewhere_keeps_its_bit():
    far, near = bowed(5000, 0), bowed(10, 10)
    assert margin_of([far, near], (140, 160)) == 0
    image = Drizzled((140, 160), "square", 1.0, np.nan, 34)
    for place in [far] * 33 + [near]:
        image.add(drops(place))
    assert image.context.shape == (2, 140, 160)
    assert not image.context[0].any()
    assert set(np.unique(image.context[1])) == {0, 2}
    assert ((image.weight > 0) == (image.context[1] > 0)).all()


def test_what_is_blotted_is_what_was_drizzled():
    rows, columns = np.indices((140, 160))
    wave = (2 + np.sin(columns / 9) * np.cos(rows / 7)).astype("f4")
    positions = bowed(10, 20)
    seen = blot(wave, positions, 1.0, 50.0, "poly5")
    x, y = np.moveaxis(positions.full(), -1, 0)
    assert np.allclose(seen, 50 * (2 + np.sin(x / 9) * np.cos(y / 7)), rtol=2e-4)
    assert (blot(wave, bowed(5000, 0), 1.0, 50.0, "poly5") == 0).all()


@pytest.mark.parametrize("kernel", ["turbo", "square"])
def test_the_smallest_drops_are_points(kernel):
    found = []
    for name, pixfrac in ((kernel, 0.0005), ("point", 1.0)):
        image = Drizzled((140, 160), name, pixfrac, 0.0)
        image.add(drops(bowed(10, 10)))
        found.append(image.weight)
    assert np.array_equal(*found)


def test_the_stamp_names_the_version():
    from importlib.metadata import version

    assert stamp() == f"drizzle {version('drizzle')}"
