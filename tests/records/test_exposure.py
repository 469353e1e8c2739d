"""The record of an exposure."""

import json

from hst123r.records.exposure import Chip, Exposure


def chip(extver, targets=()):
    return Chip(extver, 3 - extver, [2051, 4096], "ELECTRONS", 7.8e-20, 5921.0, 26.5, 26.7, 1.0,
                12.0, [[150.0, 2.0]] * 4, {name: [1.0, 2.0] for name in targets})  # fmt: skip


EXPOSURE = Exposure(
    "jabc01a1q", "jabc01a1q_flc.fits", "ACS/WFC", "F606W", "W", ["F606W"], 100.0, 58000.0, 58000.5,
    "99900", "01", "T", "WFC", False, None, "NORMAL", "FINE", "", "", "IDC", True,
    [chip(1, ["b", "a"]), chip(2, ["a", "c"])],
)  # fmt: skip


def test_it_goes_through_json_and_back():
    facts = json.loads(json.dumps(EXPOSURE.as_facts(), allow_nan=False))
    assert Exposure.own({**facts, "number": 3}) == EXPOSURE


def test_the_middle_and_the_targets_of_all_chips():
    assert EXPOSURE.middle_mjd == 58000.25
    assert EXPOSURE.targets == ["a", "b", "c"]
    assert EXPOSURE.chips[0].pixels == 2051 * 4096
