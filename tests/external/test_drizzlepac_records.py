"""What drizzlepac knows: units of a stack, and its own answers kept apart from ours."""

import pytest

from hst123r.external.drizzlepac_records import _unit


@pytest.mark.parametrize(
    ("unit", "asked", "stack"),
    [
        ("ELECTRONS", "cps", "ELECTRONS/S"),
        ("ELECTRONS/S", "cps", None),
        ("ELECTRONS/S", "counts", "ELECTRONS"),
        ("COUNTS", "counts", None),
    ],
)
def test_the_unit_of_a_stack(unit, asked, stack):
    """None where that of the exposures stays, as AstroDrizzle does it."""
    assert _unit(unit, asked) == stack
