"""The noise that drizzlepac expects when it looks for cosmic rays, in the unit of its pixels.

drizzlepac (3.11) compares pixels and model in electrons, and for detectors whose files hold counts
(WFPC2) divides the noise by the gain as if they were counts: read noise is 7 times too small at a
gain of 7, and the threshold of 3.5 sigma is one of half a sigma. Other detectors have a gain of 1.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def noise_in_electrons() -> Iterator[None]:
    """Let drizzlepac look for cosmic rays with noise in electrons for a while.

    Yields
    ------
    None
        While cosmic rays may be looked for.
    """
    from drizzlepac import drizCR

    plain = drizCR._driz_cr  # noqa: SLF001

    def in_electrons(image: Any, *more: Any) -> Any:
        chips = image.returnAllChips(extname=image.scienceExt)
        gains = [chip._effGain for chip in chips]  # noqa: SLF001
        for chip in chips:
            chip._effGain = 1.0  # noqa: SLF001
        try:
            return plain(image, *more)
        finally:
            for chip, gain in zip(chips, gains, strict=True):
                chip._effGain = gain  # noqa: SLF001

    drizCR._driz_cr = in_electrons  # noqa: SLF001
    try:
        yield
    finally:
        drizCR._driz_cr = plain  # noqa: SLF001
