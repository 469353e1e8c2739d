"""Where the pixels of one image lie in another: a coarse grid, interpolated, of known error.

A WCS with distortion costs half a microsecond for each pixel, and four million pixels of a chip
lie where their neighbours say. So positions are computed at the nodes of a grid only.

The polynomial of the distortion and the projection are smooth: cubic interpolation between nodes
many pixels apart is as good as the polynomial. Lookup tables (D2IMARR, WCSDVARR) are not: they
are linear between nodes of their own, with a kink at each. What they add is a grid of its own
with exactly these lines, and is interpolated linearly, as the WCS itself does it.

How well that works is measured in every cell of both grids, where it is worst, and the smooth grid
is made finer until it is good enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hst123r.errors import StageError

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from numpy.typing import NDArray

TOLERANCE_PIX: Final = 1e-4
"""Largest error of a map, pixels of the target.

Measured on real headers it is 1e-6 and less where the distortion is a polynomial, and up to 5e-5
with lookup tables, because a table is looked up where another has moved the pixel to. Beside a
star of 10 000 electrons in its brightest pixel 5e-5 changes a pixel by a quarter of an electron,
1/400 of its noise; the flux of the star does not change. AstroDrizzle interpolates linearly
between every tenth pixel, which is wrong by up to 4e-4."""
KINK_STEP: Final = 64.0
"""Largest distance between lines of the grid of lookup tables, pixels.

What a table moves is seen through the polynomial, whose scale changes over a chip. The table made
of the DGEOFILE of WFPC2 has one row, and so no line but the edges to follow that along the columns:
the map of a real exposure would be wrong by 1.2e-4 pixels, with lines this far apart by 1e-6."""
STEPS: Final = (32, 16, 8, 4)
"""Pixels between the nodes of the smooth grid, tried in turn; measured, 32 is enough for the
distortion of all detectors of the package."""
_WHERE: Final = (1 / 6, 1 / 2, 5 / 6)
"""Where in a cell the error is looked for."""
_LEAST: Final = 8
"""Rows and columns of the smallest part of a chip, where the chip has as many."""
_TABLES: Final = ("det2im1", "det2im2", "cpdis1", "cpdis2")


@dataclass(frozen=True, slots=True, eq=False)
class Kinks:
    """What lookup tables add to the positions.

    Parameters
    ----------
    rows, columns : (m,) and (n,) ndarray of float64
        Zero-based pixel coordinates of the nodes, along y and x, over the whole chip.
    nodes : (m, n) ndarray of complex128
        Shift in x (real) and y (imaginary) in the target, pixels.
    """

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    nodes: NDArray[np.complex128]


@dataclass(frozen=True, slots=True, eq=False)
class PixelMap:
    """Positions of the pixels of a chip in the pixels of another image.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the chip.
    step : int
        Pixels between the nodes of the smooth grid.
    nodes : (m, n) ndarray of complex128
        Zero-based x (real) and y (imaginary) in the target, pixels; the first node is a step
        outside of the chip in both axes.
    kinks : Kinks or None
        What lookup tables add.
    error_pix : float
        Largest distance from what the WCS says at nine pixels in every cell, pixels of the target.
    """

    shape: tuple[int, int]
    step: int
    nodes: NDArray[np.complex128]
    kinks: Kinks | None
    error_pix: float

    def full(self) -> NDArray[np.float64]:
        """Return the position of every pixel.

        Returns
        -------
        (ny, nx, 2) ndarray of float64
            Zero-based x and y in the target.
        """
        rows, columns = self.shape
        found = np.empty((rows, 2 * columns))
        weights = _cubic(np.arange(self.step) / self.step)
        # x and y lie side by side, so four nodes are eight numbers
        across = np.zeros((8, 2 * self.step))
        across[0::2, 0::2] = across[1::2, 1::2] = weights.T
        plain = self.nodes.view(np.float64)
        cells = -(-columns // self.step)
        for first in range(0, rows, self.step):
            # a strip of rows at a time, so that it stays in the processor's cache
            number, begin = min(self.step, rows - first), first // self.step
            lines = weights[:number] @ plain[begin : begin + 4]
            windows = np.lib.stride_tricks.sliding_window_view(lines, 8, axis=1)[:, ::2]
            strip = (windows[:, :cells] @ across).reshape(number, -1)
            some = slice(first, first + number)
            found[some] = strip[:, : 2 * columns]
            if self.kinks is not None:
                shifts = _linear(self.kinks, np.arange(first, first + number), columns)
                found[some] += shifts.view(np.float64)
        return found.reshape(rows, columns, 2)

    def moved(self, pixels: int) -> PixelMap:
        """Return the same positions in a target with more pixels before its first row and column.

        Parameters
        ----------
        pixels : int
            How many.
        """
        return replace(self, nodes=self.nodes + complex(pixels, pixels))

    def part(self, rows: slice, columns: slice) -> PixelMap:
        """Return the map of a rectangle of the chip.

        Parameters
        ----------
        rows, columns : slice
            Zero-based; they begin at a multiple of the step.
        """
        top, left = rows.start // self.step, columns.start // self.step
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        down, right = (-(-number // self.step) + 3 for number in shape)
        kinks = self.kinks
        if kinks is not None:
            kinks = Kinks(kinks.rows - rows.start, kinks.columns - columns.start, kinks.nodes)
        nodes = np.ascontiguousarray(self.nodes[top : top + down, left : left + right])
        return PixelMap(shape, self.step, nodes, kinks, self.error_pix)

    def reaching(self, shape: tuple[int, int]) -> tuple[slice, slice] | None:
        """Return the rows and columns of the chip that hold all pixels near a target.

        Parameters
        ----------
        shape : (int, int)
            Rows and columns of the target.

        Returns
        -------
        (slice, slice) or None
            As :meth:`part` wants them; None where no pixel is near.
        """
        nodes = self.nodes
        near = 2 * max(np.abs(np.diff(nodes, axis=axis)).max() for axis in (0, 1))
        inside = (nodes.real > -near) & (nodes.real < shape[1] + near)
        inside &= (nodes.imag > -near) & (nodes.imag < shape[0] + near)
        if not inside.any():
            return None
        found = []
        for axis in (0, 1):
            (which,) = np.nonzero(inside.any(axis=1 - axis))
            first = max(int(which[0]) - 2, 0) * self.step
            last = min(int(which[-1]) * self.step + 1, self.shape[axis])
            if last <= first:
                return None
            if last - first < _LEAST:
                # the kernels want more than a line of pixels
                first = max((last - _LEAST) // self.step, 0) * self.step
            found.append(slice(first, max(last, min(first + _LEAST, self.shape[axis]))))
        return found[0], found[1]

    def beyond(self, shape: tuple[int, int]) -> float:
        """Return how far the edges of the chip lie outside of a target, pixels; 0 for inside.

        Parameters
        ----------
        shape : (int, int)
            Rows and columns of the target.
        """
        along = np.linspace(0, 1, 33)
        rows, columns = self.shape[0] - 1, self.shape[1] - 1
        x = np.concatenate([along * columns, along * columns, along * 0, along * 0 + columns])
        y = np.concatenate([along * 0, along * 0 + rows, along * rows, along * rows])
        edge = self.at(x, y)
        left, low = edge.real.min(), edge.imag.min()
        right, high = edge.real.max() - (shape[1] - 1), edge.imag.max() - (shape[0] - 1)
        return float(max(-left, -low, right, high, 0.0))

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return positions between the pixels, as :meth:`full` has them at the pixels.

        Parameters
        ----------
        x, y : (n,) ndarray of float64
            Zero-based pixel coordinates within the chip.
        """
        column, row = (np.floor(value / self.step).astype(int) for value in (x, y))
        along, over = _cubic(x / self.step - column), _cubic(y / self.step - row)
        found = np.zeros(len(x), np.complex128)
        for i in range(4):
            for j in range(4):
                found += over[:, i] * along[:, j] * self.nodes[row + i, column + j]
        return found + (0.0 if self.kinks is None else _linear_at(self.kinks, x, y))


def pixel_map(
    source: WCS, target: WCS, shape: tuple[int, int], tolerance_pix: float = TOLERANCE_PIX
) -> PixelMap:
    """Map the pixels of a chip to those of an image without distortion.

    Parameters
    ----------
    source : WCS
        Of the chip, with all its distortion.
    target : WCS
        Of the other image; a projection alone.
    shape : (int, int)
        Rows and columns of the chip, 2 at least.
    tolerance_pix : float
        Largest error, pixels of the target.

    Returns
    -------
    PixelMap
        With its measured error.

    Raises
    ------
    StageError
        If the WCS is so rough that the finest grid does not reach the tolerance, or has no
        position for a pixel.
    """
    smooth = _without_tables(source)
    kinks = None
    if smooth is not source:
        rows, columns = (_knots(source, axis, shape[1 - axis]) for axis in (1, 0))
        x, y = (values.ravel() for values in np.meshgrid(columns, rows))
        shifts = _positions(source, target, x, y) - _positions(smooth, target, x, y)
        kinks = Kinks(rows, columns, shifts.reshape(len(rows), len(columns)))
    error = np.inf
    for step in STEPS:
        places = [np.arange(-1, -(-number // step) + 2) * float(step) for number in shape]
        x, y = (values.ravel() for values in np.meshgrid(places[1], places[0]))
        nodes = _positions(smooth, target, x, y).reshape(len(places[0]), len(places[1]))
        found = PixelMap(shape, step, nodes, kinks, 0.0)
        error = _error(found, source, target)
        if not np.isfinite(error):
            raise StageError("the WCS of a chip has no place on the sky for some of its pixels")
        if error <= tolerance_pix:
            return PixelMap(shape, step, nodes, kinks, error)
    raise StageError(
        f"the WCS of a chip is too rough to be interpolated: {error:.2g} pixels where "
        f"{tolerance_pix:g} are allowed",
        hint="Look at its distortion with `hst123r show wcs FILE`, or use engine: astrodrizzle",
    )


def _error(found: PixelMap, source: WCS, target: WCS) -> float:
    """Return the largest error at nine pixels in every cell of both grids."""
    along = []
    for axis in (0, 1):
        number = found.shape[1 - axis]
        lines = [np.arange(0.0, number - 1, found.step), np.array([number - 1.0])]
        if found.kinks is not None:
            lines.append((found.kinks.columns, found.kinks.rows)[axis])
        nodes = np.unique(np.concatenate(lines))
        places = nodes[:-1, None] + np.diff(nodes)[:, None] * np.array(_WHERE)
        # the map is asked for at pixels alone
        along.append(np.unique(places.round()))
    x, y = (values.ravel() for values in np.meshgrid(*along))
    return float(np.abs(_positions(source, target, x, y) - found.at(x, y)).max())


def _positions(
    source: WCS, target: WCS, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.complex128]:
    sky = source.all_pix2world(np.stack([x, y], axis=1), 0)
    # one complex number for a position: both of its parts are interpolated at once
    found = np.ascontiguousarray(target.wcs_world2pix(sky, 0), np.float64)
    return found.view(np.complex128)[:, 0]


def _without_tables(wcs: WCS) -> WCS:
    """Return a WCS with the smooth distortion alone, the same object where it has no tables."""
    if all(getattr(wcs, name, None) is None for name in _TABLES):
        return wcs
    found = wcs.deepcopy()
    for name in _TABLES:
        setattr(found, name, None)
    return found


def _knots(wcs: WCS, axis: int, number: int) -> NDArray[np.float64]:
    """Zero-based coordinates of lines along an axis, within a chip: nodes of all lookup tables.

    Where these are far apart there are lines between them.
    """
    last = number - 1.0
    places = [np.array([0.0, last])]
    for name in _TABLES:
        table: Any = getattr(wcs, name, None)
        if table is not None:
            nodes = np.arange(1, table.data.shape[1 - axis] + 1) - table.crpix[axis]
            places.append(nodes * table.cdelt[axis] + table.crval[axis] - 1)
    found = np.unique(np.concatenate(places).round(6))
    found = found[(found >= 0) & (found <= last)]
    between = [
        np.linspace(low, high, int(np.ceil((high - low) / KINK_STEP)), endpoint=False)
        for low, high in pairwise(found)
    ]
    return np.asarray(np.concatenate([*between, found[-1:]]), np.float64)


def _cubic(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the four nodes around a place (Lagrange), by its distance from the second."""
    u = part
    return np.stack(
        [
            -u * (u - 1) * (u - 2) / 6,
            (u + 1) * (u - 1) * (u - 2) / 2,
            -(u + 1) * u * (u - 2) / 2,
            (u + 1) * u * (u - 1) / 6,
        ],
        axis=-1,
    )


def _cells(
    lines: NDArray[np.float64], places: NDArray[Any]
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Return for each place the line below it, and how far it is to the next."""
    below = np.clip(np.searchsorted(lines, places, side="right") - 1, 0, len(lines) - 2)
    return below, (places - lines[below]) / (lines[below + 1] - lines[below])


def _linear(kinks: Kinks, rows: NDArray[np.int_], columns: int) -> NDArray[np.complex128]:
    low, share = _cells(kinks.rows, rows)
    lines = kinks.nodes[low] * (1 - share[:, None]) + kinks.nodes[low + 1] * share[:, None]
    left, over = _cells(kinks.columns, np.arange(columns))
    found: NDArray[np.complex128] = np.diff(lines, axis=1).take(left, axis=1)
    found *= over
    found += lines.take(left, axis=1)
    return found


def _linear_at(
    kinks: Kinks, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.complex128]:
    (low, up), (left, over) = _cells(kinks.rows, y), _cells(kinks.columns, x)
    corners: Sequence[tuple[int, int, Any]] = (
        (0, 0, (1 - up) * (1 - over)), (0, 1, (1 - up) * over),
        (1, 0, up * (1 - over)), (1, 1, up * over),
    )  # fmt: skip
    found = np.zeros(len(x), np.complex128)
    for i, j, weight in corners:
        found += weight * kinks.nodes[low + i, left + j]
    return found
