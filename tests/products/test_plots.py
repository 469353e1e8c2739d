"""Plots: what is in them, and that they change only when the results do."""

import numpy as np
import pytest
from PIL import Image

from hst123r.products import plots

ROW = {"mjd": 58574.0, "detector": "ACS/WFC", "filter": "F606W", "mag_ab": 21.0, "mag_err": 0.1,
       "limit_ab": 27.0, "limit_sigma": 3.0}  # fmt: skip
LIMIT = {**ROW, "mjd": 58600.0, "mag_ab": None, "mag_err": None}


def colours(path):
    """Return the set of colours of a picture."""
    pixels = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    return {tuple(pixel) for pixel in np.unique(pixels, axis=0).tolist()}


def rgb(text):
    return tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize(
    ("rows", "filters"),
    [
        ([ROW, LIMIT], 1),
        ([ROW, {**ROW, "filter": "F814W"}], 2),
        ([LIMIT], 1),
        ([], 0),
        ([ROW, {**ROW, "detector": "WFC3/UVIS"}], 2),
    ],
)
def test_a_light_curve_has_a_colour_for_each_filter(tmp_path, rows, filters):
    path = tmp_path / "curve.png"
    plots.light_curve(path, rows, title="SN")
    found = colours(path)
    for number, colour in enumerate(plots.COLOURS[:4]):
        assert (rgb(colour) in found) is (number < filters)


def test_a_detector_is_named_where_two_have_the_filter():
    other = {**ROW, "detector": "WFC3/UVIS"}
    red = {**ROW, "filter": "F814W"}
    assert plots.band_labels([ROW, red, ROW]) == {
        ("ACS/WFC", "F606W"): "F606W", ("ACS/WFC", "F814W"): "F814W",
    }  # fmt: skip
    assert list(plots.band_labels([other, red, ROW]).values()) == [
        "ACS/WFC F606W", "WFC3/UVIS F606W", "F814W",
    ]  # fmt: skip


def test_a_limit_without_a_value_is_left_out(tmp_path):
    plots.light_curve(tmp_path / "one.png", [{**LIMIT, "limit_ab": None}], title="SN")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_the_same_results_are_the_same_bytes(tmp_path):
    rng = np.random.default_rng(1)
    found = {"one": (rng.normal(size=9), rng.normal(size=9)), "two": (np.zeros(0), np.zeros(0))}
    for name in ("a.png", "b.png"):
        plots.residuals(tmp_path / name, found, unit="mas", title="visit")
        plots.light_curve(tmp_path / f"c{name}", [ROW, LIMIT], title="SN")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "ca.png").read_bytes() == (tmp_path / "cb.png").read_bytes()


@pytest.mark.parametrize(
    "found", [{}, {"one": (np.zeros(0), np.zeros(0))}, {"one": ([0.0], [0.0])}]
)
def test_no_residuals_or_none_but_zero_make_a_plot(tmp_path, found):
    plots.residuals(tmp_path / "a.png", found, unit="mas", title="visit")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (598, 572)


def test_residuals_are_in_the_colour_of_their_exposure(tmp_path):
    one = (np.array([1.0, -1.0]), np.array([1.0, -1.0]))
    plots.residuals(tmp_path / "a.png", {"one": one, "two": one}, unit="mas", title="visit")
    found = np.array(sorted(colours(tmp_path / "a.png")))
    # points are drawn with 70 % of their colour
    second = 0.7 * np.array(rgb(plots.COLOURS[1])) + 0.3 * 255
    assert np.abs(found - second).max(axis=1).min() < 8
