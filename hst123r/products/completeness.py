"""What became of artificial stars: completeness, bias and error against magnitude."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products import tables
from hst123r.products.tables import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS: Final = (
    Column("mag_ab", "Middle of the bin, magnitude that was put in, AB", "mag", "float", 3),
    Column("stars", "Stars that were put in", dtype="int"),
    Column("recovered", "Those found again with the S/N of a limit", dtype="int"),
    Column("completeness", "Their fraction", "", "float", 4),
    Column("completeness_err", "Its standard error, after Agresti and Coull", "", "float", 4),
    Column("bias", "Median of magnitude found less that put in, of those found", "mag", "float", 4),
    Column("scatter", "Half the range of the middle 68 per cent of it", "mag", "float", 4),
    Column("quoted_err", "Median of the errors that were quoted", "mag", "float", 4),
)
STARS: Final = (
    Column("x", "Column on the reference where it was put, 0.5 at the middle of the first pixel",
           "pix", "float", 2),
    Column("y", "Row, likewise", "pix", "float", 2),
    Column("mag_in", "Magnitude that was put in, AB", "mag", "float", 4),
    Column("flux", "Flux that was found; NaN where nothing was", "nJy", "float", 4),
    Column("flux_err", "Its standard error", "nJy", "float", 4),
    Column("mag_ab", "Magnitude that was found; NaN below the S/N of a limit", "mag", "float", 4),
    Column("recovered", "1 if it was found again with the S/N of a limit", dtype="int"),
)  # fmt: skip
MIDDLE: Final = (15.87, 84.13)
"""Percentiles of one standard deviation to each side."""


def bins_of(
    magnitude: NDArray[Any],
    found: NDArray[Any],
    error: NDArray[Any],
    recovered: NDArray[Any],
    width: float,
) -> dict[str, NDArray[Any]]:
    """Return what became of stars in bins of magnitude.

    Parameters
    ----------
    magnitude : (n,) ndarray of float64
        Magnitudes that were put in.
    found, error : (n,) ndarray of float64
        Magnitudes found, and their errors; NaN where there is none.
    recovered : (n,) ndarray of bool
        Which stars were found again.
    width : float
        Width of the bins in magnitudes; they begin at multiples of it.

    Returns
    -------
    dict of str to ndarray
        By the columns of :data:`BINS`; bins without a star are left out.
    """
    import numpy as np

    number = np.floor(magnitude / width).astype(np.int64)
    rows: list[dict[str, float]] = []
    for value in np.unique(number):
        here = number == value
        again = here & recovered
        total, good = int(here.sum()), int(again.sum())
        # two successes and two failures more keep the error of 0 and 1 from being zero
        fraction = (good + 2) / (total + 4)
        away = (found - magnitude)[again]
        low, middle, high = (
            np.percentile(away, [MIDDLE[0], 50, MIDDLE[1]]) if good else [np.nan] * 3
        )
        rows.append({
            "mag_ab": (value + 0.5) * width, "stars": total, "recovered": good,
            "completeness": good / total,
            "completeness_err": float(np.sqrt(fraction * (1 - fraction) / (total + 4))),
            "bias": float(middle), "scatter": float(high - low) / 2,
            "quoted_err": float(np.median(error[again])) if good else np.nan,
        })  # fmt: skip
    return {c.name: np.array([row[c.name] for row in rows]) for c in BINS}


def magnitude_at(bins: Mapping[str, NDArray[Any]], fraction: float) -> float:
    """Return the magnitude at which completeness falls to a fraction, from the bright end.

    Parameters
    ----------
    bins : mapping
        As by :func:`bins_of`.
    fraction : float
        Such as 0.5.

    Returns
    -------
    float
        Between the middles of bins; NaN if it never does, or begins below.
    """
    values, magnitudes = bins["completeness"], bins["mag_ab"]
    for one in range(len(values) - 1):
        first, second = float(values[one]), float(values[one + 1])
        if first >= fraction > second:
            part = (first - fraction) / (first - second)
            return float(magnitudes[one] + part * (magnitudes[one + 1] - magnitudes[one]))
    return float("nan")


def write_bins(path: Path, bins: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write the bins as ECSV."""
    tables.write(tables.from_arrays(BINS, bins, meta), path)


def write_stars(path: Path, stars: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Write every star as ECSV, by the columns of :data:`STARS`."""
    tables.write(tables.from_arrays(STARS, stars, meta), path)


def plot(path: Path, bins: Mapping[str, Any], *, title: str) -> None:
    """Plot completeness, and bias with scatter, against magnitude.

    Parameters
    ----------
    path : Path
        New PNG file.
    bins : mapping
        As by :func:`bins_of`.
    title : str
        Title of the plot.
    """
    from hst123r.products.plots import COLOURS, figure, save

    made = figure(5.6, 5.0)
    above, below = made.subplots(2, 1, sharex=True)
    above.errorbar(
        bins["mag_ab"], bins["completeness"], yerr=bins["completeness_err"], fmt="o-",
        color=COLOURS[0], markersize=4, capsize=2, linewidth=1,
    )  # fmt: skip
    above.axhline(0.5, color="#bbbbbb", linewidth=0.7, zorder=0)
    above.set(ylim=(-0.03, 1.03), ylabel="completeness")
    above.set_title(title, fontsize=10)
    below.errorbar(
        bins["mag_ab"], bins["bias"], yerr=bins["scatter"], fmt="o", color=COLOURS[1],
        markersize=4, capsize=2, linewidth=1, label="median and scatter",
    )  # fmt: skip
    below.plot(bins["mag_ab"], bins["quoted_err"], "-", color=COLOURS[2], label="quoted error")
    below.axhline(0, color="#bbbbbb", linewidth=0.7, zorder=0)
    below.set(xlabel="AB magnitude put in", ylabel="found less put in [mag]")
    below.legend(fontsize=7)
    save(made, path)
