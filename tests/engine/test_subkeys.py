"""Reasons name the sub-key of a structured parameter that changed."""

import json

import pytest

from hst123r.engine.subkeys import changes


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("0.8", "0.6", "p: 0.8 → 0.6"),
        ("1 day", "2 day", "p: 1 day → 2 day"),
        ("null", '["F606W"]', 'p: null → ["F606W"]'),
        ('["F606W"]', '["F814W"]', 'p: ["F606W"] → ["F814W"]'),
        ('{"seed":7}', '{"seed":8}', "p.seed: 7 → 8"),
        ('{"a":1,"b":{"c":2}}', '{"a":1,"b":{"c":3,"d":"x"}}', "p.b.c: 2 → 3; p.b.d: nothing → x"),
        ('[{"a":1},{"a":2}]', '[{"a":1}]', "p[1].a: 2 → nothing"),
        ('{"a":false}', '{"a":0}', "p.a: false → 0"),
        ("blake3:00ff (965)", '{"a":1}', "p changed"),
        ("x" * 100, "y", f"p: {'x' * 59}… → y"),
    ],
)
def test_what_changed_is_named(old, new, says):
    assert changes("p", old, new) == says


def test_many_changes_are_counted():
    old, new = ({f"k{i}": i + step for i in range(9)} for step in (0, 1))
    assert changes("p", json.dumps(old), json.dumps(new)).endswith("; and 5 more")


def test_a_long_parameter_is_stored_whole_and_compared_by_sub_key(bench, write_recipe, reasons):
    recipe = write_recipe()
    observations = (
        "[{detector: ACS/WFC, filter: F606W, dates: [2019-04-01], exposures: 1, size: 64 pix}]"
    )
    text = recipe.read_text().replace(
        "{from: directory, path: data}",
        "{from: simulated, simulation: {observations: "
        + observations
        + ", stars: {number: 5, radius: 4 arcsec}}}",
    )
    recipe.write_text(text)
    assert bench.run(recipe).exit_code == 0
    with bench.store() as store:
        (value,) = store.db.execute(
            "select value from job_param where name = 'simulation' and kind = 'param'"
        ).fetchone()
    assert json.loads(value)["stars"]["number"] == 5
    assert len(value) > 400
    assert set(reasons(bench.plan(recipe))) == set()
    found = reasons(bench.plan(recipe, "fetch.simulation.stars.number=6"))["fetch:jsi00101q"]
    assert "parameter simulation.stars.number: 5 → 6 (--set)" in found
