"""Copies of exposures that other people's programs may change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hst123r.files.publish import copy
from hst123r.records.exposure import Exposure


def working_copy(files: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Copy the files of an exposure into a folder, writable, under their own names.

    Parameters
    ----------
    files : mapping of str to str
        Path by role.
    folder : Path
        An existing folder; files of these names in it are replaced.

    Returns
    -------
    dict of str to str
        Path of the copies by role.
    """
    copies = {}
    for role, path in files.items():
        mine = folder / Path(path).name
        mine.unlink(missing_ok=True)
        copy(Path(path), mine)
        mine.chmod(0o644)
        copies[role] = str(mine)
    return copies


def state_units(science: str | Path, exposure: Exposure) -> None:
    """Write the unit of every chip where the header has none.

    drizzlepac takes pixels without BUNIT for electrons per second. Those of WFPC2 files that
    were converted from waiver FITS are counts, and would not be divided by their exposure time.

    Parameters
    ----------
    science : str or Path
        A working copy of the science file.
    exposure : Exposure
        Its record.
    """
    from astropy.io import fits

    with fits.open(science, mode="update") as hdus:
        for chip in exposure.chips:
            header = hdus["SCI", chip.extver].header
            if "BUNIT" not in header:
                header["BUNIT"] = (chip.unit, "unit of the pixels")
