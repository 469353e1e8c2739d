"""Boxes on the sky that a stack leaves out, as flags of the pixels of exposures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hst123r.errors import StageError
from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.algorithms.boxes import Box


def flag_boxes(
    copies: Sequence[Mapping[str, Path]],
    exposures: Sequence[Exposure],
    boxes: Sequence[Box],
    taken: int,
    extra: Collection[str] = (),
) -> tuple[int, list[int]]:
    """Set a bit of the data quality of exposures in boxes on the sky; the files are changed.

    No other pixel has the bit, so it can be accepted in one step of drizzling and not in another.

    Parameters
    ----------
    copies : sequence of mapping of str to Path
        Working copies of each exposure by role: ``science``, and ``dq`` where that is a file of
        its own.
    exposures : sequence of Exposure
        Their records.
    boxes : sequence of (float, float, float)
        Middle in degrees and half a side in arcsec.
    taken : int
        Bits that have a meaning already, whether a pixel has them or not.
    extra : collection of str
        Root names of exposures that are flagged outside of all boxes instead.

    Returns
    -------
    bit : int
        A power of two.
    held : list of int
        How many pixels of all exposures each box holds.

    Raises
    ------
    StageError
        If every bit is in use.
    """
    import numpy as np

    from hst123r.products.quality import flag_pixels

    bit = _free_bit(copies, exposures, taken)
    held = [0] * len(boxes)
    for files, exposure in zip(copies, exposures, strict=True):
        masks: dict[int, NDArray[np.bool_]] = {}
        for version, inside in _inside(files, exposure, boxes).items():
            held = [n + int(mask.sum()) for n, mask in zip(held, inside, strict=True)]
            boxed = np.any(inside, axis=0)
            masks[version] = ~boxed if exposure.root in extra else boxed
        flag_pixels(files, masks, bit)
    return bit, held


def _free_bit(
    copies: Sequence[Mapping[str, Path]], exposures: Sequence[Exposure], taken: int
) -> int:
    import numpy as np

    from hst123r.products.quality import data_quality

    for files, exposure in zip(copies, exposures, strict=True):
        quality = data_quality({role: str(path) for role, path in files.items()}, exposure)
        for flags in quality.values():
            taken |= int(np.bitwise_or.reduce(flags, axis=None))
    # flags have 16 bits, and the highest is their sign
    for power in range(14, -1, -1):
        if not taken >> power & 1:
            return 1 << power
    raise StageError(
        "every bit of the data quality is in use, so that none can mark the boxes of mask",
        hint="Accept fewer bits, or leave out mask",
    )


def _inside(
    files: Mapping[str, Path], exposure: Exposure, boxes: Sequence[Box]
) -> dict[int, NDArray[np.bool_]]:
    """Return which pixels of each chip lie in each box, (boxes, ny, nx), by EXTVER."""
    import numpy as np

    from hst123r.algorithms.boxes import pixels_in_box
    from hst123r.products.exposures import open_chips

    wcs = open_chips(files["science"], exposure)
    return {
        chip.extver: np.array(
            [pixels_in_box(wcs[chip.extver], (chip.shape[0], chip.shape[1]), *b) for b in boxes]
        )
        for chip in exposure.chips
    }
