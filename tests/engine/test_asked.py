"""What a recipe asks for beside parameters: each change of it is one row."""

import pytest

from hst123r.engine.asked import of_canonical, of_recipe
from hst123r.recipe.load import describe, load

RECIPE = """\
hst123r: 1
name: r
targets: [{name: T, position: '10:00:00 +02:00:00'}]
select: {min_exposure: 20 s}
stages:
  - fetch: {from: directory, path: data}
  - drizzle: {name: stacks, for: {ACS/WFC: {pixfrac: 0.6}}}
"""


@pytest.fixture
def rows(tmp_path):
    def found(old="", new=""):
        path = tmp_path / "r.yaml"
        assert old in RECIPE
        path.write_text(RECIPE.replace(old, new) if old else RECIPE)
        recipe = load(path)
        every = {(row["stage"], row["name"]): row["value"] for row in of_recipe(recipe)}
        alone = {(row["stage"], row["name"]) for row in of_canonical(describe(recipe))}
        return every, alone

    return found


@pytest.mark.parametrize(
    ("old", "new", "row", "of_a_run"),
    [
        ("10:00:00", "11:00:00", ("", "target T"), True),
        ("pixfrac: 0.6", "pixfrac: 0.5", ("stacks", "pixfrac for ACS/WFC"), True),
        ("{name: stacks,", "{name: stacks, on_bad: stop,", ("stacks", "on_bad"), True),
        ("min_exposure: 20 s", "min_exposure: 30 s", ("select", "min_exposure"), False),
        ("name: r", "name: r\ntitle: Another", ("", "title"), False),
    ],
)
def test_every_change_is_one_row(rows, old, new, row, of_a_run):
    (before, _), (after, alone) = rows(), rows(old, new)
    assert {key for key in before | after if before.get(key) != after.get(key)} == {row}
    assert (row in alone) == of_a_run


def test_what_later_versions_know_and_nobody_wrote_is_no_change():
    old = {"head": {"targets": [{"name": "T", "position": "1 2"}]}}
    new = {"head": {"targets": [{"name": "T", "position": "1 2", "resolve": False, "k": None}]}}
    assert of_canonical(old) == of_canonical(new)


def test_a_setting_wins_over_blocks():
    stage = {"name": "s", "stage": "drizzle", "blocks": [["ACS/WFC", None, {"pixfrac": 0.5}]]}
    names = [row["name"] for row in of_canonical({"stages": [stage]})]
    assert "pixfrac for ACS/WFC" in names
    stage["overrides"] = {"pixfrac": 0.7}
    assert "pixfrac for ACS/WFC" not in [r["name"] for r in of_canonical({"stages": [stage]})]
