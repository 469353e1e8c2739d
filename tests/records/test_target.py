"""A target."""

import dataclasses

import pytest

from hst123r.records.position import parse
from hst123r.records.target import Target


def test_a_target_is_a_name_and_a_place_that_do_not_change():
    one, other = (Target("SN", parse(text)) for text in ("150.1 2.2", "10:00:24.0 +02:12:00"))
    assert one.position.ra_deg == pytest.approx(other.position.ra_deg)
    assert one.position.dec_deg == pytest.approx(other.position.dec_deg)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "x"
