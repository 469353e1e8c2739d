"""Pictures of stacks."""

import numpy as np
import pytest
from PIL import Image

from hst123r.products.previews import COLOUR, preview

RA, DEC = 150.1, 2.2
RING = tuple(int(COLOUR[i : i + 2], 16) for i in (1, 3, 5))


def orange(path):
    """Return rows and columns of pixels in the colour of rings."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return np.argwhere(np.abs(pixels - RING).max(axis=2) < 40)


@pytest.fixture
def picture(stack, tmp_path):
    def draw(science, targets, name="stack.png"):
        path, _ = stack(science)
        preview(path, tmp_path / name, targets, title="a stack")
        return tmp_path / name

    return draw


def field():
    rng = np.random.default_rng(1)
    return rng.normal(size=(400, 500)).astype("f4")


def test_targets_are_ringed_where_they_are(picture):
    """A target in the left half and one in the right half: the ring is drawn there."""
    east, west = RA - 200 * 0.05 / 3600, RA - 400 * 0.05 / 3600
    bare = len(orange(picture(field(), {})))
    left = orange(picture(field(), {"a": (east, DEC + 180 * 0.05 / 3600)}))
    right = orange(picture(field(), {"a": (west, DEC + 180 * 0.05 / 3600)}))
    assert len(left) > bare + 50
    # crpix is 25, so the targets are in columns 224 and 424 of 500
    assert right[:, 1].mean() - left[:, 1].mean() > 50


def test_the_same_stack_is_the_same_bytes(picture):
    one = picture(field(), {"a": (RA, DEC)}, "one.png").read_bytes()
    assert picture(field(), {"a": (RA, DEC)}, "two.png").read_bytes() == one


@pytest.mark.parametrize(
    "science",
    [
        np.full((40, 50), np.nan, "f4"),
        np.zeros((40, 50), "f4"),
        np.where(np.arange(50) < 20, np.nan, 1.0).astype("f4") * np.ones((40, 1), "f4"),
        np.ones((3, 900), "f4"),
    ],
    ids=["no data", "one value", "half", "a strip"],
)
def test_any_stack_can_be_drawn(picture, science):
    with Image.open(picture(science, {"a": (RA, DEC)})) as drawn:
        assert drawn.size[0] == 900


def test_a_large_stack_is_made_smaller_and_a_star_stays_in_its_place(picture):
    science = np.tile(field(), (4, 4))
    without = np.asarray(Image.open(picture(science, {})).convert("L")).astype(int)
    science[400:440, 380:420] = 1000.0
    pixels = np.asarray(Image.open(picture(science, {}, "star.png")).convert("L")).astype(int)
    assert pixels.shape[1] == 900
    new = np.argwhere(pixels - without > 60)
    # column 400 of 2000, row 420 of 1600 from below, within the margins of the picture
    assert np.median(new[:, 1]) / 900 == pytest.approx(0.2, abs=0.06)
    assert np.median(new[:, 0]) / pixels.shape[0] == pytest.approx(1 - 420 / 1600, abs=0.1)
