"""Parameters as recipes hold them: each with unit, default, range and one line of help.

A stage subclasses :class:`Params`; the recipe's schema, its error messages, the docs page and
the job's key all derive from that class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import core_schema

from hst123r import instruments
from hst123r.errors import did_you_mean
from hst123r.records import amount, dates, position
from hst123r.records.amount import Amount, Sign

ROOT_PATTERN: Final = "[A-Za-z][A-Za-z0-9]{8}"
Misfit = tuple[tuple[str | int, ...], str]
"""Keys and indices that lead to a value, and what is wrong with it."""


class Misfits(ValueError):
    """Values that are each right and do not fit together, all of them.

    Parameters
    ----------
    found : list of Misfit
        At least one.
    """

    def __init__(self, found: list[Misfit]) -> None:
        self.found = found
        super().__init__("; ".join(message for _, message in found))


class Params(BaseModel):
    """Base of all parameter sets: immutable, and an unknown name is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, use_enum_values=True
    )

    idle: ClassVar[frozenset[str]] = frozenset()
    """Parameters that may stand in a stage although they mean nothing to one of its `for:` blocks:
    they are for the others."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the parameters as a recipe writes them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    def clashes(self, sources: Mapping[str, Sequence[Params]]) -> Iterator[Misfit]:
        """Say what the stages before never make, so that a recipe is refused and not a run.

        Parameters
        ----------
        sources : mapping of str to sequence of Params
            Parameters of the stages that supply products, by their kind.

        Yields
        ------
        Misfit
            A parameter and a sentence; nothing by default.
        """
        del sources
        yield from ()

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which values do not fit together; for parameter sets to override.

        Parameters
        ----------
        targets : sequence of str or None
            Names of the recipe's targets; None where no recipe is at hand.

        Yields
        ------
        Misfit
            The place of a value inside this set, and a sentence.
        """
        del targets
        yield from ()

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Self:
        context = info.context or {}
        idle = self.idle.intersection(context.get("inherited", ()))
        found = [item for item in self.misfits(context.get("targets")) if item[0][0] not in idle]
        if found:
            raise Misfits(found)
        return self

    def as_json(self) -> dict[str, Any]:
        """Return all parameters as plain JSON values, amounts as text with their unit."""
        return self.model_dump(mode="json", by_alias=True)


def _amount(dimension: str, sign: Sign = "any") -> Any:
    def read(value: object) -> Amount:
        return value if isinstance(value, Amount) else amount.parse(value, dimension, sign)

    return Annotated[
        Amount,
        BeforeValidator(read),
        PlainSerializer(str, return_type=str),
        WithJsonSchema({"type": "string", "pattern": amount.schema_pattern(dimension, sign)}),
    ]


class _Names:
    """Names of the detectors or their filters: checked, and completed by editors."""

    def __init__(self, noun: str, known: Callable[[], tuple[str, ...]]) -> None:
        self.noun = noun
        self.known = known

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "enum": list(self.known())}

    def _check(self, name: str) -> str:
        known = self.known()
        if name not in known:
            raise ValueError(f"there is no {self.noun} {name!r}, {did_you_mean(name, known)}")
        return name


@cache
def filter_names() -> tuple[str, ...]:
    """Return the names of the filters of all detectors, in alphabetical order."""
    detectors = map(instruments.get, instruments.names())
    return tuple(sorted({name for detector in detectors for name in detector.filters}))


DetectorName = Annotated[str, _Names("detector", instruments.names)]
"""Name of a detector, such as ``ACS/WFC``."""
FilterName = Annotated[str, _Names("filter", filter_names)]
"""Name of a filter of some detector, such as ``F814W``."""
Angle = _amount("angle")
"""An angle of either sign, such as ``0.05 arcsec``."""
PositiveAngle = _amount("angle", "positive")
"""An angle above zero."""
NotNegativeAngle = _amount("angle", "not negative")
"""An angle that may be zero."""
PositiveDuration = _amount("time", "positive")
"""A length of time above zero, such as ``15 s`` or ``1 day``."""
Duration = _amount("time", "not negative")
"""A length of time that may be zero."""
PositivePixels = _amount("pixel", "positive")
"""A length in pixels above zero, such as ``3 pix``."""
Pixels = _amount("pixel", "not negative")
"""A length in pixels that may be zero."""
SurfaceBrightness = _amount("surface brightness")
"""A surface brightness such as ``22.3 mag/arcsec2``."""
Magnitudes = _amount("magnitude")
"""A magnitude or difference of magnitudes such as ``0.02 mag``."""
PositiveMagnitudes = _amount("magnitude", "positive")
"""A width in magnitudes."""
NotNegativeMagnitudes = _amount("magnitude", "not negative")
"""A spread or tolerance in magnitudes, which may be zero."""


def _read_date(value: object) -> str:
    dates.parse(value)
    return str(value)


Date = Annotated[
    str,
    BeforeValidator(_read_date),
    WithJsonSchema({"type": "string", "pattern": dates.PATTERN}),
]
"""A date such as ``2009-01-01``, kept as written."""


def _root(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(ROOT_PATTERN, value):
        raise ValueError(f"{value!r} is not the root name of an exposure, such as j8bt06nyq")
    return value.lower()


RootName = Annotated[
    str, BeforeValidator(_root), WithJsonSchema({"type": "string", "pattern": f"^{ROOT_PATTERN}$"})
]
"""Root name of an exposure, such as ``j8bt06nyq``; lower case, however it was written."""


def _read_position(value: object) -> str:
    position.parse(value)
    return str(value)


Position = Annotated[
    str,
    BeforeValidator(_read_position),
    WithJsonSchema({"type": "string", "pattern": position.PATTERN}),
]
"""A sky position, kept as written."""
