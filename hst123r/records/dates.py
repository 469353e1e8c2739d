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
    r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?)?$|^(?:MJD|mjd)\s*\d+(?:\.\d+)?$"
)
"""What a date looks like; also the pattern of the JSON Schema."""


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
    if not isinstance(text, str) or not re.match(PATTERN, text):
        raise ValueError(
            f"{text!r} is not a date, write 2009-01-01, 2009-01-01T12:30:00 (UTC) or MJD 54832.5"
        )
    if text.upper().startswith("MJD"):
        return float(text[3:])
    try:
        moment = datetime.fromisoformat(text.rstrip("Z").replace(" ", "T")).replace(tzinfo=UTC)
    except ValueError as problem:
        raise ValueError(f"{text!r} is not a date: {problem}") from problem
    return to_mjd(moment)


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


def utc_now() -> str:
    """Return the present moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
