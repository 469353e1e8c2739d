"""The JSON Schema of the detector files, from the model that reads them."""

from __future__ import annotations

from typing import Any, Final

from hst123r.instruments.detector import Detector

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
"""The draft that editors understand; Pydantic writes a newer one."""


def instrument_schema() -> dict[str, Any]:
    """Return the schema that a detector file has to fulfil.

    Returns
    -------
    dict
        JSON Schema, draft 7. ``schemas/instrument.schema.json`` is its committed copy.
    """
    schema: dict[str, Any] = {"$schema": DRAFT, **_draft_7(Detector.model_json_schema())}
    return schema


def _draft_7(part: Any) -> Any:
    """Rename ``$defs`` to ``definitions``, and what points there."""
    if isinstance(part, dict):
        return {
            "definitions" if key == "$defs" else key: _draft_7(value) for key, value in part.items()
        }
    if isinstance(part, list):
        return [_draft_7(entry) for entry in part]
    if isinstance(part, str) and part.startswith("#/$defs/"):
        return part.replace("#/$defs/", "#/definitions/", 1)
    return part
