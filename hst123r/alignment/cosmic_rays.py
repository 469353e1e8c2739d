"""Cosmic rays of the exposures of a visit, kept out of their catalogues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hst123r import instruments
from hst123r.alignment.params import AlignParams
from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    from collections.abc import Mapping


def find(
    files: Mapping[str, str], exposure: Exposure, params: AlignParams, folder: Path
) -> str | None:
    """Find the cosmic rays of an exposure; its files are not changed.

    Parameters
    ----------
    files : mapping of str to str
        Path by role.
    exposure : Exposure
        Its record.
    params : AlignParams
        Whether, and how.
    folder : Path
        Where the mask is written.

    Returns
    -------
    str or None
        Path of the mask; None where none is wanted, or the detector keeps none.
    """
    import numpy as np

    from hst123r.external.lacosmic import find_cosmic_rays
    from hst123r.products.frames import read_frames
    from hst123r.products.quality import write_mask

    if not params.find_cosmic_rays:
        return None
    if instruments.get(exposure.detector).noise.cosmic_rays is None:
        return None
    masks = {}
    for chip, frame in zip(exposure.chips, read_frames(files, exposure), strict=True):
        masks[chip.extver] = find_cosmic_rays(
            np.asarray(frame.data, np.float32),
            frame.bad,
            frame.read_noise_e,
            sigma=params.cosmic_ray_sigma,
            contrast=params.cosmic_ray_contrast,
        )
    path = folder / f"{exposure.root}_crmask.fits"
    path.unlink(missing_ok=True)
    write_mask(masks, path, "CRMASK")
    return str(path)


def share(mask: str) -> float:
    """Return the share of the pixels of an exposure that cosmic rays hit, by its mask."""
    from hst123r.products.quality import read_mask

    planes = read_mask(mask).values()
    return float(sum(plane.sum() for plane in planes) / sum(plane.size for plane in planes))


def flag(files: Mapping[str, str], mask: str) -> None:
    """Set the bit of cosmic rays in the data quality of a working copy."""
    from hst123r.external.astrodrizzle import CR_BIT
    from hst123r.products.quality import flag_pixels, read_mask

    flag_pixels({role: Path(path) for role, path in files.items()}, read_mask(mask), CR_BIT)
