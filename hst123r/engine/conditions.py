"""Conditions on parameters, measurements and versions, as people write them on the command line."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from hst123r.errors import InputError
from hst123r.records.amount import UNITS, Amount, parse

OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_CONDITION: Final = re.compile(
    r"\s*([A-Za-z][\w.-]*?)\s*(<=|>=|!=|==|=|<|>)\s*(.*\S)\s*", re.DOTALL
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
EXAMPLES: Final = {
    "--where": "--where 'align.max_rms > 0.3 pix'",
    "--measurement": "--measurement 'residual_rms_east > 5 mas'",
    "--software": "--software 'drizzlepac<3.6'",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A name, an operator and a value.

    Parameters
    ----------
    option : str
        The option it was given with, for errors.
    name : str
        Name of the parameter, measurement or package.
    sign : str
        A key of `OPERATORS`.
    value : str
        As it was written.
    """

    option: str
    name: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.option} {self.name}{self.sign}{self.value}"

    @property
    def bare(self) -> bool:
        """Whether the value is a number without a unit."""
        return _NUMBER.fullmatch(self.value) is not None

    def holds(self, other: str) -> bool | None:
        """Whether a value fulfils it.

        Parameters
        ----------
        other : str
            A value as the store has it, with its unit where it has one.

        Returns
        -------
        bool or None
            None where the two cannot be compared: a number with a text, or two kinds of units.

        Raises
        ------
        InputError
            If texts are to be ordered.
        """
        compare = OPERATORS[self.sign]
        mine, theirs = _amount(self.value), _amount(other)
        if mine is not None and theirs is not None:
            if isinstance(mine, float) or isinstance(theirs, float):
                same_kind = isinstance(mine, float) and isinstance(theirs, float)
                return compare(theirs, mine) if same_kind else None
            with suppress(ValueError):
                return compare(theirs.to(mine.unit), mine.value)
            return None
        if mine is not None or theirs is not None:
            return True if self.sign == "!=" else None
        if self.sign not in {"=", "!="}:
            raise InputError(
                f"{self.name} is {other!r}, a text, and texts can only be equal or not",
                where=str(self),
            )
        return compare(_text(other), _text(self.value))

    def holds_version(self, version: str) -> bool:
        """Whether the version of a package fulfils it, compared number by number."""
        mine, theirs = _release(self.value), _release(version)
        if self.sign == "=":
            # 3.6 stands for all versions 3.6.x
            return theirs[: len(mine)] == mine
        if self.sign == "!=":
            return theirs[: len(mine)] != mine
        pairs = list(zip_longest(theirs, mine, fillvalue=(1, 0)))
        return OPERATORS[self.sign]([one for one, _ in pairs], [other for _, other in pairs])


def read(option: str, text: str) -> Condition:
    """Read a condition.

    Parameters
    ----------
    option : str
        The option it was given with.
    text : str
        Such as ``align.max_rms > 0.3 pix``.

    Returns
    -------
    Condition
        Its parts.

    Raises
    ------
    InputError
        If it is none, or has a unit that nobody knows.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise InputError(
            f"{option} {text}: this is no condition, write for example {EXAMPLES[option]}"
        )
    name, sign, value = found.groups()
    number = _NUMBER.match(value)
    rest = value[number.end() :].strip() if number else ""
    if option != "--software" and number and re.fullmatch(r"[A-Za-z/0-9]+", rest):
        known = [unit for units in UNITS.values() for unit in units]
        if _amount(value) is None and not re.match(r"\d", rest):
            raise InputError(
                f"{option} {text}: there is no unit {rest}, known are {', '.join(known)}"
            )
    return Condition(option, name, "=" if sign == "==" else sign, value)


def _amount(text: str) -> Amount | float | None:
    """Return a text as an amount or a number, None where it is neither."""
    if _NUMBER.fullmatch(text.strip()):
        return float(text)
    for dimension in UNITS:
        with suppress(ValueError):
            return parse(text, dimension)
    return None


def _text(value: str) -> str:
    """Return a text without quotes and the spaces of JSON."""
    with suppress(ValueError):
        found = json.loads(value)
        return found if isinstance(found, str) else json.dumps(found)
    return value


def _release(version: str) -> list[tuple[int, int]]:
    """Return the numbers of a version; what is no number, like rc1, is before the number 0."""
    return [
        (1, int(word)) if word.isdecimal() else (0, int(re.sub(r"\D", "", word) or 0))
        for word in re.findall(r"\d+|[A-Za-z]+\d*", version.partition("+")[0])
    ]
