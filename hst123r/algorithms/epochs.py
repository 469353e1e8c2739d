"""Epochs: single linkage in time."""

from __future__ import annotations

from collections.abc import Sequence


def link(times_mjd: Sequence[float], gap_days: float) -> list[int]:
    """Number the epochs of some times.

    Two times closer than the gap are one epoch, and so are all that are connected by a chain of
    such pairs, so an epoch may last longer than the gap.

    Parameters
    ----------
    times_mjd : sequence of float
        Times in days, in any order.
    gap_days : float
        Times at least this far apart, with none in between, are different epochs.

    Returns
    -------
    list of int
        For every time the number of its epoch, from 1 in the order of time.
    """
    order = sorted(range(len(times_mjd)), key=lambda index: times_mjd[index])
    numbers = [0] * len(times_mjd)
    epoch = 0
    previous: float | None = None
    for index in order:
        if previous is None or times_mjd[index] - previous >= gap_days:
            epoch += 1
        numbers[index] = epoch
        previous = times_mjd[index]
    return numbers
