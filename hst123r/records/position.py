"""Sky positions as astronomers write them, read by syntax and echoed in both forms.

``:`` or ``h`` in the right ascension means hours, one number means degrees, and three bare
numbers mean hours, minutes, seconds. The declination is always in degrees. Deciding by syntax
avoids the silent 15-fold errors of guessing by a unit argument.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

_NUMBER: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_TWO: Final = "[0-9]{1,2}"
_SIGN: Final = "[-+−]"
_COLONS: Final = rf"{_TWO}\s*:\s*(?:{_TWO}\s*:\s*)?{_NUMBER}"
_BLANKS: Final = rf"{_TWO}\s+{_TWO}\s+{_NUMBER}"
_HOURS: Final = rf"(?:{_TWO}h\s*(?:{_TWO}m\s*{_NUMBER}s|{_NUMBER}m)|{_NUMBER}h)"
_DEGREES: Final = rf"(?:{_TWO}[d°]\s*(?:{_TWO}[m']\s*{_NUMBER}[s\"]|{_NUMBER}[m'])|{_NUMBER}[d°]?)"
_RA: Final = rf"(?:{_COLONS}|{_HOURS}|{_NUMBER}[d°]?)"
_DEC: Final = rf"{_SIGN}?(?:{_COLONS}|{_DEGREES})"
# where only blanks stand between the numbers of one coordinate, a comma, a sign or another three
# numbers must say where the other begins: "10 20 30 40" is nobody's guess
_APART: Final = r"(?:\s*,\s*|\s+)"
_SURELY: Final = rf"(?:\s*,\s*|\s+(?={_SIGN}))"
PATTERN: Final = (
    rf"^\s*(?:({_RA}){_APART}({_DEC})|({_BLANKS}){_APART}({_SIGN}?{_BLANKS})|"
    rf"({_BLANKS}){_SURELY}({_DEC})|({_RA}){_SURELY}({_SIGN}?{_BLANKS}))\s*$"
)
"""What a position looks like; also the pattern of the JSON Schema."""
_FIELDS: Final = re.compile(_NUMBER)
EXAMPLE: Final = "12:45:08.14 -00:27:32.8"


@dataclass(frozen=True, slots=True)
class SkyPosition:
    """A position in the International Celestial Reference System.

    Parameters
    ----------
    ra_deg : float
        Right ascension in degrees, 0 <= ra < 360.
    dec_deg : float
        Declination in degrees, -90 <= dec <= 90.
    """

    ra_deg: float
    dec_deg: float

    @property
    def sexagesimal(self) -> str:
        """The position as ``hh:mm:ss.ssss ±dd:mm:ss.sss`` (better than a milliarcsecond)."""
        ra = _base60(self.ra_deg / 15.0, 4)
        sign = "-" if math.copysign(1.0, self.dec_deg) < 0 else "+"
        if ra.startswith("24"):
            ra = "00" + ra[2:]
        return f"{ra} {sign}{_base60(abs(self.dec_deg), 3)}"

    @property
    def decimal(self) -> str:
        """The position as decimal degrees, to 1e-7 degree (0.36 milliarcsecond)."""
        ra = f"{self.ra_deg:.7f}"
        return f"{'0.0000000' if ra.startswith('360') else ra} {self.dec_deg:+.7f}"

    @property
    def skycoord(self) -> SkyCoord:
        """The same position as an `astropy.coordinates.SkyCoord`."""
        from astropy.coordinates import SkyCoord

        return SkyCoord(self.ra_deg, self.dec_deg, unit="deg", frame="icrs")

    def offset(self, east_deg: float, north_deg: float) -> SkyPosition:
        """Return the position at an offset in the tangent plane, at the poles too.

        Parameters
        ----------
        east_deg, north_deg : float
            Offset towards larger right ascension and larger declination, in degrees.

        Returns
        -------
        SkyPosition
            Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3.
        """
        if east_deg == north_deg == 0.0:
            return self
        xi, eta, dec = map(math.radians, (east_deg, north_deg, self.dec_deg))
        down = math.cos(dec) - eta * math.sin(dec)
        ra = self.ra_deg + math.degrees(math.atan2(xi, down))
        up = math.sin(dec) + eta * math.cos(dec)
        # a tiny negative angle modulo 360 rounds to 360 itself
        return SkyPosition(ra % 360.0 % 360.0, math.degrees(math.atan2(up, math.hypot(xi, down))))

    def separation_arcsec(self, other: SkyPosition) -> float:
        """Return the great-circle distance to another position.

        Parameters
        ----------
        other : SkyPosition
            The other position.

        Returns
        -------
        float
            Distance in arcseconds (haversine formula, exact for small angles).
        """
        dec1, dec2 = math.radians(self.dec_deg), math.radians(other.dec_deg)
        half_dec = math.sin((dec2 - dec1) / 2)
        half_ra = math.sin(math.radians(other.ra_deg - self.ra_deg) / 2)
        chord = half_dec**2 + math.cos(dec1) * math.cos(dec2) * half_ra**2
        return math.degrees(2 * math.asin(min(1.0, math.sqrt(chord)))) * 3600


def parse(text: object) -> SkyPosition:
    """Read a position.

    Parameters
    ----------
    text : object
        Right ascension and declination in one text, separated by a space or comma.

    Returns
    -------
    SkyPosition
        The position.

    Raises
    ------
    ValueError
        If the text is not a position, or outside the sphere. The message shows a right one.
    """
    if not isinstance(text, str):
        raise ValueError(f'{text!r} is not a position, write it as text: "{EXAMPLE}"')
    found = re.fullmatch(PATTERN, text)
    if found is None:
        raise ValueError(
            f"{text!r} is not a position, write right ascension and declination as "
            f'"{EXAMPLE}" (hours) or "191.2839167 -0.4591111" (degrees)'
        )
    ra_text, dec_text = (part for part in found.groups() if part is not None)
    dec_text = dec_text.replace("−", "-")
    ra_fields = _fields(ra_text)
    hours = len(ra_fields) == 3 or ":" in ra_text or "h" in ra_text
    ra = _value(ra_fields, "right ascension") * (15.0 if hours else 1.0)
    dec = _value(_fields(dec_text), "declination")
    if dec_text.startswith("-"):
        dec = -dec
    if ra >= 360.0:
        unit = "24 hours" if hours else "360 degrees"
        raise ValueError(f"right ascension {ra_text} is not below {unit}")
    if abs(dec) > 90.0:
        raise ValueError(f"declination {dec_text} is outside -90 to +90 degrees")
    return SkyPosition(ra, dec)


def _fields(text: str) -> list[float]:
    return [float(field) for field in _FIELDS.findall(text)]


def _value(fields: list[float], what: str) -> float:
    if any(field >= 60.0 for field in fields[1:]):
        raise ValueError(f"minutes and seconds of the {what} must be below 60")
    return sum(field / 60.0**power for power, field in enumerate(fields))


def _base60(value: float, digits: int) -> str:
    scale = 10**digits
    total = round(value * 3600 * scale)
    seconds, fraction = divmod(total, scale)
    minutes, second = divmod(seconds, 60)
    whole, minute = divmod(minutes, 60)
    return f"{whole:02d}:{minute:02d}:{second:02d}.{fraction:0{digits}d}"
