"""Exposures that nothing connects with the reference make groups, by their footprints."""

import time

import pytest
from mosaic import visit

from hst123r.sources.apart_plan import groups_apart, rooted
from hst123r.sources.chain_plan import connect


def groups_of(first, *others, cover=0.25, **wanted):
    members = [product for exposures in (first, *others) for product in exposures]
    links = connect(members, first, "T", cover=cover)
    reached = [*first, *(product for link in links for product in link)]
    return groups_apart(members, reached, "T", cover=cover, **wanted)


def test_what_is_connected_makes_no_group():
    assert groups_of(visit(1, 0), visit(2, 85), visit(3, 170)) == []


def test_a_strip_and_a_single_visit_far_away_are_two_groups():
    strip = [visit(2, 300), visit(3, 385, time=900.0), visit(4, 470)]
    one, two = groups_of(visit(1, 0), visit(5, 900), *strip)
    assert (one["group"], two["group"]) == (1, 2)
    # the deepest of them begins, and the others are fitted to it
    assert one["label"] == "ACS/WFC F606W of visit 1_3"
    assert one["exposures"] == ["606v30", "606v31"]
    assert {link["label"] for link in one["links"]} == {
        "ACS/WFC F606W of visit 1_2, group 1", "ACS/WFC F606W of visit 1_4, group 1",
    }  # fmt: skip
    assert one["members"] == ["606v20", "606v21", "606v30", "606v31", "606v40", "606v41"]
    assert (two["links"], two["members"]) == ([], ["606v50", "606v51"])
    assert sorted(rooted([one, two])) == sorted(one["members"] + two["members"])


def test_the_filter_of_the_recipe_begins_a_group_only_where_it_is_there():
    one, two = groups_of(
        visit(1, 0), visit(2, 300), visit(3, 300, name="F814W", time=900.0),
        visit(4, 900, name="F814W"), filter_name="F606W",
    )  # fmt: skip
    assert {one["label"][-17:], two["label"][-17:]} == {"606W of visit 1_2", "814W of visit 1_4"}


def test_a_visit_in_two_places_has_two_names():
    """Its first part is linked to the reference, its second to a group."""
    near, far = visit(2, 85, exposures=1), visit(2, 585)[1:]
    (group,) = groups_of(visit(1, 0), [*near, *far], visit(3, 500, time=900.0))
    assert group["label"] == "ACS/WFC F606W of visit 1_3"
    assert [link["label"] for link in group["links"]] == ["ACS/WFC F606W of visit 1_2, group 1"]


def test_without_a_chain_there_are_no_groups():
    assert groups_of(visit(1, 0), visit(2, 300), cover=0.0) == []


@pytest.mark.parametrize("step", [85, 300])
def test_a_thousand_exposures_take_no_time(step):
    """All in one strip, or in a hundred groups."""
    others = [visit(2 + number, step * (number + 1), exposures=10) for number in range(99)]
    members = [product for exposures in others for product in exposures]
    first = visit(1, 0, exposures=10)
    reached = [*first, *(members if step < 100 else [])]
    begun = time.process_time()
    found = groups_apart([*first, *members], reached, "T", cover=0.25)
    seconds = time.process_time() - begun
    assert len(found) == (0 if step < 100 else 99)
    # 0.1 and 0.4 s when it was written, on a machine that had other work
    assert seconds < 8
