"""Calls that differ by their target alone make one recipe."""

import pytest

from hst123r.errors import InputError
from hst123r.recipe.hst123.recipes import recipes


def test_targets_of_equal_calls_are_put_together():
    found = recipes(
        "hst123 1.0 2.0 --object A --download\n"
        "hst123 3.0 4.0 --object B --download\n"
        "hst123 3.0 4.0 --object B --download\n"
        "hst123 5.0 6.0 --object C --download --only-wide\n",
        "x.sh",
    )
    assert [draft.targets for draft in found] == [
        [("A", "1.0 2.0"), ("B", "3.0 4.0")], [("C", "5.0 6.0")],
    ]  # fmt: skip
    assert all("object" not in entry.values for entry in found[0].stages)
    assert found[1].stages[-1].values["object"] == "C"


def test_targets_without_a_name_get_numbers():
    (found,) = recipes("hst123 1.0 2.0; hst123 3.0 4.0", "hst123")
    assert [name for name, _ in found.targets] == ["target-1", "target-2"]


def test_nothing_to_read():
    with pytest.raises(InputError, match="no call"):
        recipes("ls", "x.sh")
