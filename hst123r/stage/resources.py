"""What a job takes of the machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a job will make and need, as far as it is known before.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image it makes.
    memory_mb : float
        Peak memory, 10^6 bytes.
    disk_mb : float
        Its products on disk.
    scratch_mb : float
        What it needs on disk beside them while it runs.
    refused : str
        Why it must not run, empty where it may.
    """

    shape: tuple[int, int]
    memory_mb: float
    disk_mb: float
    scratch_mb: float
    refused: str = ""


def in_words(forecasts: Sequence[Forecast]) -> str:
    """Return a line for people about jobs that go on with the same forecast, or nearly so.

    Parameters
    ----------
    forecasts : sequence of Forecast
        At least one.

    Returns
    -------
    str
        Pixels, memory and disk of each; of the largest where they differ. The disk is what a job
        takes while it runs, its products included.
    """
    rows, columns = max((one.shape for one in forecasts), key=math.prod)
    memory = max(one.memory_mb for one in forecasts)
    disk = max(one.disk_mb + one.scratch_mb for one in forecasts)
    same = len({one.shape for one in forecasts}) == 1
    each = "" if len(forecasts) == 1 else "each " if same else "up to "
    told = f"{each}{columns} x {rows} pixels, {memory:.0f} MB of memory, {disk:.0f} MB of disk"
    refused = any(one.refused for one in forecasts)
    return told + ("; refused, unless what is made before changes that" if refused else "")


@dataclass(frozen=True, slots=True)
class Cores:
    """How many cores a job can use, which decides about nothing but its time.

    Parameters
    ----------
    most : int
        More than these are of no use to it.
    memory_mb : float
        Memory that each beyond the first takes, 10^6 bytes.
    """

    most: int = 1
    memory_mb: float = 0.0
