"""Checking values against parameter models, with sentences instead of validator jargon."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hst123r.errors import did_you_mean
from hst123r.recipe.problem import Problem
from hst123r.recipe.text import Located

_NOUNS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_COMPARISONS = {
    "less_than_equal": ("le", "is above"),
    "less_than": ("lt", "is not below"),
    "greater_than_equal": ("ge", "is below"),
    "greater_than": ("gt", "is not above"),
}


def check(
    model: type[BaseModel], tree: Located, values: dict[str, Any], path: str
) -> tuple[BaseModel | None, list[Problem]]:
    """Check values against a model.

    Parameters
    ----------
    model : type of BaseModel
        The parameter model.
    tree : Located
        The place the values stand at; keys that are not in it are reported at its own place.
    values : dict
        Plain values.
    path : str
        Path of the values in the recipe, for messages.

    Returns
    -------
    BaseModel or None
        The checked values, None when there is a problem.
    list of Problem
        All problems.
    """
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        problems = {_problem(model, tree, path, item) for item in error.errors(include_url=False)}
        return None, sorted(problems)


def _problem(model: type[BaseModel], tree: Located, path: str, item: Any) -> Problem:
    steps = _recipe_steps(tree, item["loc"])
    _, (line, column) = tree.find(steps)
    kind = item["type"]
    if kind == "extra_forbidden" and steps:
        parent, _ = tree.find(steps[:-1])
        line, column = parent.keys.get(str(steps[-1]), (line, column))
        known = _fields(model, steps[:-1])
        message = f"unknown parameter, {did_you_mean(str(steps[-1]), known)}"
    elif kind == "missing" and steps:
        parent, (line, column) = tree.find(steps[:-1])
        message = "is required" if not parent.value else "is missing here"
    else:
        message = _sentence(item)
    inner = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)
    return Problem(line, column, (path + inner).lstrip("."), message)


def _recipe_steps(tree: Located, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Drop what the validator adds to a path: names of union members and validators."""
    steps: list[int | str] = []
    node: Located | None = tree
    for step in loc:
        inside = node.inside(step) if node is not None else None
        if inside is not None:
            steps.append(step)
            node = inside
        elif node is not None and isinstance(node.value, dict) and step == loc[-1]:
            steps.append(step)
    return tuple(steps)


def _fields(model: type[BaseModel], steps: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of a model, or of the model nested at a path in it."""
    current = model
    for step in steps:
        if isinstance(step, int):
            continue
        field = next((f for n, f in current.model_fields.items() if step in (n, f.alias)), None)
        nested = _nested_model(field.annotation) if field else None
        if nested is None:
            return []
        current = nested
    return [field.alias or name for name, field in current.model_fields.items()]


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _nested_model(inner)
        if found is not None:
            return found
    return None


def _sentence(item: Any) -> str:
    kind, given, context = item["type"], item["input"], item.get("ctx", {})
    shown = "nothing" if given is None else _show(given)
    if kind in _NOUNS:
        return f"{shown} is not {_NOUNS[kind]}"
    if kind in _COMPARISONS:
        limit, words = _COMPARISONS[kind]
        return f"{shown} {words} {context[limit]:g}"
    if kind == "literal_error":
        known = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        return f"{shown} is not one of {', '.join(known)}; {did_you_mean(str(given), known)}"
    sentences = {
        "value_error": "{error}",
        "string_pattern_mismatch": shown + " does not have the right form ({pattern})",
        "too_short": "at least {min_length} needed, there are {actual_length}",
        "too_long": "at most {max_length} allowed, there are {actual_length}",
    }
    return sentences.get(kind, "{message}").format(message=item["msg"], **context)


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return "this list" if isinstance(value, list) else "this mapping"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
