"""The loader and the published schema agree, and every message says where and what."""

import jsonschema
import pytest
from corpus import ENTRIES, GOOD

from hst123r.errors import InputError
from hst123r.recipe.load import load
from hst123r.recipe.problem import RecipeError
from hst123r.recipe.schema import recipe_schema
from hst123r.recipe.text import read

BAD = [entry for entry in ENTRIES if not entry.good]


@pytest.fixture(scope="module")
def validator():
    schema = recipe_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


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
