"""Fields: targets that share exposures."""

import pytest

from hst123r.algorithms.fields import group_targets


@pytest.mark.parametrize(
    ("sharing", "fields"),
    [
        ([], "a b c d"),
        ([["a"], ["b"]], "a b c d"),
        ([["a", "b"]], "a a c d"),
        ([["b", "c"], ["d"]], "a b b d"),
        ([["c", "d"], ["b", "c"], ["a", "b"]], "a a a a"),
        ([["d", "a"], ["c", "b"]], "a b b a"),
        ([["b", "d"], ["d", "c"], ["b", "c"]], "a b b b"),
    ],
)
def test_chains_of_shared_exposures_are_one_field_named_after_its_first_target(sharing, fields):
    assert list(group_targets(list("abcd"), sharing).values()) == fields.split()


def test_the_order_of_exposures_does_not_matter():
    sharing = [["c", "d"], ["b", "c"], ["a", "d"]]
    found = group_targets(list("abcd"), sharing)
    assert found == group_targets(list("abcd"), [list(reversed(held)) for held in sharing[::-1]])
