"""The text of a recipe is YAML that says what the draft says."""

from ruamel.yaml import YAML

from hst123r.recipe.hst123.draft import Draft, text


def read(draft: Draft, name: str = "made"):
    return YAML(typ="safe").load(text(draft, name, "a call"))


def test_values_come_back_as_they_are():
    draft = Draft([("2019", "1.5 -2.5")])
    values = {
        "a": "true", "b": "12:30", "c": "3 pix", "d": None, "e": True, "f": 0.5, "g": ["x", "1e5"],
        "h": {"k": "# no", "l": "a: b"}, "i": "WFC3/UVIS", "j": "no", "m": "",
    }  # fmt: skip
    draft.add("fetch", **{"from": "mast", "archive": None})
    draft.add("drizzle").values |= values
    found = read(draft, "1e5")
    assert found["name"] == "1e5"
    assert found["targets"] == [{"name": "2019", "position": "1.5 -2.5"}]
    assert found["stages"] == [{"fetch": {"from": "mast"}}, {"drizzle": values}]


def test_comments_are_short_lines_and_the_run_is_named():
    draft = Draft([("t", "1 2")])
    draft.add("align").comments.append("word " * 60)
    draft.command += ["--redo", "align"]
    draft.dropped["cleanup"] = "nothing is left"
    written = text(draft, "made", "a call")
    assert max(len(line) for line in written.splitlines()) <= 98
    assert "hst123r run made.yaml --redo align" in written
    assert "# --cleanup has no place here: nothing is left" in written
