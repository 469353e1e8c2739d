"""Checking values against parameter models, with sentences instead of validator jargon."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hst123r.errors import closest, did_you_mean
from hst123r.recipe.problem import Problem
from hst123r.recipe.text import Located
from hst123r.records.params import Misfits

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
    model: type[BaseModel],
    tree: Located,
    values: dict[str, Any],
    path: str,
    targets: Sequence[str] | None = None,
    inherited: Collection[str] = (),
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
    targets : sequence of str, optional
        Names of the recipe's targets, for parameters that name one.
    inherited : collection of str, optional
        Parameters that stand elsewhere, for other exposures too.

    Returns
    -------
    BaseModel or None
        The checked values, None when there is a problem.
    list of Problem
        All problems.
    """
    try:
        context = {"targets": targets, "inherited": frozenset(inherited)}
        return model.model_validate(values, context=context), []
    except ValidationError as error:
        errors = [found for item in error.errors(include_url=False) for found in _each(item)]
        return None, sorted({_problem(model, tree, path, item) for item in errors})


def check_more(
    model: type[BaseModel],
    tree: Located,
    base: dict[str, Any],
    more: dict[str, Any],
    path: str,
    targets: Sequence[str] | None = None,
    *,
    for_some: bool = False,
) -> list[Problem]:
    """Check values that are given on top of others, and say what is wrong because of them.

    Parameters
    ----------
    model : type of BaseModel
        The parameter model.
    tree : Located
        The place of the values on top.
    base : dict
        Plain values below; what is wrong with them alone is not told.
    more : dict
        Plain values on top.
    path : str
        Path of the values on top.
    targets : sequence of str, optional
        Names of the recipe's targets.
    for_some : bool
        Whether the values on top are for some exposures only, and those below for others too.

    Returns
    -------
    list of Problem
        Problems of the values on top, and of both together where those below are good.
    """
    inherited = base.keys() - more.keys() if for_some else ()
    found = check(model, tree, {**base, **more}, path, targets, inherited)[1]
    above = [item for item in found if _first_step(item, path) in more]
    if above or not found or check(model, tree, base, path, targets)[1]:
        return above
    return [Problem(tree.line, tree.column, item.path, item.message) for item in found]


def _first_step(problem: Problem, path: str) -> str:
    return re.split(r"[.\[]", problem.path.removeprefix(path).lstrip("."))[0]


def _each(item: Any) -> Iterator[Any]:
    """Take an error about several values apart into one for each of them."""
    misfits = item.get("ctx", {}).get("error")
    if not isinstance(misfits, Misfits):
        yield item
        return
    for steps, message in misfits.found:
        yield {**item, "type": "misfit", "loc": (*item["loc"], *steps), "msg": message}


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
    shown = "nothing" if given is None else show(given)
    if kind in _NOUNS:
        quotable = kind == "string_type" and isinstance(given, (bool, int, float))
        hint = f'; write it in quotes, "{shown}"' if quotable else ""
        return f"{shown} is not {_NOUNS[kind]}{hint}"
    if kind in _COMPARISONS:
        limit, words = _COMPARISONS[kind]
        return f"{shown} {words} {context[limit]:g}"
    if kind == "literal_error":
        known = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        meant = closest(str(given), known)
        more = f"; did you mean {meant!r}?" if meant and not isinstance(given, bool) else ""
        return f"{shown} is not one of {', '.join(known)}{more}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"{shown} does not have the right form ({context['pattern']})"
    if kind == "too_short":
        least, there = context["min_length"], context["actual_length"]
        are = f"at least {least} needed"
        return f"{are}, there are {there}" if there else f"is empty, {are}"
    if kind == "too_long":
        return f"at most {context['max_length']} allowed, there are {context['actual_length']}"
    return str(item["msg"])


def show(value: object) -> str:
    """Return a value for a message, as a recipe would have it and not too long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return "this list" if isinstance(value, list) else "this mapping"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
