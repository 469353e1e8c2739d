"""Tables that DOLPHOT writes beside its catalogue: the stars that it aligned and measured with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.products.dolphot.catalogue import read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALIGNMENT: Final = (
    "image", "ext", "chip", "x_reference", "y_reference", "x", "y", "dx", "dy",
)  # fmt: skip
"""``.align``: a star of an image, and where it was expected."""
APERTURE: Final = (
    "image", "ext", "chip", "x", "y", "mag", "inner", "inner_err", "outer", "outer_err",
    "infinite", "infinite_err", "weight",
)  # fmt: skip
"""``.apcor``: a star that the aperture corrections come from, and its three parts."""
PSF_STAR: Final = ("ext", "chip", "x", "y")
"""``.psfs``: a star that the PSF was corrected with; then 1 for each image it was used in."""


def read_table(path: str | Path, names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Read one of the tables.

    Parameters
    ----------
    path : str or Path
        The file; it may be empty.
    names : tuple of str
        Its columns.

    Returns
    -------
    dict of str to (n,) ndarray of float64
        By column.

    Raises
    ------
    InputError
        If it cannot be read, was cut off, or has other columns.
    """
    import numpy as np

    rows = [*read_rows(path, len(names), "its kind of table")]
    values = np.concatenate([np.empty((0, len(names))), *rows])
    return {name: values[:, place].copy() for place, name in enumerate(names)}


def psf_star_columns(images: int) -> tuple[str, ...]:
    """Return the columns of a ``.psfs`` table of some images."""
    return (*PSF_STAR, *(f"used_{number}" for number in range(1, images + 1)))
