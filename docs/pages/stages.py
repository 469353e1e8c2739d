"""A page for every stage: what it needs and makes, and its parameters."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hst123r import instruments
from hst123r.recipe.load import load
from hst123r.recipe.schema import draft07
from hst123r.records import amount, dates, position
from hst123r.records.params import ROOT_PATTERN
from hst123r.resources import shipped_recipes
from hst123r.stage import registry
from hst123r.stage.contract import Need
from pages.markdown import bullets, code, page, table, text, toctree

PLAIN = {"time": "length of time", "pixel": "number of pixels"}
SIGNS: dict[amount.Sign, str] = {"any": "", "not negative": ", at least 0", "positive": ", above 0"}
PATTERNS = {
    **{
        amount.schema_pattern(name, sign): PLAIN.get(name, name) + words
        for name in amount.UNITS
        for sign, words in SIGNS.items()
    },
    f"^{ROOT_PATTERN}$": "root name",
    dates.PATTERN: "date",
    position.PATTERN: "position",
}
TYPES = {"integer": "whole number", "number": "number", "string": "text", "object": "mapping"}
LIMITS = {
    "minimum": "at least {:.10g}",
    "exclusiveMinimum": "above {:.10g}",
    "maximum": "at most {:.10g}",
    "exclusiveMaximum": "below {:.10g}",
}
COMMON = """\
Beside these every stage takes `name`, `on_bad` and `uses`; see
[the recipe](../recipe.md#stages). The units are [here](../reference/units.md)."""


def pages() -> dict[str, str]:
    """Return the pages by their path in the documentation."""
    found = {f"stages/{name}.md": _page(name) for name in registry.names()}
    found["stages/index.md"] = _index()
    return found


@cache
def in_order() -> list[str]:
    """Names of the stages, in the order of the quickstart; those it does not use come last."""
    known = [item.stage for item in load(shipped_recipes()["quickstart"]).instances]
    return list(dict.fromkeys([*known, *registry.names()]))


def _index() -> str:
    rows = [
        (f"[{name}]({name}.md)", text(_lead(name)), registry.get(name).per or "recipe")
        for name in in_order()
    ]
    return page(
        "Stages",
        "A recipe lists stages, and each is one file in `hst123r/stages/`. In the order in which "
        "a recipe usually has them:",
        table(("stage", "what it does", "a job for each"), rows),
        toctree(in_order()),
    )


def _page(name: str) -> str:
    stage = registry.get(name)
    lead, _, more = inspect.cleandoc(type(stage).__doc__ or "").partition("\n")
    return page(
        name,
        text(lead),
        more.strip(),
        bullets(_facts(name)),
        _needs(stage.needs),
        "## Parameters",
        *_parameters(stage.params),
        COMMON,
        *_suggestions(name),
    )


def _lead(name: str) -> str:
    return (type(registry.get(name)).__doc__ or "").strip().splitlines()[0]


def _facts(name: str) -> list[str]:
    stage = registry.get(name)
    implied = "yes, where a later stage needs what it makes" if stage.implied else "no"
    tools = ", ".join(stage.tools) or "none"
    return [
        f"**A job for each** {stage.per or 'recipe'}",
        f"**Makes** {', '.join(map(code, stage.makes))}",
        f"**Put in by itself** {implied}",
        f"**Blocks `for:`** {_blocks(stage.varies_by)}",
        f"**Version** {stage.version}; raised when results change, and then jobs run again",
        f"**Tools whose version counts** {tools}",
        f"**Used in the recipes that ship** {_used_in(name)}",
    ]


def _blocks(varies_by: tuple[str, ...]) -> str:
    if not varies_by:
        return "none; its jobs are about several detectors and filters"
    return " or ".join(f"for a {label}" for label in varies_by)


def _used_in(name: str) -> str:
    names = [
        recipe
        for recipe, path in shipped_recipes().items()
        if any(item.stage == name for item in load(path).instances)
    ]
    return ", ".join(names) or "none"


def _needs(needs: tuple[Need, ...]) -> str:
    if not needs:
        return ""
    rows = [
        (
            code(need.kind),
            _makers(need.kind),
            ", ".join(need.facets) or "nothing",
            "all" if need.facts == ("*",) else ", ".join(need.facts) or "none",
            "no" if need.optional else "yes",
            "all of them" if need.every else "the latest",
        )
        for need in needs
    ]
    headings = ("needs", "made by", "facets that count", "facts that count", "required", "takes")
    return (
        table(headings, rows)
        + "\n\nWhat a facet or fact is, and when a change re-runs a job, is told in "
        + "[run or reuse](../run-or-reuse.md)."
    )


def _makers(kind: str) -> str:
    makers = [name for name in in_order() if kind in registry.get(name).makes]
    return ", ".join(f"[{name}]({name}.md)" for name in makers) or "you"


def _parameters(model: type[BaseModel], path: str = "") -> list[str]:
    """Return the table of a model, and those of the models inside it."""
    schema = draft07(model.model_json_schema(mode="validation"))
    rows, inside = [], []
    for name, field in model.model_fields.items():
        key = field.alias or name
        node = schema["properties"][key]
        rows.append((code(key), _words(node), _default(field), text(field.description or "")))
        nested = _nested(field.annotation)
        if nested is not None:
            inner = f"{path}{key}"
            inside.append(f"### `{inner}`\n\n{text(nested.__doc__ or '')}")
            inside += _parameters(nested, f"{inner}.")
    return [table(("name", "value", "default", "what it is"), rows), *inside]


def _nested(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _nested(inner))), None)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None:
        return "none"
    return "as below" if isinstance(value, BaseModel) else code(_written(value))


def _written(value: Any) -> str:
    """Return a value as a recipe has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_written, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(node: dict[str, Any]) -> str:
    """Return what a parameter can be, in words."""
    if "anyOf" in node:
        return " or ".join(_words(part) for part in node["anyOf"] if part != {"type": "null"})
    if "$ref" in node:
        return "mapping, see below"
    if "enum" in node or "const" in node:
        return _choices(node.get("enum", [node.get("const")]))
    if node.get("type") == "array":
        least, most = node.get("minItems"), node.get("maxItems")
        count = f", exactly {least}" if least and least == most else ""
        count = count or (f", at least {least}" if least else "")
        return f"list{count}; each {_words(node['items'])}"
    if node.get("type") == "boolean":
        return "`true` or `false`"
    if node.get("pattern") in PATTERNS:
        return PATTERNS[node["pattern"]]
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    limits = [form.format(node[key]) for key, form in LIMITS.items() if key in node]
    return ", ".join([" or ".join(TYPES[item] for item in kinds), *limits])


def _choices(values: list[Any]) -> str:
    known = {str(value) for value in values}
    if known == set(instruments.names()):
        return "[detector](../instruments/index.md)"
    if len(known) > 20:
        return "[filter](../instruments/index.md)"
    return ", ".join(code(value) for value in values)


def _suggestions(name: str) -> list[str]:
    rows = [
        (f"[{detector}](../instruments/{facts.slug}.md)", code(key), code(_written(value)))
        for detector in instruments.names()
        for facts in [instruments.get(detector)]
        if name in facts.stages
        for key, value in facts.stages[name].parameters.items()
    ]
    if not rows:
        return []
    return [
        "## Suggestions of the detectors",
        "Jobs of one detector take these instead of the default; the recipe wins over them.",
        table(("detector", "parameter", "value"), rows),
    ]
