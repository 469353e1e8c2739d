"""Dates of recipes and headers, as modified Julian dates (UTC).

Only calendar arithmetic: HST headers and recipes are both in UTC, so no leap-second or
time-scale conversion takes part.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1858, 11, 17, tzinfo=UTC)
PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?Z?)?$|"
    r"^(?:MJD|mjd)\s*[0-9]+(?:\.[0-9]+)?$"
)
"""What a date looks like; also the pattern of the JSON Schema."""
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199
"""Hubble was launched in 1990. What is far from that is a slip of the pen, and the arithmetic of
dates need not care about the ends of the calendar."""


def parse(text: object) -> float:
    """Read a date.

    Parameters
    ----------
    text : object
        ``2009-01-01``, ``2009-01-01T12:30:00`` (UTC) or ``MJD 54832.5``.

    Returns
    -------
    float
        Modified Julian date in days.

    Raises
    ------
    ValueError
        If the text is not a date, with an example of one.
    """
    if not isinstance(text, str) or not re.fullmatch(PATTERN, text):
        raise ValueError(
            f"{text!r} is not a date, write 2009-01-01, 2009-01-01T12:30:00 (UTC) or MJD 54832.5"
        )
    if text.upper().startswith("MJD"):
        mjd = float(text[3:])
    else:
        try:
            moment = datetime.fromisoformat(text.rstrip("Z").replace(" ", "T"))
        except ValueError as problem:
            raise ValueError(f"{text!r} is not a date: {problem}") from problem
        mjd = to_mjd(moment.replace(tzinfo=UTC))
    if not _FIRST <= mjd < _END:
        raise ValueError(f"{text!r} is not a date between {FIRST_YEAR} and {LAST_YEAR}")
    return mjd


def to_mjd(moment: datetime) -> float:
    """Convert an aware datetime to a modified Julian date.

    Parameters
    ----------
    moment : datetime
        An aware datetime.

    Returns
    -------
    float
        Modified Julian date in days.
    """
    return (moment - _EPOCH) / timedelta(days=1)


_FIRST: Final = to_mjd(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
_END: Final = to_mjd(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))


def iso(mjd: float, *, day: bool = False) -> str:
    """Write a modified Julian date as ISO 8601 in UTC.

    Parameters
    ----------
    mjd : float
        Modified Julian date in days.
    day : bool
        Give the day only.

    Returns
    -------
    str
        ``2019-04-27T03:12:44`` or ``2019-04-27``.
    """
    moment = _EPOCH + timedelta(days=mjd)
    return moment.strftime("%Y-%m-%d" if day else "%Y-%m-%dT%H:%M:%S")


def mjd_now() -> float:
    """Return the present moment as a modified Julian date (UTC) in days."""
    return to_mjd(datetime.now(UTC))


def utc_now() -> str:
    """Return the present moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
