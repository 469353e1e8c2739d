"""The parameters of DOLPHOT and named sets of their values, from one YAML file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from hst123r.errors import InputError, did_you_mean
from hst123r.instruments.facts import Facts, Text
from hst123r.resources import load_yaml

FILE: Final = Path(__file__).resolve().parent / "dolphot" / "parameters.yaml"
Value = float | str | list[float]
"""What a parameter can be set to."""


class Parameter(Facts):
    """One parameter of DOLPHOT."""

    name: Text
    kind: Literal["whole", "real", "text"]
    count: int = Field(1, ge=1, description="How many numbers it has")
    low: float | None = Field(None, description="Least value of each number")
    high: float | None = Field(None, description="Largest value of each number")
    image: bool = Field(False, description="Whether each image has its own")
    generic: bool = Field(False, description="Whether DOLPHOT ignores it for Hubble's cameras")
    default: float | list[float] | None = Field(
        None, description="Value where nobody sets one; None for files, seeds and threads"
    )
    help: Text


class Preset(Facts):
    """A named set of values."""

    source: Text
    values: dict[str, Value]
    detectors: dict[str, dict[str, Value]] = Field(
        description="Values for images of a detector; those of its file where it is not named"
    )


class Table(Facts):
    """All parameters and presets."""

    source: Text
    modules: list[Text] = Field(min_length=1, description="Its modules for Hubble's cameras")
    parameters: list[Parameter]
    presets: dict[str, Preset]


@cache
def table() -> Table:
    """Return all parameters and presets."""
    return Table.model_validate(load_yaml(FILE))


@cache
def parameters() -> dict[str, Parameter]:
    """Return the parameters by their names in small letters, as DOLPHOT compares them."""
    return {parameter.name.lower(): parameter for parameter in table().parameters}


def defaults(*, image: bool) -> dict[str, Value]:
    """Return the values of parameters that nobody sets, which DOLPHOT uses for Hubble's cameras."""
    return {
        parameter.name: parameter.default
        for parameter in table().parameters
        if parameter.image == image and not parameter.generic and parameter.default is not None
    }


def preset(name: str) -> Preset:
    """Return a named set of values.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Preset
        The set.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    found = table().presets.get(name)
    if found is None:
        raise InputError(
            f"there is no preset {name!r} for DOLPHOT: {did_you_mean(name, table().presets)}"
        )
    return found


def wrong_values(
    values: Mapping[str, Value], *, image: bool, generic: bool = False
) -> Iterator[tuple[str, str]]:
    """Say what is wrong with values, each taken by itself.

    Parameters
    ----------
    values : mapping of str to number, text or list of numbers
        By DOLPHOT's names in any case; those of images without ``img_``.
    image : bool
        Whether they are about images.
    generic : bool
        Whether DOLPHOT is to run in its generic mode, which uses more of them.

    Yields
    ------
    (str, str)
        Name as given, and a sentence.
    """
    # the table is not read for recipes that name none
    known = parameters() if values else {}
    seen: dict[str, str] = {}
    for name, value in values.items():
        parameter = known.get(name.lower())
        if parameter is None:
            listed = [item.name for item in known.values() if item.image == image]
            yield name, f"DOLPHOT has no parameter {name!r}, {did_you_mean(name, listed)}"
        elif parameter.image != image:
            about = "an image" if parameter.image else "the whole run"
            yield name, f"{parameter.name} is a parameter of {about}"
        elif parameter.generic and not generic:
            yield name, f"{parameter.name} does nothing for images of Hubble"
        elif (first := seen.setdefault(parameter.name, name)) != name:
            yield name, f"{first} and {name} are one parameter"
        else:
            yield from ((name, sentence) for sentence in wrong_value(name, parameter, value))


def wrong_value(name: str, parameter: Parameter, value: Value) -> Iterator[str]:
    """Say what is wrong with the value of a parameter, under the name it was given by."""
    if parameter.kind == "text":
        if not isinstance(value, str) or "#" in value or "\n" in value:
            yield f"{name} is {value!r}, not a text without # on one line"
        return
    numbers = value if isinstance(value, list) else [value]
    if any(isinstance(number, (str, bool)) for number in numbers):
        yield f"{name} is {value!r}, not in numbers"
        return
    if len(numbers) != parameter.count:
        yield f"{name} has {len(numbers)} numbers, not {parameter.count}"
    for number in numbers:
        assert not isinstance(number, str)
        if not math.isfinite(number):
            yield f"{name} is {number}, not a finite number"
            continue
        if parameter.kind == "whole" and number != int(number):
            yield f"{name} is {number:g}, not a whole number"
        if parameter.low is not None and number < parameter.low:
            yield f"{name} is {number:g}, below {parameter.low:g}"
        if parameter.high is not None and number > parameter.high:
            yield f"{name} is {number:g}, above {parameter.high:g}"
