"""Headerlets and alternates put into use, by stwcs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.errors import StageError

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

OF_THE_FIT: Final = (
    "RMS_RA", "RMS_DEC", "NMATCH", "NMATCHES", "FITGEOM", "FITNAME", "CATALOG", "WCSTYPE",
)  # fmt: skip
"""Cards about the fit of the solution in use; stwcs leaves those of the one before."""


def apply_headerlet(path: str | Path, index: int) -> None:
    """Put the solution of a headerlet of the file itself into use.

    Parameters
    ----------
    path : str or Path
        A working copy of the science file.
    index : int
        Index of the headerlet's HDU.

    Raises
    ------
    StageError
        If stwcs cannot apply it.
    """
    from astropy.io import fits
    from stwcs.wcsutil.headerlet import Headerlet

    with fits.open(path, mode="update") as hdus, warnings.catch_warnings():
        # stwcs writes cards that astropy shortens, and tells
        warnings.simplefilter("ignore")
        try:
            # the solution before it stays in the file the copy was made from
            packed = Headerlet(hdus[index].hdulist)
            packed.init_attrs()
            packed.apply_as_primary(hdus, attach=False, archive=False, force=True)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise StageError(f"stwcs cannot apply the headerlet: {error}") from error
        forget_fit(hdus)
        hdus[0].header["NEXTEND"] = len(hdus) - 1


def apply_alternate(path: str | Path, key: str) -> None:
    """Put an alternate solution into use; it shares the distortion of the one before.

    Parameters
    ----------
    path : str or Path
        A working copy of the science file.
    key : str
        Its letter.

    Raises
    ------
    StageError
        If stwcs cannot restore it.
    """
    from astropy.io import fits
    from stwcs.wcsutil import altwcs

    with fits.open(path, mode="update") as hdus, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chips = [index for index, hdu in enumerate(hdus) if hdu.name == "SCI"]
        try:
            altwcs.restoreWCS(hdus, ext=chips, wcskey=key)
        except (ValueError, KeyError) as error:
            raise StageError(f"stwcs cannot restore alternate {key}: {error}") from error
        forget_fit(hdus)


def forget_fit(hdus: HDUList) -> None:
    """Remove what headers still say about the fit of a solution that is not in use any more.

    Parameters
    ----------
    hdus : HDUList
        An exposure, open for changes.
    """
    for hdu in hdus:
        if hdu.name == "SCI":
            for keyword in OF_THE_FIT:
                hdu.header.pop(keyword, None)
