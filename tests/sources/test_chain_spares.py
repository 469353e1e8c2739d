"""What hangs on a link, and what could carry the frame in its place, by footprints."""

import time

import pytest
from mosaic import visit

from hst123r.sources import chain_spares
from hst123r.sources.chain_spares import chained, rooted


def told(first, *others, cover=0.25):
    members = [product for exposures in (first, *others) for product in exposures]
    return chained(members, first, "T", cover=cover)


def test_another_filter_of_the_place_is_kept_for_where_the_fit_fails():
    deep, shallow = visit(2, 85, time=900.0), visit(2, 85, name="F814W")
    (link,), reached = told(visit(1, 0), deep, shallow)
    assert link["label"] == "ACS/WFC F606W of visit 1_2"
    assert sorted(link["reaches"]) == ["606v20", "606v21", "814v20", "814v21"]
    (spare,) = link["spares"]
    assert spare == {
        "label": "ACS/WFC F814W of visit 1_2", "exposures": ["814v20", "814v21"]
    }  # fmt: skip
    assert [product.name for product in reached] == ["606v20", "606v21"]
    assert sorted(rooted([link])) == sorted(link["reaches"])


def test_a_bridge_has_a_spare_even_where_the_far_bank_covers_it():
    """The third visit shows a third of the second, and can be reached through that alone."""
    deep, shallow = visit(2, 70, time=900.0), visit(2, 70, name="F814W")
    links, _ = told(visit(1, 0), deep, shallow, visit(3, 140, time=800.0), visit(4, 210))
    by_name = {link["label"][8:]: link for link in links}
    bridge = by_name["F606W of visit 1_2"]
    assert [spare["label"][8:] for spare in bridge["spares"]] == ["F814W of visit 1_2"]
    (far,) = set(by_name) - {"F606W of visit 1_2"}
    assert "F814W of visit 1_2" not in str(by_name[far]["spares"])


def test_no_more_than_two_are_kept():
    others = [visit(2, 85, name=name) for name in ("F555W", "F625W", "F775W", "F814W")]
    (link,), _ = told(visit(1, 0), visit(2, 85, time=900.0), *others)
    assert len(link["spares"]) == 2


def test_where_nothing_is_missing_there_is_nothing():
    assert told(visit(1, 0), visit(2, 60)) == ([], [])
    assert told(visit(1, 0), visit(2, 85), cover=0.0) == ([], [])


@pytest.mark.parametrize("most", [0, 64])
def test_a_long_strip_takes_no_time(most, monkeypatch):
    monkeypatch.setattr(chain_spares, "MOST", most)
    strip = [visit(number, 85 * number, exposures=4) for number in range(30)]
    others = [visit(number, 85 * number, name="F814W", time=50.0) for number in range(1, 30)]
    begun = time.process_time()
    links, _ = told(strip[0], *strip[1:], *others)
    assert time.process_time() - begun < 10
    assert len(links) == 29
    assert all(link["spares"] for link in links) == bool(most)


def test_parts_of_a_visit_that_are_spares_of_two_links_have_names_of_their_own():
    """One exposure of a visit lies on a link in the east, and the other on one in the west."""
    east, west = visit(2, 85, time=900.0), visit(3, -85, time=900.0)
    parts = [visit(4, 85, name="F814W")[0]], [visit(4, -85, name="F814W")[1]]
    links, _ = told(visit(1, 0), east, west, *parts)
    spares = {spare["label"]: spare["exposures"] for link in links for spare in link["spares"]}
    assert sorted(spares.values()) == [["814v40"], ["814v41"]]
    assert not set(spares) & {link["label"] for link in links}


def test_a_spare_of_two_links_has_one_name():
    """Two links, and a shallow visit over each; a part of one visit that is a link has its own."""
    both = [*visit(4, 85, name="F814W", exposures=1), visit(4, -85, name="F814W")[1]]
    wide = visit(5, -85, name="F555W", side=260.0)
    links, _ = told(visit(1, 0), visit(2, 85, time=900.0), visit(3, -85, time=900.0), both, wide)
    named = {}
    for item in [*links, *(spare for link in links for spare in link["spares"])]:
        assert named.setdefault(item["label"], item["exposures"]) == item["exposures"]
    firsts = [exposures[0] for exposures in named.values()]
    assert len(firsts) == len(set(firsts))
