"""Artificial stars of a DOLPHOT run: what was put in, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.products.dolphot.catalogue import Catalogue, gather, read_rows
from hst123r.products.dolphot.columns import Layout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAD: Final = 4
NOT_RECOVERED: Final = 16
"""Bit of the flag of every image of a star that was not found again."""


@dataclass(frozen=True, eq=False)
class FakeStars:
    """Artificial stars, one element for each that DOLPHOT worked on.

    Stars outside all images are skipped by DOLPHOT, so there may be fewer than were asked for.

    Parameters
    ----------
    x, y : (n,) ndarray of float64
        Where they were put, in DOLPHOT's own pixels.
    counts, mag : (n, images) ndarray of float64
        What was put in.
    found : Catalogue
        What came out, row by row.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    counts: NDArray[np.float64]
    mag: NDArray[np.float64]
    found: Catalogue

    @property
    def recovered(self) -> NDArray[np.bool_]:
        """Which of them were found again."""
        import numpy as np

        flags = np.array([image["flag"] for image in self.found.images])
        return np.asarray(~((flags & NOT_RECOVERED) != 0).all(axis=0))


def read_fake(path: str | Path, layout: Layout) -> FakeStars:
    """Read the table of artificial stars.

    Its rows begin with 4 columns and 2 more for each image that the ``.columns`` file does not
    know of: extension, chip, x, y, and counts and magnitude that were put in.

    Parameters
    ----------
    path : str or Path
        The ``.fake`` file.
    layout : Layout
        Columns of the run.

    Returns
    -------
    FakeStars
        In the order of the file.

    Raises
    ------
    InputError
        If it cannot be read, was cut off, or has not the columns of the layout.
    """
    import numpy as np

    lead = _LEAD + 2 * len(layout.images)
    heads = [np.empty((0, lead))]

    def whole() -> Iterator[NDArray[np.float64]]:
        source = f"{layout.source}, with {lead} columns of what was put in,"
        for rows in read_rows(path, lead + layout.count, source):
            heads.append(rows[:, :lead].copy())
            yield rows

    found = gather(whole(), layout, lead=lead)
    head = np.concatenate(heads)
    return FakeStars(head[:, 2], head[:, 3], head[:, _LEAD::2], head[:, _LEAD + 1 :: 2], found)
