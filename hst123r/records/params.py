"""Parameters as recipes hold them: each with unit, default, range and one line of help.

A stage subclasses :class:`Params`; the recipe's schema, its error messages, the docs page and
the job's key all derive from that class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic_core import core_schema

from hst123r import instruments
from hst123r.errors import did_you_mean
from hst123r.records import amount, dates, position
from hst123r.records.amount import Amount


class Params(BaseModel):
    """Base of all parameter sets: immutable, and an unknown name is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, use_enum_values=True
    )

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the parameters as a recipe writes them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    def as_json(self) -> dict[str, Any]:
        """Return all parameters as plain JSON values, amounts as text with their unit."""
        return self.model_dump(mode="json", by_alias=True)


def _amount(dimension: str) -> Any:
    def read(value: object) -> Amount:
        return value if isinstance(value, Amount) else amount.parse(value, dimension)

    return Annotated[
        Amount,
        BeforeValidator(read),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"type": "string", "pattern": amount.schema_pattern(dimension)}),
    ]


class _Names:
    """Names of the detectors or their filters: checked, and completed by editors."""

    def __init__(self, noun: str, known: Callable[[], list[str]]) -> None:
        self.noun = noun
        self.known = known

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "enum": self.known()}

    def _check(self, name: str) -> str:
        known = self.known()
        if name not in known:
            raise ValueError(f"there is no {self.noun} {name!r}, {did_you_mean(name, known)}")
        return name


def _filters() -> list[str]:
    detectors = map(instruments.get, instruments.names())
    return sorted({name for detector in detectors for name in detector.filters})


DetectorName = Annotated[str, _Names("detector", lambda: list(instruments.names()))]
"""Name of a detector, such as ``ACS/WFC``."""
FilterName = Annotated[str, _Names("filter", _filters)]
"""Name of a filter of some detector, such as ``F814W``."""
Angle = _amount("angle")
"""An angle such as ``0.05 arcsec``."""
Duration = _amount("time")
"""A length of time such as ``15 s`` or ``1 day``."""
Pixels = _amount("pixel")
"""A length in pixels such as ``3 pix``."""
SurfaceBrightness = _amount("surface brightness")
"""A surface brightness such as ``22.3 mag/arcsec2``."""
Magnitudes = _amount("magnitude")
"""A magnitude or difference of magnitudes such as ``0.02 mag``."""


def _read_date(value: object) -> str:
    dates.parse(value)
    return str(value)


Date = Annotated[
    str,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "pattern": dates.PATTERN}),
]
"""A date such as ``2009-01-01``, kept as written."""


def _read_position(value: object) -> str:
    position.parse(value)
    return str(value)


Position = Annotated[
    str,
    BeforeValidator(_read_position),
    WithJsonSchema({"type": "string", "pattern": position.PATTERN}),
]
"""A sky position, kept as written."""
