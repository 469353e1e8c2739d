"""Cutouts of the stacks around a target, one for each epoch and filter, with the aperture drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.products.plots import figure, save
from hst123r.products.stacks import read_stack

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

PANEL_INCHES: Final = 1.9
COLUMNS: Final = 4
APERTURE: Final = "#ff9f1c"
SEARCH: Final = "#56b4e9"
STRETCH: Final = 8.0


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn on every cutout.

    Parameters
    ----------
    sources : sequence of (float, float)
        Right ascension and declination of the sources that were taken, in degrees.
    aperture_arcsec : float or None
        Radius within which pixels decide about a source; None where it is not known.
    search_arcsec : float
        Radius around the target within which a source is looked for.
    """

    sources: Sequence[tuple[float, float]]
    aperture_arcsec: float | None
    search_arcsec: float


def draw_cutouts(
    path: Path,
    stacks: Sequence[tuple[str, str]],
    place: tuple[float, float],
    size_arcsec: float,
    marks: Sequence[Mark],
    title: str,
) -> None:
    """Draw the cutouts as one picture.

    Parameters
    ----------
    path : Path
        New PNG file.
    stacks : sequence of (str, str)
        Title and path of each stack.
    place : (float, float)
        Right ascension and declination of the target in degrees.
    size_arcsec : float
        Side of a cutout.
    marks : sequence of Mark
        For each stack.
    title : str
        Title of the picture.
    """
    columns = min(COLUMNS, len(stacks))
    rows = -(-len(stacks) // columns)
    made = figure(PANEL_INCHES * max(columns, 2), PANEL_INCHES * rows * 1.12 + 0.55)
    made.suptitle(title, fontsize=8)
    for number, ((name, stack), mark) in enumerate(zip(stacks, marks, strict=True), 1):
        axes = made.add_subplot(rows, columns, number)
        axes.set_title(name, fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])
        _panel(axes, Path(stack), place, size_arcsec, mark)
    save(made, path)


def _panel(
    axes: Axes, path: Path, place: tuple[float, float], size_arcsec: float, mark: Mark
) -> None:
    import numpy as np
    from astropy.wcs.utils import proj_plane_pixel_scales
    from matplotlib.patches import Circle

    stack = read_stack(path)
    scale = float(proj_plane_pixel_scales(stack.wcs)[0]) * 3600
    (x, y), *others = stack.wcs.all_world2pix([place, *mark.sources], 0)
    half = size_arcsec / scale / 2
    cut, left, low = _cut(stack.science, float(x), float(y), half)
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    axes.set_facecolor("#202030")
    if not np.isfinite(cut).any():
        axes.text(0.5, 0.5, "not covered", color="white", fontsize=7, ha="center",
                  transform=axes.transAxes)  # fmt: skip
        return
    rows, wide = cut.shape
    axes.imshow(
        _stretched(cut), origin="lower", cmap="gray", vmin=0, vmax=1, interpolation="nearest",
        extent=(left - 0.5, left + wide - 0.5, low - 0.5, low + rows - 0.5),
    )  # fmt: skip
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half))
    axes.add_patch(Circle((x, y), mark.search_arcsec / scale, fill=False, color=SEARCH,
                          linewidth=0.8, linestyle=(0, (3, 3))))  # fmt: skip
    for px, py in others:
        if mark.aperture_arcsec is None:
            axes.plot([px], [py], "+", color=APERTURE, markersize=6, markeredgewidth=0.8)
        else:
            axes.add_patch(Circle((px, py), mark.aperture_arcsec / scale, fill=False,
                                  color=APERTURE, linewidth=1.0))  # fmt: skip
    bar = 1.0 / scale
    start = x - 0.9 * half, y - 0.9 * half
    axes.plot([start[0], start[0] + bar], [start[1]] * 2, color="white", linewidth=1.2)
    axes.text(start[0], start[1] + 0.05 * half, '1"', color="white", fontsize=6)


def _cut(
    image: NDArray[np.float32], x: float, y: float, half: float
) -> tuple[NDArray[np.float32], int, int]:
    """Return the part of an image around a place, NaN where there is none, and its corner."""
    import numpy as np

    side = 2 * int(np.ceil(half)) + 3
    if not np.isfinite([x, y]).all():
        return np.full((side, side), np.nan, np.float32), 0, 0
    left, low = (int(np.floor(value + 0.5)) - side // 2 for value in (x, y))
    cut = np.full((side, side), np.nan, np.float32)
    ny, nx = image.shape
    top, bottom = max(low, 0), min(low + side, ny)
    first, last = max(left, 0), min(left + side, nx)
    if top < bottom and first < last:
        cut[top - low : bottom - low, first - left : last - left] = image[top:bottom, first:last]
    return cut, left, low


def _stretched(cut: NDArray[np.float32]) -> NDArray[Any]:
    import numpy as np

    finite = cut[np.isfinite(cut)]
    low, high = float(np.percentile(finite, 10)), float(np.percentile(finite, 99.8))
    spread = (high - low) or 1.0
    scaled = np.clip((cut - low) / spread, 0.0, 1.0)
    return np.asarray(np.arcsinh(STRETCH * scaled) / np.arcsinh(STRETCH))
