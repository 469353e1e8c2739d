"""The JSON Schema of recipes, derived from the stages; editors complete with it.

The published file ``schemas/recipe.schema.json`` is draft-07, because the YAML language servers
are draft-07 at heart: no tuples, no conditionals.
"""

from __future__ import annotations

import json
from typing import Any, Final

from hst123r import instruments
from hst123r.recipe.lock import FORM, VERSION, Lock
from hst123r.recipe.model import INSTANCE_PATTERN, SELECT, Head
from hst123r.recipe.stage_entry import FOR, ON_BAD
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
        blocks = _blocks(name, own.get("properties", {}), definitions)
        definitions[f"stage_{name}"] = _with(own, {**_common(), **blocks}, lead)
        stages[name] = {"$ref": f"#/definitions/stage_{name}", "description": lead}
        if name == SELECT:
            definitions["top_select"] = _with(own, blocks, lead)
    properties = head["properties"]
    properties[SELECT] = {**stages[SELECT], "$ref": "#/definitions/top_select"}
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


def lock_schema() -> dict[str, Any]:
    """Return the schema of locks.

    Returns
    -------
    dict
        A draft-07 JSON Schema.
    """
    found: dict[str, Any] = draft07(Lock.model_json_schema(mode="validation"))
    head = {
        FORM: {"const": VERSION, "description": "Version of the form of locks"},
        **found["properties"],
        "digest": {"type": "string", "description": "Digest of all lines above"},
    }
    return {
        "$schema": DRAFT,
        "title": "hst123r lock",
        **{key: value for key, value in found.items() if key != "title"},
        "properties": head,
        "required": [FORM, "recipe", "digest"],
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


def _blocks(name: str, properties: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The key ``for`` of a stage, where its jobs are about detectors or filters."""
    able = registry.get(name).varies_by
    if not able:
        return {}
    key = f"for_{name}"
    definitions[key] = {"type": "object", "additionalProperties": False, "properties": properties}
    block = {"$ref": f"#/definitions/{key}"}
    for_filters, both = "filter" in able, " ".join(instruments.EXAMPLE)
    return {
        FOR: {
            "type": "object",
            "minProperties": 1,
            "properties": dict.fromkeys(instruments.names(), block),
            "additionalProperties": block if for_filters else False,
            "description": f"Parameters for a detector, a filter, or both: {{{both}: {{…}}}}"
            if for_filters
            else f"Parameters for a detector: {{{instruments.EXAMPLE[0]}: {{…}}}}",
        }
    }


def _common() -> dict[str, Any]:
    return {
        "name": {
            "type": "string",
            "pattern": INSTANCE_PATTERN,
            "description": "Name of this stage, needed where a recipe has it twice",
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


def _with(own: dict[str, Any], more: dict[str, Any], lead: str) -> dict[str, Any]:
    return {
        **own,
        "type": "object" if own.get("required") else ["object", "null"],
        "description": lead,
        "properties": {**own.get("properties", {}), **more},
    }
