"""The detector's bad pixels: the same ones in every exposure, as on the real thing."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hst123r.instruments.detector import Detector
from hst123r.simulation.geometry import ChipFrame

HOT_FRACTION: Final = 0.001
"""Fraction of pixels that are hot."""
HOT_RATE_E_S: Final = 0.4
HOT_SCATTER: Final = 1.0
"""Median extra dark current of a hot pixel in electrons per second, and its scatter in natural
logarithm; our choice."""
DEAD_COLUMNS: Final = 0.001
"""Fraction of columns of a CCD that hold nothing."""
_SEED: Final = 13
_WORDS: Final = {"hot": ("hot", "warm"), "dead": ("detector", "defect")}


@dataclass(frozen=True, eq=False)
class Defects:
    """Bad pixels of a frame.

    Parameters
    ----------
    hot : (n,) ndarray of int64
        Flat indices of hot pixels.
    hot_rate_e_s : (n,) ndarray of float64
        Their extra dark current in electrons per second.
    dead_columns : (m,) ndarray of int64
        Columns that do not respond.
    """

    hot: NDArray[np.int64]
    hot_rate_e_s: NDArray[np.float64]
    dead_columns: NDArray[np.int64]


def bad_pixels(detector: Detector, frame: ChipFrame) -> Defects:
    """Return the bad pixels that fall on a frame.

    They belong to the full chip, so that subarrays and dithers see the same ones.

    Parameters
    ----------
    detector : Detector
        Facts of the detector; its name and the chip's number are the seed.
    frame : ChipFrame
        The part of the chip.

    Returns
    -------
    Defects
        In coordinates of the frame.
    """
    chip = next(entry for entry in detector.chips if entry.number == frame.number)
    name = zlib.crc32(detector.slug.encode())
    rng = np.random.default_rng(np.random.SeedSequence([_SEED, name, chip.number]))
    count = round(HOT_FRACTION * chip.rows * chip.columns)
    row = rng.integers(0, chip.rows, count) - frame.window.y0
    column = rng.integers(0, chip.columns, count) - frame.window.x0
    rate = HOT_RATE_E_S * np.exp(HOT_SCATTER * rng.standard_normal(count))
    rows, columns = frame.shape
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    dead = np.empty(0, np.int64)
    if detector.noise.cosmic_rays is not None:
        every = rng.choice(chip.columns, round(DEAD_COLUMNS * chip.columns), replace=False)
        dead = np.sort(every - frame.window.x0)
        dead = dead[(dead >= 0) & (dead < columns)]
    return Defects((row * columns + column)[inside], rate[inside], dead)


def flag(detector: Detector, kind: str) -> int:
    """Return the data-quality bit for a kind of bad pixel.

    Parameters
    ----------
    detector : Detector
        Facts of the detector.
    kind : str
        ``saturated``, ``hot`` or ``dead``.

    Returns
    -------
    int
        The first bit that the detector's facts give for it; where they name none, its lowest
        bit of bad pixels.
    """
    bits = sorted(detector.dq_bits, key=lambda entry: entry.bit)
    if kind == "saturated":
        return next(entry.bit for entry in bits if entry.saturated)
    bad = [entry for entry in bits if entry.bad and not entry.saturated]
    for word in _WORDS[kind]:
        for entry in bad:
            if word in entry.name:
                return entry.bit
    return bad[0].bit
