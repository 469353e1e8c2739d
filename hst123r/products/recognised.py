"""What a file is, told by what is in it and not by its name alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hst123r.errors import InputError
from hst123r.files.fits_blocks import HduBlocks, is_fits, walk

EXPOSURE: Final = "exposure"
IMAGE: Final = "image"
HEADERLET: Final = "headerlet"
CATALOGUE: Final = "catalogue"
LIGHT_CURVE: Final = "light curve"

_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_TABLES: Final = {".ecsv": "ascii.ecsv", ".csv": "ascii.csv"}
_DRIZZLED: Final = re.compile(r"NDRIZIM|D001DATA")
_ROWS: Final = 200
"""Rows of a text that are read to tell whether it is a table of numbers."""


def recognise(path: Path) -> str:
    """Open a file and say what it is.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    str
        ``exposure`` (calibrated, with chips), ``image`` (drizzled or any other), ``headerlet``,
        ``catalogue`` (a table of FITS, ECSV, CSV, HDF5, or of numbers in plain columns as DOLPHOT
        writes) or ``light curve`` (a ``.phot`` file of hst123).

    Raises
    ------
    InputError
        If it does not open, is cut off, or is nothing of these.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", where=str(path)) from error
    if is_fits(start):
        with path.open("rb") as stream:
            return _of_fits(list(walk(stream, str(path))), path)
    if start.startswith(_HDF5):
        return _of_hdf5(path)
    if path.suffix.lower() in _TABLES:
        return _of_table(path)
    return _of_text(path)


def _of_fits(hdus: list[HduBlocks], path: Path) -> str:
    primary = hdus[0]
    names = {hdu.name for hdu in hdus}
    if primary.get("HDRNAME") and "SIPWCS" in names and "SCI" not in names:
        return HEADERLET
    if any(_DRIZZLED.fullmatch(card.keyword) for hdu in hdus for card in hdu.cards):
        return IMAGE
    chips = [hdu for hdu in hdus if hdu.name == "SCI"]
    if primary.get("TELESCOP") == "HST" and primary.get("ROOTNAME") and chips:
        return EXPOSURE
    if any(_is_image(hdu) for hdu in hdus):
        return IMAGE
    if any(hdu.get("XTENSION") in ("BINTABLE", "TABLE") for hdu in hdus):
        return CATALOGUE
    raise InputError("there is neither an image nor a table in it", where=str(path))


def _is_image(hdu: HduBlocks) -> bool:
    kind = hdu.get("XTENSION", "IMAGE")
    axes = hdu.get("NAXIS")
    return kind == "IMAGE" and isinstance(axes, int) and axes >= 2 and hdu.data_size > 0


def _of_hdf5(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path, "r") as found:
            names = list(found)
    except OSError as error:
        raise InputError(f"it is a damaged HDF5 file: {error}", where=str(path)) from error
    if not names:
        raise InputError("there is nothing in this HDF5 file", where=str(path))
    return CATALOGUE


def _of_table(path: Path) -> str:
    from astropy.table import Table

    try:
        found = Table.read(path, format=_TABLES[path.suffix.lower()])
    except (ValueError, OSError, KeyError, TypeError) as error:
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise InputError(f"this table cannot be read: {first}", where=str(path)) from error
    if not len(found.columns):
        raise InputError("this table has no column", where=str(path))
    return CATALOGUE


def _of_text(path: Path) -> str:
    """Tell a light curve of hst123, and rows of numbers of one length, from any other text."""
    widths = set()
    rows = 0
    try:
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                words = line.split()
                if path.suffix == ".phot" and line.startswith(("# MJD", "# Julian Date")):
                    return LIGHT_CURVE
                if not words or line.startswith("#"):
                    continue
                [float(word) for word in words] if path.suffix != ".phot" else None
                widths.add(len(words))
                rows += 1
                if rows >= _ROWS:
                    break
    except (UnicodeDecodeError, ValueError) as error:
        raise _unknown(path) from error
    if rows == 0 or len(widths) != 1 or path.suffix == ".phot":
        raise _unknown(path)
    return CATALOGUE


def _unknown(path: Path) -> InputError:
    return InputError(
        "it is no exposure, image, headerlet, catalogue or light curve that can be read",
        where=str(path),
    )
