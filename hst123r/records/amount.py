"""A number with its unit, as people write it in a recipe: ``0.05 arcsec``, ``15 s``.

Reading a recipe must not cost the import of `astropy.units`, so the few units that recipes
use are converted here; :meth:`Amount.quantity` gives the real thing to those who want it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from astropy.units import Quantity

Sign = Literal["any", "not negative", "positive"]
"""What numbers are allowed."""

UNITS: Final[dict[str, dict[str, float]]] = {
    "angle": {
        "mas": 1e-3,
        "arcsec": 1.0,
        "arcmin": 60.0,
        "deg": 3600.0,
    },
    "time": {
        "s": 1.0,
        "min": 60.0,
        "h": 3600.0,
        "day": 86400.0,
        "yr": 365.25 * 86400.0,
    },
    "pixel": {"pix": 1.0},
    "magnitude": {"mag": 1.0},
    "memory": {"MB": 1.0, "GB": 1000.0},
    "surface brightness": {"mag/arcsec2": 1.0},
}
"""Units by dimension, each with its size in the first-named base (arcsec, s, pix, mag, MB)."""

_ALIASES: Final = {
    '"': "arcsec", "''": "arcsec", "arcsecond": "arcsec", "arcseconds": "arcsec",
    "'": "arcmin", "arcminute": "arcmin", "arcminutes": "arcmin",
    "degree": "deg", "degrees": "deg", "°": "deg",
    "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min",
    "hour": "h", "hours": "h", "hr": "h", "d": "day", "days": "day", "year": "yr", "years": "yr",
    "pixel": "pix", "pixels": "pix", "px": "pix", "magnitude": "mag", "magnitudes": "mag",
}  # fmt: skip
# not \d, which would take the digits of every script
_SIZE: Final = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBER: Final = rf"[-+]?{_SIZE}"
_NUMBERS: Final[dict[Sign, str]] = {
    "any": _NUMBER,
    "not negative": rf"\+?{_SIZE}",
    "positive": rf"\+?(?=[0-9.]*[1-9]){_SIZE}",
}
_PATTERN: Final = re.compile(rf"\s*({_NUMBER})\s*(\S.*?)\s*")
_BARE: Final = re.compile(rf"\s*{_NUMBER}\s*")


def dimension_of(unit: str) -> str | None:
    """Return the dimension a unit belongs to, or None when the unit is unknown.

    Parameters
    ----------
    unit : str
        A canonical unit name, e.g. ``"arcsec"``.

    Returns
    -------
    str or None
        A key of :data:`UNITS`.
    """
    for dimension, units in UNITS.items():
        if unit in units:
            return dimension
    return None


def schema_pattern(dimension: str, sign: Sign = "any") -> str:
    """Return the regular expression a JSON Schema uses for amounts of a dimension.

    Parameters
    ----------
    dimension : str
        A key of :data:`UNITS`.
    sign : str
        What numbers are allowed.

    Returns
    -------
    str
        Anchored, ECMA-262 compatible pattern that accepts what :func:`parse` accepts.
    """
    names = [*UNITS[dimension], *(a for a, u in _ALIASES.items() if u in UNITS[dimension])]
    units = "|".join(re.escape(name) for name in sorted(names, key=lambda n: (-len(n), n)))
    return rf"^\s*{_NUMBERS[sign]}\s*(?:{units})\s*$"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit.

    Parameters
    ----------
    value : float
        The number, finite.
    unit : str
        Canonical unit name, one of :data:`UNITS`.
    """

    value: float
    unit: str

    def to(self, unit: str) -> float:
        """Return the number in another unit of the same dimension.

        Parameters
        ----------
        unit : str
            Canonical unit name.

        Returns
        -------
        float
            The value in that unit.

        Raises
        ------
        ValueError
            If the units measure different things.
        """
        if unit == self.unit:
            return self.value
        mine, other = dimension_of(self.unit), dimension_of(unit)
        if mine is None or mine != other:
            raise ValueError(f"{self} is {_a(mine)}, it cannot be given in {unit}")
        return self.value * UNITS[mine][self.unit] / UNITS[mine][unit]

    @property
    def quantity(self) -> Quantity:
        """The same amount as an `astropy.units.Quantity`."""
        from astropy import units as u

        return u.Quantity(self.value, "mag / arcsec2" if self.unit == "mag/arcsec2" else self.unit)

    def __str__(self) -> str:
        return f"{self.value:.15g} {self.unit}"


def parse(text: object, dimension: str, sign: Sign = "any") -> Amount:
    """Read an amount as people write it.

    Parameters
    ----------
    text : object
        What stood in the recipe; only text with a number and a unit is accepted.
    dimension : str
        A key of :data:`UNITS`, e.g. ``"angle"``.
    sign : str
        What numbers are allowed. Minus zero is a negative number.

    Returns
    -------
    Amount
        In the unit it was written in, so that it can be echoed.

    Raises
    ------
    ValueError
        If there is no unit, the unit is unknown or of another dimension, or the number is
        not finite or not allowed. The message says what would be right.
    """
    base = next(iter(UNITS[dimension]))
    example_unit = "arcsec" if dimension == "angle" else base
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise ValueError(f"{text!r} is not {_a(dimension)}, write for example 2 {example_unit}")
    if not isinstance(text, str) or _BARE.fullmatch(text):
        raise ValueError(f"{text} has no unit, write for example {text} {example_unit}")
    found = _PATTERN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not {_a(dimension)}, write for example 2 {example_unit}")
    value, written = float(found[1]), found[2]
    unit = _ALIASES.get(written, written)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    if unit not in UNITS[dimension]:
        known = dimension_of(unit)
        what = f"is {_a(known)}" if known else "is not a unit known here"
        allowed = ", ".join(UNITS[dimension])
        raise ValueError(f"{written!r} {what}; {_a(dimension)} is needed ({allowed})")
    if sign != "any" and math.copysign(1.0, value) < 0:
        raise ValueError(f"{text} is below 0 {unit}")
    if sign == "positive" and value == 0:
        raise ValueError(f"{text} is not above 0 {unit}")
    return Amount(value, unit)


def _a(dimension: str | None) -> str:
    if dimension is None:
        return "something else"
    return f"an {dimension}" if dimension[0] in "aeiou" else f"a {dimension}"
