"""How well DOLPHOT knows its aperture corrections: by the stars that it took them from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from hst123r.products.dolphot.run_tables import APERTURE, read_table

if TYPE_CHECKING:
    from hst123r.products.dolphot.info import Info


def aperture_errors(path: Path, info: Info) -> list[float]:
    """Return the standard error of the aperture correction of each image.

    DOLPHOT writes no error of a correction, but the stars it comes from, with their weights. The
    error is that of their weighted mean, by their scatter; or the difference between that mean
    and the correction that DOLPHOT chose, if it is larger: DOLPHOT does not say how it leaves
    stars out, and on a sample of 99 stars the two differ by twice the error by scatter.

    Parameters
    ----------
    path : Path
        The ``.apcor`` file, which need not be there.
    info : Info
        The run.

    Returns
    -------
    list of float
        Magnitudes, in the order of the images; the largest of several chips of one image. NaN
        where there are fewer than two stars or DOLPHOT made no correction, be it for one chip.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    import numpy as np

    if not path.is_file():
        return [math.nan] * len(info.images)
    table = read_table(path, APERTURE)
    total = table["inner"] + table["outer"] + table["infinite"]
    errors = []
    for number in range(len(info.images)):
        found = []
        for section in info.sections:
            mine = table["image"] == number + 1
            mine &= (table["ext"] == section.extension) & (table["chip"] == section.chip)
            mine &= table["weight"] > 0
            chosen = section.aperture_corrections[number] if section.aperture_corrections else 0.0
            # a correction of 0 is one that DOLPHOT did not make
            if np.count_nonzero(mine) < 2 or chosen == 0.0:
                found.append(math.nan)
                continue
            weight, value = table["weight"][mine], total[mine]
            mean = np.average(value, weights=weight)
            few = mine.sum() / (mine.sum() - 1)
            scatter = np.sqrt(few * np.sum((weight * (value - mean)) ** 2)) / weight.sum()
            found.append(float(max(scatter, abs(mean - chosen))))
        # of NumPy, since max() would lose a NaN among numbers
        errors.append(float(np.max(found)) if found else math.nan)
    return errors
