"""The WCS of an exposure as a headerlet: a small file that brings it to other copies."""

from __future__ import annotations

import warnings
from pathlib import Path

from hst123r.errors import StageError
from hst123r.products.wcs_cards import WCS_NAME


def write_headerlet(science: str | Path, path: Path, root: str, matches: int, catalog: str) -> None:
    """Write the WCS that is in use in a science file as a headerlet.

    Parameters
    ----------
    science : str or Path
        The file; it is only read.
    path : Path
        New file; ``stwcs.wcsutil.headerlet.apply_headerlet_as_primary`` takes it.
    root : str
        Root name of the exposure.
    matches : int
        Number of matched sources, for the header.
    catalog : str
        What they were matched with.

    Raises
    ------
    StageError
        If stwcs cannot make one of this file.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyWarning
    from stwcs.wcsutil import headerlet

    with warnings.catch_warnings(), fits.open(science) as hdus:
        # stwcs writes the distortion in pieces, and astropy says that each is not all
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            made = headerlet.create_headerlet(
                hdus, hdrname=f"{root}_{WCS_NAME}", destim=root, nmatch=matches, catalog=catalog,
                author="hst123r", descrip="exposure aligned to a reference catalogue",
                # by default it writes a log into the current directory
                logging=False,
            )  # fmt: skip
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise StageError(
                f"no headerlet of {root}: {type(error).__name__}: {error}",
                hint="Its SCI extensions have no complete WCS of Hubble's kind",
            ) from error
        # the distortion tables of the file are read when they are written
        fits.HDUList(list(made)).writeto(path)
