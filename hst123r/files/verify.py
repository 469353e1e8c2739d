"""Whether a FITS file is whole, and is the exposure its name says."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hst123r.errors import InputError
from hst123r.files.fits_blocks import HduBlocks, walk

SCIENCE: Final = ("SCI",)
"""EXTNAME of the extensions an exposure must have."""
QUALITY: Final = ("SCI", "SDQ", "DQ")
"""Those of a file of data quality: the archive's, and what conversions of waiver files give."""


def verify_exposure(path: Path, root: str, names: Sequence[str] = SCIENCE) -> str:
    """Verify an archive file of an exposure.

    Parameters
    ----------
    path : Path
        The file.
    root : str
        The root name it must have.
    names : sequence of str
        EXTNAMEs, of which it must have one with data.

    Returns
    -------
    str
        ``verified`` when the file carries checksums and they agree, ``absent`` when it has none.

    Raises
    ------
    InputError
        If it is not FITS, is truncated, lacks extensions, is another exposure, or its
        checksums disagree.
    """
    with path.open("rb") as stream:
        hdus = list(walk(stream, path.name))
    return verify_hdus(path, hdus, root, names)


def verify_hdus(path: Path, hdus: list[HduBlocks], root: str, names: Sequence[str]) -> str:
    """Verify an archive file of an exposure whose structure was read already.

    Parameters
    ----------
    path : Path
        The file.
    hdus : list of HduBlocks
        All there are in it.
    root, names
        As for `verify_exposure`.

    Returns
    -------
    str
        As by `verify_exposure`.

    Raises
    ------
    InputError
        If it lacks extensions, is another exposure, or its checksums disagree.
    """
    where = path.name
    primary = hdus[0]
    announced = primary.get("NEXTEND")
    if isinstance(announced, int) and len(hdus) - 1 < announced:
        raise InputError(
            f"the header announces {announced} extensions, there are {len(hdus) - 1}; "
            "it is truncated",
            where=where,
        )
    if not any(hdu.name in names and hdu.data_size for hdu in hdus):
        wanted = " or ".join(names)
        raise InputError(f"there is no {wanted} extension with data in it", where=where)
    found = str(primary.get("ROOTNAME") or "").strip().lower()
    if found != root:
        what = f"its ROOTNAME is {found!r}" if found else "it has no ROOTNAME"
        raise InputError(f"{what}, its name says {root!r}", where=where)
    return _verify_checksums(path, hdus)


def _verify_checksums(path: Path, hdus: list[HduBlocks]) -> str:
    carrying = [h for h in hdus if h.get("DATASUM") is not None or h.get("CHECKSUM") is not None]
    if not carrying:
        return "absent"
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AstropyUserWarning)
        with fits.open(path, checksum=True, memmap=True, lazy_load_hdus=False) as opened:
            for hdu in opened:
                hdu.verify_datasum()
    wrong = [str(item.message) for item in caught if "verification failed" in str(item.message)]
    if wrong:
        raise InputError(" ".join(wrong[0].split()), where=path.name, hint="Fetch the file again")
    return "verified"
