"""The sky maps of a field, a process for each of them.

A map is found by many short calls, between which threads would wait for one another.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from hst123r.errors import StageError
from hst123r.external.parent import die_with_parent
from hst123r.instruments.dolphot_facts import CalcSky
from hst123r.products.dolphot.sky_maps import write_sky

_SMALL: Final = 8_000_000
"""Bytes of images, two million pixels, whose maps are found before a process has begun."""


def write_skies(images: Sequence[tuple[Path, CalcSky]], workers: int) -> None:
    """Write the sky maps of images beside them, as `write_sky` does.

    Parameters
    ----------
    images : sequence of (Path, CalcSky)
        Images for DOLPHOT, and what their skies are found with.
    workers : int
        Processes at once.

    Raises
    ------
    InputError
        If an image is not ready for DOLPHOT.
    StageError
        If a process was killed.
    """
    workers = min(workers, len(images))
    if workers < 2 or sum(image.stat().st_size for image, _ in images) < _SMALL:
        for image, settings in images:
            write_sky(image, settings)
        return
    # the largest first, or one process is left with it at the end
    largest = sorted(images, key=lambda item: -item[0].stat().st_size)
    try:
        # what is forked would have the locks of threads that are not there
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, die_with_parent, (os.getpid(),)) as pool:
            list(pool.map(write_sky, *zip(*largest, strict=True)))
    except BrokenProcessPool as error:
        raise StageError(
            "a process that looked for the sky of an image was killed",
            hint="It may have been for want of memory: allow fewer jobs with --jobs",
        ) from error
