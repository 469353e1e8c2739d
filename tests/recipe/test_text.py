"""Recipe text: plain data only, with the place of every value."""

import pytest

from hst123r.errors import InputError
from hst123r.recipe.text import MAX_BYTES, MAX_DEPTH, read, scalar


def values(text):
    return read(text.encode(), "r.yaml").plain()


def test_yaml_1_2_and_not_1_1():
    text = "a: 12:30:00\nb: -45:00:00\nc: on\nd: yes\ne: 1e-3\nf: 010775\ng: 2009-01-01\nh: 0o17"
    assert values(text) == {
        "a": "12:30:00", "b": "-45:00:00", "c": "on", "d": "yes", "e": 0.001, "f": "010775",
        "g": "2009-01-01", "h": "0o17",
    }  # fmt: skip


def test_zero_and_false_are_values():
    assert values("a: 0\nb: 0.0\nc: false\nd:\ne: ''") == {
        "a": 0, "b": 0.0, "c": False, "d": None, "e": "",
    }  # fmt: skip


def test_a_byte_order_mark_is_harmless():
    assert read(b"\xef\xbb\xbfa: 1", "r.yaml").plain() == {"a": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: !!python/object/apply:os.system ['true']", "r.yaml:1:4: the tag"),
        (b"a: !custom x", "the tag !custom is not allowed"),
        (b"a: 1\nb: 2\na: 3", "r.yaml:3:1: a: 'a' stands here twice, first in line 1"),
        (b"x: {a: 1, a: 1}", "r.yaml:1:11: x.a: 'a' stands here twice"),
        (b"a: &a [*a]", "aliases expand without bound"),
        (b"a: \xff", "r.yaml:1:4: byte 0xff is not UTF-8"),
        (b"ok: 1\nb: \xe9t\xe9", "r.yaml:2:4: byte 0xe9 is not UTF-8"),
        (b"[" * 200 + b"]" * 200, f"nested deeper than {MAX_DEPTH} levels"),
        (b"a: {" * 200, "nested deeper than"),
        (b"a: " + b"x" * MAX_BYTES, "more than the"),
        (b"- 1", "a recipe is a mapping"),
        (b"just text", "a recipe is a mapping"),
        (b"", "the recipe is empty"),
        (b"# only a comment", "the recipe is empty"),
        (b"a: [1", "not valid YAML"),
        (b"a: 1\n b: 2", "r.yaml:2:3: not valid YAML"),
        (b"a: 1\n---\nb: 1", "a second document"),
        (b"a: .nan", "is not a finite number"),
        (b"a: -.inf", "is not a finite number"),
        (b"b: {<<: {a: 1}}", "merge keys are not part of the language"),
        (b"[1, 2]: x", "a key must be plain text"),
        (b"a: \x00", "r.yaml:1:4: not valid YAML: the character '\\x00'"),
        (b"a: *nowhere", "not valid YAML"),
        (b"a: 1\nb: [x, " + b"9" * 5000 + b"]", "r.yaml:2:8: b[1]: a number of 5000 digits"),
    ],
)
def test_what_no_honest_recipe_contains_is_refused_with_a_sentence(content, says):
    with pytest.raises(InputError) as caught:
        read(content, "r.yaml")
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_bomb_of_aliases_is_refused_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(InputError, match="aliases expand without bound"):
        values("\n".join(lines))


def test_a_harmless_alias_is_fine():
    assert values("a: &x {b: [1]}\nc: *x") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_places_are_those_of_the_values():
    tree = read(b"a:\n  b: [1,\n    x]\n", "r.yaml")
    assert tree.find(("a", "b", 1))[1] == (3, 5)
    assert tree.value["a"].keys["b"] == (2, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.0", 0.0), ("false", False), ("[a, 2]", ["a", 2]), ("0.05 arcsec", "0.05 arcsec"),
     ('"1"', "1"), ("{a: 1}", {"a": 1}), ("null", None)],
)  # fmt: skip
def test_settings_are_yaml(text, value):
    assert scalar(text) == value
