"""How exposures are put into groups."""

import pytest

from hst123r.errors import InputError
from hst123r.records.drizzling import DrizzleParams
from hst123r.records.groups import by_time, grouped, labels_of, outline, same_everywhere
from hst123r.records.outcome import Product


def exposure(name, start, detector="ACS/WFC", targets=("SN",), corner=(150.0, 2.0)):
    ra, dec = corner
    chip = {
        "targets": list(targets),
        "corners": [(ra, dec), (ra + 0.1, dec), (ra + 0.1, dec + 0.1), (ra, dec + 0.1)],
        "position_angle_deg": start / 7,
    }
    labels = {"field": "SN", "detector": detector, "filter": "F606W"}
    return Product("exposure", name, labels, {}, {
        "start_mjd": start, "proposal": 9019, "chips": [chip],
    })  # fmt: skip


def test_exposures_are_in_the_order_of_time_and_then_of_name():
    given = [exposure("c", 2.0), exposure("b", 1.0), exposure("a", 2.0)]
    assert [p.name for p in sorted(given, key=by_time)] == ["b", "a", "c"]


def test_an_exposure_belongs_to_every_target_on_it_where_that_counts():
    both = exposure("a", 1.0, targets=("two", "one"))
    assert [labels["proposal"] for labels in labels_of(both, ["visit"])] == ["9019"]
    assert [labels["target"] for labels in labels_of(both, ["target"])] == ["one", "two"]
    assert labels_of(exposure("a", 1.0, targets=()), ["target"]) == []


def test_what_is_in_no_group_is_left_out():
    bare = exposure("c", 3.0, targets=())
    given = [exposure("b", 2.0), exposure("a", 1.0, targets=("SN", "two")), bare]
    keys, groups, left_out = grouped(given, ["target"])
    assert keys == ("field", "detector", "filter", "target")
    assert {values[3]: [p.name for p in members] for values, members in groups.items()} == {
        "SN": ["a", "b"], "two": ["a"],
    }  # fmt: skip
    assert left_out == [bare]
    assert grouped(given, ["proposal"])[2] == []
    with pytest.raises(InputError, match="nothing to stack by target"):
        grouped([bare], ["target"])


def test_the_outline_is_that_of_the_field_and_does_not_move_by_milliarcseconds():
    given = [exposure("b", 14.0), exposure("a", 7.0, corner=(150.0 + 2e-7, 2.0))]
    found = outline(given, "SN")
    assert len(found["corners"]) == 4
    assert found["rotation"] == 1.0
    assert found == outline(given[::-1], "SN")


def test_blocks_cannot_group_otherwise():
    given = [exposure("a", 1.0), exposure("b", 2.0, detector="WFC3/IR")]
    params = DrizzleParams(per=["epoch"])
    same_everywhere(given, params, None)
    same_everywhere(given, params, lambda *_: params)

    def other(detector, band):
        return DrizzleParams(per=["visit"]) if detector == "WFC3/IR" else params

    with pytest.raises(InputError, match="per differs for WFC3/IR F606W"):
        same_everywhere(given, params, other)


def test_a_shared_grid_has_one_scale():
    given = [exposure("a", 1.0), exposure("b", 2.0, detector="WFC3/IR")]
    params = DrizzleParams(grid="shared")

    def by_detector(detector, band):
        return DrizzleParams(grid="shared", scale="0.128 arcsec" if "IR" in detector else "50 mas")

    with pytest.raises(InputError, match=r"0\.05, WFC3/IR F606W 0\.128") as raised:
        same_everywhere(given, params, by_detector)
    assert "0.05 arcsec" in raised.value.hint
    same_everywhere(given[:1], params, by_detector)
    same_everywhere(given, DrizzleParams(), lambda *_: DrizzleParams())
