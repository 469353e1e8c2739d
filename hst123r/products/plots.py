"""Plots of results: alignment residuals, light curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

DPI: Final = 130
COLOURS: Final = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999",
)  # fmt: skip
"""Colours that the colour-blind tell apart (Okabe and Ito 2008)."""


def figure(width: float, height: float) -> Figure:
    """Return an empty figure that needs no display.

    Parameters
    ----------
    width, height : float
        Size in inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(made: Figure, path: Path) -> None:
    """Write a figure as PNG, with nothing in it that changes from run to run."""
    made.savefig(path, metadata={"Software": None})


def residuals(
    path: Path, found: Mapping[str, tuple[ArrayLike, ArrayLike]], *, unit: str, title: str
) -> None:
    """Plot the residuals of matched stars, a colour for each exposure.

    Parameters
    ----------
    path : Path
        New PNG file.
    found : mapping of str to (array, array)
        East and north residuals by exposure.
    unit : str
        Their unit.
    title : str
        Title of the plot.
    """
    import numpy as np

    made = figure(4.6, 4.4)
    axes = made.add_subplot()
    largest = [float(np.abs(v).max()) for pair in found.values() for v in pair if np.size(v)]
    side = 1.1 * max(largest, default=1.0) or 1.0
    for number, (name, (east, north)) in enumerate(found.items()):
        colour = COLOURS[number % len(COLOURS)]
        rms = np.sqrt(np.mean(np.square(east)) + np.mean(np.square(north))) if np.size(east) else 0
        label = f"{name}: {np.size(east)} stars, rms {rms:.2f} {unit}"
        axes.plot(east, north, ".", color=colour, markersize=4, alpha=0.7, label=label)
    axes.axhline(0, color="#bbbbbb", linewidth=0.7, zorder=0)
    axes.axvline(0, color="#bbbbbb", linewidth=0.7, zorder=0)
    # east is to the left, as on the sky
    axes.set(xlim=(side, -side), ylim=(-side, side), aspect="equal")
    axes.set_xlabel(f"east residual [{unit}]")
    axes.set_ylabel(f"north residual [{unit}]")
    axes.set_title(title, fontsize=9)
    if found:
        axes.legend(fontsize=6, loc="upper right")
    save(made, path)


def band_labels(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Return what each detector and filter of a light curve is called in a plot.

    Parameters
    ----------
    rows : iterable of mapping
        ``detector`` and ``filter``.

    Returns
    -------
    dict of (str, str) to str
        By detector and filter, in the order of filters and then detectors: the filter, with the
        detector before it where another detector has a filter of that name.
    """
    bands = sorted({(row["detector"], row["filter"]) for row in rows}, key=lambda b: (b[1], b[0]))
    names = [through for _, through in bands]
    return {
        (detector, through): through if names.count(through) == 1 else f"{detector} {through}"
        for detector, through in bands
    }


def light_curve(path: Path, rows: Sequence[Mapping[str, Any]], *, title: str) -> None:
    """Plot a light curve: magnitudes with errors, and limits as arrows.

    Parameters
    ----------
    path : Path
        New PNG file.
    rows : sequence of mapping
        ``mjd``, ``detector``, ``filter``, ``mag_ab``, ``mag_err``, ``limit_ab`` (None where
        there is none) and ``limit_sigma``.
    title : str
        Title of the plot.
    """
    made = figure(6.4, 4.2)
    axes = made.add_subplot()
    labels = band_labels(rows)
    for number, (band, name) in enumerate(labels.items()):
        colour = COLOURS[number % len(COLOURS)]
        mine = [r for r in rows if (r["detector"], r["filter"]) == band]
        seen = [r for r in mine if r["mag_ab"] is not None]
        limits = [r for r in mine if r["mag_ab"] is None and r["limit_ab"]]
        axes.errorbar(
            [r["mjd"] for r in seen], [r["mag_ab"] for r in seen],
            yerr=[r["mag_err"] for r in seen], fmt="o", color=colour, markersize=4, capsize=2,
            linewidth=1, label=name,
        )  # fmt: skip
        axes.plot(
            [r["mjd"] for r in limits], [r["limit_ab"] for r in limits], "v", color=colour,
            markersize=6, markerfacecolor="none", label=None if seen else f"{name} (limits)",
        )  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlabel("MJD")
    axes.set_ylabel("AB magnitude")
    axes.set_title(title, fontsize=10)
    axes.margins(0.06)
    if labels:
        axes.legend(fontsize=8)
    axes.ticklabel_format(axis="x", useOffset=False)
    save(made, path)
