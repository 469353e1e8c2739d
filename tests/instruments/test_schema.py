"""The committed schema is the generated one, and it tells good files from broken ones."""

import copy
import json

import jsonschema
import pydantic
import pytest

from hst123r import resources
from hst123r.instruments import FOLDER
from hst123r.instruments.detector import Detector
from hst123r.instruments.schema import DRAFT, instrument_schema

FILES = sorted(FOLDER.glob("*.yaml"))
COMMENT = "# yaml-language-server: $schema=../../schemas/instrument.schema.json\n"


@pytest.fixture(scope="module")
def validator():
    return jsonschema.Draft7Validator(instrument_schema())


def test_the_committed_schema_is_the_generated_one():
    committed = resources.folder("schemas") / "instrument.schema.json"
    expected = json.dumps(instrument_schema(), indent=2, ensure_ascii=False) + "\n"
    assert committed.read_text(encoding="utf-8") == expected, (
        "write instrument_schema() to schemas/instrument.schema.json, indented by 2"
    )


def test_the_schema_is_draft_7():
    schema = instrument_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == DRAFT
    assert "$defs" not in json.dumps(schema)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_detector_file_fulfils_the_schema(path, validator):
    assert path.read_text(encoding="utf-8").startswith(COMMENT)
    assert list(validator.iter_errors(resources.load_yaml(path))) == []


def unknown_key(data):
    data["colour"] = "red"


def unknown_key_inside(data):
    data["noise"]["read_nois"] = data["noise"]["read_noise"]


def missing_source(data):
    del data["noise"]["read_noise"]["source"]


def empty_source(data):
    data["pixel_scale"]["source"] = ""


def missing_unit(data):
    del data["noise"]["dark"]["unit"]


def bare_number(data):
    data["noise"]["gain"] = 1.0


def text_for_number(data):
    data["pixel_scale"]["value"] = "0.05"


def number_for_unit(data):
    data["noise"]["gain"]["unit"] = 1


def unknown_kind(data):
    next(iter(data["filters"].values()))["kind"] = "wide"


def missing_part(data):
    del data["pointing"]


def short_matrix(data):
    del data["chips"][0]["geometry"]["cd"][1]


def bit_zero(data):
    data["dq_bits"][0]["bit"] = 0


BREAKAGES = [
    unknown_key, unknown_key_inside, missing_source, empty_source, missing_unit, bare_number,
    text_for_number, number_for_unit, unknown_kind, missing_part, short_matrix, bit_zero,
]  # fmt: skip


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_file_is_refused(path, breakage, validator):
    data = copy.deepcopy(resources.load_yaml(path))
    breakage(data)
    assert list(validator.iter_errors(data))
    with pytest.raises(pydantic.ValidationError):
        Detector.model_validate(data)
