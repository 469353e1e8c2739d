"""Which visits are added to the reference, by their footprints."""

import pytest
from mosaic import visit

from hst123r.sources.chain_plan import connect, labels


def added(first, *others, cover=0.25):
    members = [product for exposures in (first, *others) for product in exposures]
    found = connect(members, first, "T", cover=cover)
    return [item["label"].removeprefix("ACS/WFC ") for item in labels(found)]


def test_nothing_is_added_where_the_reference_covers_enough():
    assert added(visit(1, 0), visit(2, 60), visit(3, -50)) == []


def test_a_mosaic_is_joined_from_its_middle_outwards():
    strip = [visit(number, 85 * number) for number in range(4)]
    found = added(strip[1], strip[3], strip[0], strip[2])
    assert sorted(found) == ["F606W of visit 1_0", "F606W of visit 1_2", "F606W of visit 1_3"]
    assert found.index("F606W of visit 1_2") < found.index("F606W of visit 1_3")


def test_the_deeper_of_two_that_would_do_is_taken_and_the_other_is_covered():
    shallow, deep = visit(2, 85), visit(2, 85, name="F814W", time=900.0)
    assert added(visit(1, 0), shallow, deep) == ["F814W of visit 1_2"]


def test_the_one_with_more_overlap_is_taken_where_depths_are_alike():
    """The last overlaps the first by a hair; the one in between by a half."""
    assert added(visit(1, 0), visit(2, 50), visit(3, 98)) == ["F606W of visit 1_2"]


def test_what_is_connected_with_nothing_is_left():
    assert added(visit(1, 0), visit(2, 300), visit(3, 385)) == []


@pytest.mark.parametrize(("cover", "count"), [(0.0, 0), (1.0, 2)])
def test_the_recipe_says_how_much(cover, count):
    assert len(added(visit(1, 0), visit(2, 20), visit(3, 85), cover=cover)) == count


def test_of_a_visit_in_two_places_the_part_that_overlaps_is_added():
    first, near, far = visit(1, 0), visit(2, 85, exposures=1), visit(2, 500)[1:]
    assert [p.name for p in connect([*first, *near, *far], first, "T", cover=0.25)[0]] == ["606v20"]
    assert added(first, [*near, *far]) == ["F606W of visit 1_2"]


def test_exposures_are_in_the_order_of_time():
    first, second = visit(1, 0), visit(2, 85)
    (found,) = connect([*first, *second[::-1]], first, "T", cover=0.25)
    assert [product.name for product in found] == [product.name for product in second]


def test_without_footprints_nothing_is_added():
    first = visit(1, 0)
    for product in first:
        product.facts["chips"][0]["corners"] = []
    assert added(first, visit(2, 85)) == []
