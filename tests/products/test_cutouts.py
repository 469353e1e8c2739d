"""Cutouts of stacks."""

import numpy as np
from PIL import Image

from hst123r.products.cutouts import APERTURE, SEARCH, Mark, draw_cutouts
from hst123r.products.stacks import read_stack


def colours(path):
    return np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).astype(int)


def has(path, text, slack=40):
    wanted = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)])
    return bool((np.abs(colours(path) - wanted).max(axis=1) < slack).any())


def draw(tmp_path, stack, place, name="a.png", aperture=0.15):
    path = tmp_path / name
    mark = Mark([place], aperture, 0.4)
    draw_cutouts(path, [("one", str(stack)), ("two", str(stack))], place, 2.0, [mark] * 2, "t")
    return path


def middle(stack):
    read = read_stack(stack)
    rows, columns = read.science.shape
    (place,) = read.wcs.all_pix2world([[columns / 2, rows / 2]], 0)
    return float(place[0]), float(place[1])


def test_the_aperture_and_the_search_radius_are_drawn(tmp_path, small):
    stack = small.path("stacks/SN-acs_wfc-f606w/*_drz.fits")
    path = draw(tmp_path, stack, middle(stack))
    assert has(path, APERTURE)
    assert has(path, SEARCH)
    again = draw(tmp_path, stack, middle(stack), "b.png")
    assert path.read_bytes() == again.read_bytes()


def test_off_the_stack_and_at_its_edge(tmp_path, small):
    stack = small.path("stacks/SN-acs_wfc-f606w/*_drz.fits")
    ra, dec = middle(stack)
    assert not has(draw(tmp_path, stack, (ra, dec + 1.0), "far.png"), APERTURE)
    assert has(draw(tmp_path, stack, (ra, dec + 0.0021), "edge.png", None), APERTURE)


def test_a_scrape_draws_them(small):
    path = small.path("scrape/SN/SN_cutouts.png")
    assert has(path, APERTURE)
