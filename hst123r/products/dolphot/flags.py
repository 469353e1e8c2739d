"""DOLPHOT's photometry quality flags, and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hst123r.photometry.flags import Flag

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EDGE, BAD_PIXELS, SATURATED, EXTREME, NOT_FOUND = 1, 2, 4, 8, 16
"""Bits of DOLPHOT's photometry quality flag; a star that is not on an image has 8 and 1."""


def our_flags(raw: Any, measured: Any) -> NDArray[np.int64]:
    """Return our flags for DOLPHOT's.

    Parameters
    ----------
    raw : array_like of int
        DOLPHOT's photometry quality flags; negative where there is none.
    measured : array_like of bool
        Whether there is a flux.

    Returns
    -------
    ndarray of int64
        Sums of `photometry.flags.Flag`: 1 and 2 are PARTLY_MASKED, 4 is SATURATED, 8 and 16 are
        NO_PIXELS, 9 and what is on no image are OFF_FRAME too.
    """
    import numpy as np

    flags = np.asarray(raw, np.int64)
    known = flags >= 0
    flags = np.where(known, flags, EXTREME | EDGE)
    result = np.zeros(flags.shape, np.int64)
    off = ~known | ((flags & (EXTREME | EDGE)) == (EXTREME | EDGE))
    for bits, ours in (
        (EDGE | BAD_PIXELS, Flag.PARTLY_MASKED), (SATURATED, Flag.SATURATED),
        (EXTREME | NOT_FOUND, Flag.NO_PIXELS),
    ):  # fmt: skip
        result |= np.where((flags & bits) != 0, int(ours), 0)
    result |= np.where(~np.asarray(measured), int(Flag.NO_PIXELS), 0)
    nowhere = off & ~np.asarray(measured)
    return np.where(nowhere, int(Flag.OFF_FRAME | Flag.NO_PIXELS), result)
