"""Names of places are names in HTML, and two things never have one."""

import re

import pytest

from hst123r.products.anchors import of_job, of_made, of_point, of_product
from hst123r.records.outcome import Product

POINT = {"target": "SN 1", "source": 8, "level": "epoch", "detector": "ACS/WFC", "filter": "F606W",
         "epoch": "20190401"}  # fmt: skip


def test_a_point_has_the_same_name_in_the_store_and_in_the_report():
    stored = {**POINT, "source": "8", "visit": None, "exposure": ""}
    name = "point:scrape:SN_20_1:8:epoch:ACS_2f_WFC:F606W:20190401::"
    assert of_point(POINT, "scrape") == of_point(stored, "scrape") == name


@pytest.mark.parametrize("word", ["a b", 'a"><script>', "a%20b", "a#b", "ä", "a:b", "a_20_b"])
def test_no_letter_has_a_meaning_in_html_or_in_addresses(word):
    assert re.fullmatch(r"[A-Za-z0-9:_.+-]+", of_job("align", word))


def test_names_are_told_apart():
    words = ["a b", "a_20_b", "a:b", "a", "b", "", "A"]
    assert len({of_job(one, other) for one in words for other in words}) == len(words) ** 2


def test_two_light_curves_of_one_target_are_told_apart():
    assert of_point(POINT, "scrape") != of_point(POINT, "near")


def test_the_stage_of_a_product_is_where_it_lies():
    made = Product("stack", "x", {}, {"science": "/w/products/epochs/x/x_drz.fits"})
    assert of_made(made) == of_product("stack", "x", "epochs") == "stack:x:epochs"
