"""A light curve drawn as links, with its numbers to be read."""

import re
from xml.etree import ElementTree as ET

import pytest

from hst123r.products.curve_drawing import HEIGHT, WIDTH, draw

NAME = "{http://www.w3.org/2000/svg}"


def row(mjd, mag, err=0.1, limit=None, through="F606W", detector="ACS/WFC"):
    return {"mjd": mjd, "mag_ab": mag, "mag_err": err if mag is not None else None,
            "limit_ab": limit, "filter": through, "detector": detector}  # fmt: skip


def drawn(rows):
    text = draw(rows, "a <title>", lambda r: f"#p{r['mjd']:.0f}&{r['filter']}")
    return ET.fromstring(text)


def places(tree):
    return {
        link.get("href"): (float(disc.get("cx")), float(disc.get("cy")))
        for link in tree.iter("a")
        for disc in link.iter("circle")
    }


def test_each_point_is_a_link_with_its_numbers():
    tree = drawn([row(58574.0, 21.5), row(58600.0, None, limit=28.5)])
    links = {link.get("href"): link.find("title").text for link in tree.iter("a")}
    assert links == {
        "#p58574&F606W": "F606W, MJD 58574.000: 21.500 ± 0.100 mag",
        "#p58600&F606W": "F606W, MJD 58600.000: fainter than 28.500 mag",
    }
    assert tree.get("aria-label") == "a <title>"


def test_bright_is_up_and_late_is_right():
    found = places(drawn([row(1.0, 20.0), row(11.0, 22.0), row(6.0, 21.0)]))
    (x1, y1), (x2, y2), (x3, y3) = (found[f"#p{n}&F606W"] for n in (1, 11, 6))
    assert x1 < x3 < x2
    assert y1 < y3 < y2
    assert (x3, y3) == (
        pytest.approx((x1 + x2) / 2, abs=0.11),
        pytest.approx((y1 + y2) / 2, abs=0.11),
    )


def test_a_single_point_and_large_numbers_are_within_the_frame():
    for rows in ([row(58574.0, 21.5, err=0.0)], [row(0.0, 5.0), row(90000.0, 35.0, err=9.0)]):
        tree = drawn(rows)
        for x, y in places(tree).values():
            assert 0 < x < WIDTH
            assert 0 < y < HEIGHT
        assert len([t for t in tree.iter("text") if re.match(r"[\d.-]+$", t.text or "")]) >= 4


def test_marks_of_the_axes_are_where_their_values_are():
    tree = drawn([row(10.0, 20.0), row(20.0, 24.0)])
    found = places(tree)
    marks = {
        t.text: float(t.get("x")) for t in tree.iter("text") if t.get("text-anchor") == "middle"
    }
    assert marks["10"] == pytest.approx(found["#p10&F606W"][0], abs=0.11)
    assert marks["20"] == pytest.approx(found["#p20&F606W"][0], abs=0.11)


def test_one_filter_of_two_detectors_is_two_bands_with_their_names_on_the_page():
    tree = drawn([row(1.0, 20.0), row(1.0, 20.5, detector="WFC3/UVIS")])
    assert len({disc.get("fill") for disc in tree.iter("circle")}) == 2
    legend = [t for t in tree.iter("text") if t.text in ("ACS/WFC F606W", "WFC3/UVIS F606W")]
    assert len(legend) == 2
    # about 7 units a letter of this size
    assert all(float(t.get("x")) + 7 * len(t.text) < WIDTH for t in legend)


def test_filters_have_colours_of_their_own_and_nothing_is_drawn_of_nothing():
    tree = drawn([row(1.0, 20.0), row(1.0, 20.5, through="F814W")])
    assert len({disc.get("fill") for disc in tree.iter("circle")}) == 2
    assert draw([row(1.0, None)], "t", lambda _: "#") == ""
