"""Pictures of stacks: stretched for the eye, targets ringed, north and scale shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.products.stacks import read_stack

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from hst123r.products.stacks import Stack

SIDE_INCHES: Final = 6.0
DPI: Final = 150
RING_ARCSEC: Final = 1.5
COLOUR: Final = "#ff9f1c"


def preview(
    stack: Path, picture: Path, targets: Mapping[str, tuple[float, float]], *, title: str
) -> None:
    """Draw a stack.

    Parameters
    ----------
    stack : Path
        The stack.
    picture : Path
        New PNG file.
    targets : mapping of str to (float, float)
        Right ascension and declination of targets to ring, in degrees.
    title : str
        Title of the picture.
    """
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    read = read_stack(stack)
    rows, columns = read.science.shape
    step = max(1, int(np.ceil(max(rows, columns) / (SIDE_INCHES * DPI))))
    image = read.science[: rows // step * step, : columns // step * step]
    image = image.reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    low, high = _range(image)
    aspect = image.shape[0] / image.shape[1]
    figure = Figure(
        figsize=(SIDE_INCHES, SIDE_INCHES * aspect + 0.4), dpi=DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    stretched = np.arcsinh(10 * np.clip((image - low) / (high - low), 0, 1)) / np.arcsinh(10)
    axes.imshow(
        stretched, origin="lower", cmap="gray", vmin=0, vmax=1, interpolation="nearest",
        extent=(-0.5, columns - 0.5, -0.5, rows - 0.5),
    )  # fmt: skip
    axes.set_facecolor("#202030")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=8)
    _ring(axes, read, targets)
    _compass(axes, read)
    figure.savefig(picture, metadata={"Software": None})


def _range(image: NDArray[np.float32]) -> tuple[float, float]:
    import numpy as np

    finite = image[np.isfinite(image)]
    if finite.size == 0:
        return 0.0, 1.0
    low, middle, high = np.percentile(finite, [5, 50, 99.7])
    low = max(low, middle - 3 * 1.4826 * float(np.median(np.abs(finite - middle))))
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1.0)


def _ring(axes: Axes, stack: Stack, targets: Mapping[str, tuple[float, float]]) -> None:
    from matplotlib.patches import Circle

    scale = _scale(stack)
    for name, (ra, dec) in targets.items():
        x, y = stack.wcs.all_world2pix([[ra, dec]], 0)[0]
        radius = max(RING_ARCSEC / scale, max(stack.science.shape) / 60)
        axes.add_patch(Circle((x, y), radius, fill=False, color=COLOUR, linewidth=1.0))
        axes.annotate(
            name, (x, y + radius), xytext=(0, 3), textcoords="offset points", color=COLOUR,
            fontsize=7, ha="center", va="bottom",
        )  # fmt: skip


def _compass(axes: Axes, stack: Stack) -> None:
    """Draw north and a bar whose length is a round number of arcseconds."""
    rows, columns = stack.science.shape
    scale = _scale(stack)
    length = next(
        (size for size in (100, 60, 30, 20, 10, 5, 2, 1) if size / scale < columns / 4), 1
    )
    x, y = columns * 0.05, rows * 0.05
    axes.plot([x, x + length / scale], [y, y], color=COLOUR, linewidth=1.5)
    axes.annotate(
        f'{length}"', (x, y), xytext=(0, 3), textcoords="offset points", color=COLOUR, fontsize=7
    )
    ra, dec = stack.wcs.all_pix2world([[columns / 2, rows / 2]], 0)[0]
    ahead = stack.wcs.all_world2pix([[ra, dec + scale / 3600]], 0)[0]
    dx, dy = ahead[0] - columns / 2, ahead[1] - rows / 2
    start = (columns * 0.94, rows * 0.84)
    size = rows * 0.08
    axes.annotate(
        "", xytext=start, xy=(start[0] + dx * size, start[1] + dy * size),
        arrowprops={"arrowstyle": "->", "color": COLOUR, "linewidth": 1.0},
    )  # fmt: skip
    axes.annotate("N", start, color=COLOUR, fontsize=7, ha="center", va="top")


def _scale(stack: Stack) -> float:
    from astropy.wcs.utils import proj_plane_pixel_scales

    return float(proj_plane_pixel_scales(stack.wcs)[0]) * 3600
