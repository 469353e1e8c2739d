"""Values of header cards, or a sentence about what is wrong with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hst123r.errors import InputError

if TYPE_CHECKING:
    from astropy.io.fits import Header


def real(header: Header, keyword: str, where: str) -> float:
    """Return a number that must be there.

    Parameters
    ----------
    header : Header
        The header.
    keyword : str
        The keyword.
    where : str
        Name of the file, for the message.

    Returns
    -------
    float
        Its value.

    Raises
    ------
    InputError
        If it is missing, or no finite number.
    """
    value = header.get(keyword)
    if value is None:
        raise InputError(f"its header has no {keyword}", where=where)
    if not _is_number(value):
        raise InputError(f"its {keyword} is {value!r}, not a number", where=where)
    return float(value)


def whole(header: Header, keyword: str, default: int, where: str) -> int:
    """Return a whole number, or a default where the keyword is missing.

    Parameters
    ----------
    header : Header
        The header.
    keyword : str
        The keyword.
    default : int
        Its value where it is missing.
    where : str
        Name of the file, for the message.

    Returns
    -------
    int
        Its value.

    Raises
    ------
    InputError
        If it is there and no whole number.
    """
    value = header.get(keyword, default)
    if not _is_number(value) or value != int(value):
        raise InputError(f"its {keyword} is {value!r}, not a whole number", where=where)
    return int(value)


def name(header: Header, keyword: str, where: str) -> str:
    """Return text that must be there and not be blank; raises InputError otherwise."""
    value = text(header, keyword)
    if not value:
        raise InputError(f"its header has no {keyword}", where=where)
    return value


def text(header: Header, keyword: str) -> str:
    """Return text without surrounding space, empty where the keyword is missing."""
    return str(header.get(keyword, "")).strip()


def number(header: Header, keyword: str) -> float | None:
    """Return a number, None where the keyword is missing or has another kind of value."""
    value = header.get(keyword)
    return float(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
