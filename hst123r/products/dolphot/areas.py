"""Areas of the pixels of a chip, by which DOLPHOT wants its light multiplied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hst123r.errors import EnvironmentProblem
from hst123r.instruments.detector import Detector
from hst123r.instruments.dolphot_facts import DolphotChip
from hst123r.products.exposures import open_wcs
from hst123r.records.exposure import Chip

if TYPE_CHECKING:
    from astropy.io.fits import HDUList


def chip_area(
    hdus: HDUList,
    chip: Chip,
    detector: Detector,
    offset: tuple[int, int],
    folder: Path | None,
    where: str,
) -> Any:
    """Return the relative areas of the pixels of a chip.

    Parameters
    ----------
    hdus : HDUList
        The open exposure.
    chip : Chip
        The chip.
    detector : Detector
        Its detector; one with a cubic distortion in its file needs neither map nor WCS.
    offset : (int, int)
        Column and row of the full chip where the image begins.
    folder : Path or None
        Folder with the maps that DOLPHOT was installed with; None for the header's WCS.
    where : str
        Name of the chip, for messages.

    Returns
    -------
    (ny, nx) ndarray of float
        Near 1.

    Raises
    ------
    EnvironmentProblem
        If a map is missing, or does not cover the chip.
    """
    import numpy as np

    from hst123r.photometry.cubic_area import cubic_area
    from hst123r.photometry.geometry import AreaMap

    shape = (chip.shape[0], chip.shape[1])
    facts = next(facts for facts in detector.dolphot.mask.chips if facts.number == chip.number)
    if facts.distortion is not None:
        cubic = facts.distortion
        return cubic_area(cubic.x, cubic.y, shape, cubic.origin)
    if folder is not None:
        return np.asarray(_map(folder, facts, detector, offset, shape), np.float64)
    header = hdus["SCI", chip.extver].header
    wcs = open_wcs(header, hdus, where)
    scale = float(header.get("IDCSCALE", detector.pixel_scale.value))
    return AreaMap(wcs, shape, scale).image()


def _map(
    folder: Path,
    facts: DolphotChip,
    detector: Detector,
    offset: tuple[int, int],
    shape: tuple[int, int],
) -> Any:
    """Return the part of a map that an image covers."""
    from astropy.io import fits

    path = folder / str(facts.area_file)
    try:
        with fits.open(path, memmap=True) as hdus:
            data = hdus[detector.dolphot.mask.area_extension].data
            rows = slice(offset[1], offset[1] + shape[0])
            part = data[rows, offset[0] : offset[0] + shape[1]].copy()
    except (OSError, IndexError, TypeError) as error:
        raise EnvironmentProblem(
            f"the map of pixel areas cannot be read: {error}", where=str(path),
            hint="Install the pixel area maps of DOLPHOT's module, or leave its folder out",
        ) from error  # fmt: skip
    if part.shape != shape:
        raise EnvironmentProblem(
            f"the map of pixel areas has {list(data.shape)} pixels, and the image begins at "
            f"{list(offset[::-1])} with {list(shape)}",
            where=str(path), hint="It is of another detector, or was cut off",
        )  # fmt: skip
    return part
