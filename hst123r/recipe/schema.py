"""The JSON Schema of recipes, derived from the stages; editors complete with it.

The published file ``schemas/recipe.schema.json`` is draft-07, because the YAML language servers
are draft-07 at heart: no tuples, no conditionals.
"""

from __future__ import annotations

import json
from typing import Any, Final

from hst123r.recipe.load import SELECT
from hst123r.recipe.model import INSTANCE_PATTERN, Head
from hst123r.recipe.stage_entry import ON_BAD
from hst123r.stage import registry

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
TITLE: Final = "hst123r recipe"


def recipe_schema() -> dict[str, Any]:
    """Return the schema of recipes.

    Returns
    -------
    dict
        A draft-07 JSON Schema.
    """
    definitions: dict[str, Any] = {}
    head = _model(Head.model_json_schema(mode="validation"), definitions)
    stages = {}
    for name in registry.names():
        stage = registry.get(name)
        own = _model(stage.params.model_json_schema(mode="validation"), definitions)
        lead = (type(stage).__doc__ or "").strip().splitlines()[0]
        definitions[f"stage_{name}"] = _with_common(own, lead)
        stages[name] = {"$ref": f"#/definitions/stage_{name}", "description": lead}
    properties = head["properties"]
    properties[SELECT] = stages[SELECT]
    properties["stages"] = {
        "type": "array",
        "minItems": 1,
        "description": "What to do, in order",
        "items": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "properties": stages,
        },
    }
    return {
        "$schema": DRAFT,
        "title": TITLE,
        "type": "object",
        "additionalProperties": False,
        "required": [*head["required"], "stages"],
        "properties": properties,
        "definitions": dict(sorted(definitions.items())),
    }


def as_text(schema: dict[str, Any]) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def draft07(schema: Any) -> Any:
    """Rewrite a pydantic schema so that draft-07 readers understand it.

    Parameters
    ----------
    schema : object
        Schema, or a part of one.

    Returns
    -------
    object
        The same with ``definitions`` for ``$defs``, and without generated titles.
    """
    if isinstance(schema, list):
        return [draft07(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "$ref":
            out[key] = value.replace("#/$defs/", "#/definitions/")
        elif key == "properties":
            out[key] = {name: draft07(item) for name, item in value.items()}
        elif key == "default":
            out[key] = value
        else:
            out["definitions" if key == "$defs" else key] = draft07(value)
    return out


def _model(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    plain = draft07(schema)
    definitions.update(plain.pop("definitions", {}))
    plain.pop("description", None)
    if not isinstance(plain, dict):
        raise TypeError("a model's schema is a mapping")
    return plain


def _with_common(own: dict[str, Any], lead: str) -> dict[str, Any]:
    properties = own.get("properties", {})
    block = {"type": "object", "additionalProperties": False, "properties": properties}
    common = {
        "name": {
            "type": "string",
            "pattern": INSTANCE_PATTERN,
            "description": "Name of this stage, needed where a recipe has it twice",
        },
        "for": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": block,
            "description": "Parameters for a detector, a filter, or both: {DETECTOR FILTER: {…}}",
        },
        "on_bad": {
            "enum": list(ON_BAD),
            "default": "exclude",
            "description": "What to do with a result whose quality is bad",
        },
        "uses": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ],
            "description": "Names of earlier stages to take products from",
        },
    }
    return {
        **own,
        "type": "object" if own.get("required") else ["object", "null"],
        "description": lead,
        "properties": {**properties, **common},
    }
