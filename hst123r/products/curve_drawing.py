"""A light curve as a drawing in a page: each point is a link."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final

from hst123r.products.plots import COLOURS, band_labels

WIDTH: Final = 760
HEIGHT: Final = 380
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 14, 44
TICKS: Final = 6
"""About how many marks an axis has."""
LEAST_MAG: Final = 0.2
LEAST_DAYS: Final = 1.0
"""Smallest ranges of the axes; a single point has none of its own."""


def draw(
    rows: Sequence[Mapping[str, Any]], title: str, where: Callable[[Mapping[str, Any]], str]
) -> str:
    """Draw a light curve.

    Parameters
    ----------
    rows : sequence of mapping
        As for :func:`hst123r.products.plots.light_curve`.
    title : str
        What is seen.
    where : callable
        Returns where the point of a row leads.

    Returns
    -------
    str
        An SVG element; magnitudes with errors are discs, limits open triangles, and each has its
        numbers as a title. Empty where there is nothing to draw.
    """
    seen = [row for row in rows if _magnitude(row) is not None and row["mjd"] is not None]
    if not seen:
        return ""
    x = _Scale([row["mjd"] for row in seen], LEAST_DAYS, LEFT, WIDTH - RIGHT)
    y = _Scale([value for row in seen for value in _extent(row)], LEAST_MAG, TOP, HEIGHT - BOTTOM)
    labels = band_labels(seen)
    colours = {band: COLOURS[number % len(COLOURS)] for number, band in enumerate(labels)}
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="12"'
    parts = [
        f'<svg {size} role="group" aria-label="{escape(title)}" {font}>',
        f"<title>{escape(title)}</title>",
        *_axes(x, y),
        *(_point(row, x, y, labels[_band(row)], colours[_band(row)], where(row)) for row in seen),
    ]
    for number, (band, name) in enumerate(labels.items()):
        place = TOP + 12 + 18 * number
        left = WIDTH - RIGHT + 18
        parts.append(
            f'<circle cx="{left}" cy="{place}" r="4" fill="{colours[band]}"/>'
            f'<text x="{left + 10}" y="{place + 4}">{escape(name)}</text>'
        )
    return "".join([*parts, "</svg>"])


class _Scale:
    """Where the values of an axis are on the page."""

    def __init__(self, values: Sequence[float], least: float, start: int, end: int) -> None:
        low, high = min(values), max(values)
        middle, half = (low + high) / 2, max(high - low, least) * 0.54
        self.low, self.high, self.start, self.end = middle - half, middle + half, start, end

    def __call__(self, value: float) -> str:
        part = (value - self.low) / (self.high - self.low)
        return f"{self.start + part * (self.end - self.start):.1f}"

    def ticks(self) -> list[float]:
        """Return round values."""
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step) + 1)]


def _band(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["detector"], row["filter"]


def _magnitude(row: Mapping[str, Any]) -> float | None:
    value = row["mag_ab"] if row["mag_ab"] is not None else row["limit_ab"]
    return None if value is None else float(value)


def _extent(row: Mapping[str, Any]) -> tuple[float, float]:
    value = _magnitude(row)
    assert value is not None
    error = (row["mag_err"] or 0.0) if row["mag_ab"] is not None else 0.0
    return value - error, value + error


def _axes(x: _Scale, y: _Scale) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    size = f'width="{right - LEFT}" height="{bottom - TOP}"'
    parts = [f'<rect x="{LEFT}" y="{TOP}" {size} fill="none" stroke="#8b95a3"/>']
    parts += [
        f'<path d="M{x(value)} {bottom}v5" stroke="#8b95a3"/>'
        f'<text x="{x(value)}" y="{bottom + 19}" text-anchor="middle">{value:.10g}</text>'
        for value in x.ticks()
    ]
    parts += [
        f'<path d="M{LEFT} {y(value)}h-5" stroke="#8b95a3"/>'
        f'<text x="{LEFT - 9}" y="{y(value)}" dy="4" text-anchor="end">{value:.6g}</text>'
        for value in y.ticks()
    ]
    middle = (TOP + bottom) / 2
    parts.append(
        f'<text x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">MJD</text>'
        f'<text x="14" y="{middle:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 14 {middle:.0f})">AB magnitude</text>'
    )
    return parts


def _point(
    row: Mapping[str, Any], x: _Scale, y: _Scale, label: str, colour: str, where: str
) -> str:
    value = _magnitude(row)
    assert value is not None
    across, down = x(row["mjd"]), y(value)
    name = f"{label}, MJD {row['mjd']:.3f}"
    if row["mag_ab"] is None:
        text = f"{name}: fainter than {value:.3f} mag"
        shape = f'<path d="M{across} {down}m-5 -4h10l-5 9z" fill="#fff" stroke="{colour}"/>'
    else:
        error = row["mag_err"] or 0.0
        text = f"{name}: {value:.3f} ± {error:.3f} mag"
        shape = (
            f'<path d="M{across} {y(value - error)}V{y(value + error)}" stroke="{colour}"/>'
            f'<circle cx="{across}" cy="{down}" r="4" fill="{colour}" stroke="{colour}"/>'
        )
    return f'<a href="{escape(where)}"><title>{escape(text)}</title>{shape}</a>'
