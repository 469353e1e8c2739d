"""Suggestions for misspelled words."""

import pytest

from hst123r.errors import closest, did_you_mean

FILTERS = ["F555W", "F606W", "F791W", "F814W", "FR914M"]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("f814w", FILTERS, "F814W"),
        ("F841W", FILTERS, "F814W"),
        ("F814", FILTERS, "F814W"),
        ("F999W", FILTERS, None),
        ("ACS/WCF", ["ACS/HRC", "ACS/WFC"], "ACS/WFC"),
        ("serch_radus", ["search_radius", "fit_radius"], "search_radius"),
        ("min_exp", ["min_exposure", "margin"], "min_exposure"),
        ("m", ["min_exposure", "margin"], None),
        ("x", ["y"], None),
        ("", ["a"], None),
        ("anything", [], None),
    ],
)
def test_what_is_near_is_meant_whatever_its_case(word, known, meant):
    assert closest(word, known) == meant


def test_where_nothing_is_near_what_is_known_is_listed():
    assert did_you_mean("F999W", FILTERS) == "known are F555W, F606W, F791W, F814W, FR914M"
    assert did_you_mean("x", []) == "nothing is allowed here"
    assert did_you_mean("zzzz", [f"word{i}" for i in range(40)]).endswith("word23, …")
