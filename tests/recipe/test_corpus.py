"""The loader and the published schema agree, and every message says where and what."""

import re

import jsonschema
import pytest
from corpus import ENTRIES, GOOD

from hst123r.errors import InputError
from hst123r.recipe.load import load
from hst123r.recipe.problem import RecipeError
from hst123r.recipe.schema import recipe_schema
from hst123r.recipe.text import read

BAD = [entry for entry in ENTRIES if not entry.good]


def pattern_as_in_javascript(validator, pattern, instance, schema):
    """Check a pattern as JSON Schema means it: `$` is the end, not the line break before it."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance, re.ASCII):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


@pytest.fixture(scope="module")
def validator():
    schema = recipe_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    strict = jsonschema.validators.extend(
        jsonschema.Draft7Validator, {"pattern": pattern_as_in_javascript}
    )
    return strict(schema)


@pytest.fixture
def load_text(tmp_path):
    def load_it(text, settings=()):
        path = tmp_path / "recipe.yaml"
        path.write_text(text)
        return load(path, settings, shown="recipe.yaml")

    return load_it


def test_the_corpus_is_large_and_its_names_differ():
    assert len(ENTRIES) >= 60
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    assert len({entry.text for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_schema_and_loader_agree(entry, load_text, validator):
    by_schema = validator.is_valid(read(entry.text.encode(), "recipe.yaml").plain())
    try:
        load_text(entry.text)
        by_loader = True
    except RecipeError:
        by_loader = False
    assert by_loader is entry.good
    assert by_schema is (entry.good or entry.semantic)


@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry.name)
def test_messages_say_what_would_be_right(entry, load_text):
    with pytest.raises(InputError) as caught:
        load_text(entry.text)
    text = str(caught.value)
    assert entry.says in text
    assert text.startswith(f"recipe.yaml:{entry.place}")
    assert caught.value.exit_code == 2


def test_all_problems_come_at_once_in_the_order_of_lines(load_text):
    text = (
        GOOD.replace("15 s", "15")
        .replace("pixfrac: 0.8", "pixfrac: 1.8, kernl: turbo")
        .replace("name: T, ", "")
    )
    with pytest.raises(RecipeError) as caught:
        load_text(text)
    assert str(caught.value).splitlines() == [
        "recipe.yaml:4:5: targets[0].name: is missing here",
        "recipe.yaml:5:24: select.min_exposure: 15 has no unit, write for example 15 s",
        "recipe.yaml:8:24: stages[1].drizzle.pixfrac: 1.8 is above 1",
        "recipe.yaml:8:29: stages[1].drizzle.kernl: unknown parameter, did you mean 'kernel'?",
    ]


def test_problems_of_every_kind_come_at_once(load_text):
    text = (
        GOOD.replace("name: good", "name: good\nname: again")
        .replace("pixfrac: 0.8", "pixfrac: 1.8, uses: [fetch, stacks]")
        .replace("from: directory, path: data", "from: simulated")
    )
    text += (
        "  - drizzle: {}\n  - align: {for: {F606W: {clip: 1}}}\n  - scrape: {radius: -1 arcsec}\n"
    )
    with pytest.raises(RecipeError) as caught:
        load_text(text, ["nope.x=1", "drizzle.kernel=zzz", "scrape.radius=0.1"])
    found = [line.removeprefix("recipe.yaml:").strip() for line in str(caught.value).splitlines()]
    wanted = [
        ("--set drizzle.kernel=zzz: ", "'zzz' is not one of square"),
        ("--set nope.x=1: ", "known are fetch, select, exposures, drizzle, stars, reference"),
        ("--set scrape.radius=0.1: ", "0.1 has no unit, write for example 0.1 arcsec"),
        ("3:1: name: ", "'name' stands here twice, first in line 2"),
        ("8:19: stages[0].fetch.from: ", "`from: simulated` needs `simulation`"),
        ("9:24: stages[1].drizzle.pixfrac: ", "1.8 is above 1"),
        ("9:43: stages[1].drizzle.uses: ", "no earlier stage is called 'stacks', known are fetch"),
        ("10:5: stages[2].drizzle: ", "the name 'drizzle' is taken by stages[1].drizzle"),
        ("11:19: stages[3].align.for.F606W: ", "a job of align is not about one filter"),
        ("12:5: stages[4].scrape: ", "no earlier stage makes; put photometry before it"),
        ("12:22: stages[4].scrape.radius: ", "-1 arcsec is below 0 arcsec"),
    ]
    assert len(found) == len(wanted)
    for line, (place, says) in zip(found, wanted, strict=True):
        assert line.startswith(place)
        assert says in line


def test_a_stage_that_was_not_understood_is_not_missed_as_well(load_text):
    with pytest.raises(RecipeError) as caught:
        load_text(GOOD.replace("fetch:", "fetsh:"))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("content", "place"),
    [("", "1:1"), ("# nothing\n", "1:1"), ("a: 1\nb: x\x00y\n", "2:5"), ("a: \x07\n", "1:4")],
)
def test_every_problem_of_a_file_has_a_place(load_text, content, place):
    with pytest.raises(RecipeError) as caught:
        load_text(content)
    assert str(caught.value).startswith(f"recipe.yaml:{place}: ")


@pytest.mark.parametrize("value", [".nan", "-.inf", "9" * 5000])
def test_a_value_that_is_no_number_is_told_of_once(load_text, value):
    with pytest.raises(RecipeError) as caught:
        load_text(GOOD.replace("0.8", value).replace("name: good", "name: a b"))
    assert [(p.line, p.path) for p in caught.value.problems] == [
        (2, "name"), (8, "stages[1].drizzle.pixfrac"),
    ]  # fmt: skip
