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


def equalise(science: str | Path, exposure: Exposure, photflam: float) -> None:
    """Bring the chips of a working copy to one inverse sensitivity.

    SCI and ERR are multiplied by PHOTFLAM over the new one, which then stands in the header, as
    by drizzlepac's ``photeq``; pixel times PHOTFLAM, the flux, stays as it is. What is known of
    a chip without PHOTFLAM does not suffice, and it stays.

    Parameters
    ----------
    science : str or Path
        A working copy of the science file.
    exposure : Exposure
        Its record, with the PHOTFLAM of each chip.
    photflam : float
        The new one, erg / cm2 / Angstrom per unit of the header.
    """
    from astropy.io import fits

    if all(chip.photflam in (None, photflam) for chip in exposure.chips):
        return
    with fits.open(science, mode="update") as hdus:
        for chip in exposure.chips:
            if chip.photflam is None:
                continue
            factor = chip.photflam / photflam
            for name in ("SCI", "ERR"):
                if (name, chip.extver) in hdus and hdus[name, chip.extver].data is not None:
                    data = hdus[name, chip.extver].data
                    data *= data.dtype.type(factor)
            header = hdus["SCI", chip.extver].header
            if "PHOTFLAM" in header:
                header["PHOTFLAM"] = photflam
        if "PHOTFLAM" in hdus[0].header:
            hdus[0].header["PHOTFLAM"] = photflam
