"""Two runs beside each other, of one kind of thing at a time; the whole is in test_diff."""

from hst123r.engine.sides import joined, parameters, sigma_of


def test_keys_of_both_are_joined_in_order():
    found = list(joined({"a": {"x": 1}, "b": {}}, {"c": {"x": 3}, "a": {"x": 2}}))
    assert found == [("a", {"x": 1}, {"x": 2}), ("b", {}, {}), ("c", {}, {"x": 3})]


def test_errors_are_added_in_quadrature():
    old = {"flux_njy": 100.0, "flux_err_njy": 3.0}
    assert sigma_of(old, {"flux_njy": 110.0, "flux_err_njy": 4.0}) == 2.0
    assert sigma_of(old, {"flux_njy": None, "flux_err_njy": 4.0}) is None
    assert sigma_of({**old, "flux_err_njy": 0.0}, {"flux_njy": 1.0, "flux_err_njy": 0.0}) is None
    assert sigma_of(old, {}) is None


def test_a_parameter_that_only_one_has():
    row = {"stage": "align", "name": "x", "value": None, "origin": "r:1:1"}
    (found,) = parameters([row], [])
    assert (found["a"], found["b"], found["origin_a"], found["origin_b"]) == (
        None, None, "r:1:1", None,
    )  # fmt: skip
    assert parameters([row], [{**row, "origin": "--set"}]) == []
