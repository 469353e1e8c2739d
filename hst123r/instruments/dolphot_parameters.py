"""The parameters of DOLPHOT and named sets of their values, from one YAML file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from hst123r.errors import InputError, did_you_mean
from hst123r.instruments.detector import Facts, Text
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
