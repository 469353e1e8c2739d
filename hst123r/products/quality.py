"""Data quality: flags of the pixels of exposures, and masks of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError
from hst123r.records.exposure import Chip, Exposure

if TYPE_CHECKING:
    import numpy as np
    from astropy.io.fits import HDUList
    from numpy.typing import NDArray


def data_quality(files: Mapping[str, str], exposure: Exposure) -> dict[int, NDArray[np.int32]]:
    """Return the data quality of the chips of an exposure, by EXTVER.

    Parameters
    ----------
    files : mapping of str to str
        Path by role: ``science``, and ``dq`` where data quality is a file of its own.
    exposure : Exposure
        Its record.

    Returns
    -------
    dict of int to (ny, nx) ndarray of int
        Flags as in the file.
    """
    from astropy.io import fits

    with fits.open(files["science"], memmap=True) as hdus:
        return {chip.extver: chip_quality(files, hdus, chip) for chip in exposure.chips}


def chip_quality(files: Mapping[str, str], hdus: HDUList, chip: Chip) -> NDArray[np.int32]:
    """Return the data quality of a chip: in the file, or in its companion.

    Parameters
    ----------
    files : mapping of str to str
        Path by role: ``science``, and ``dq`` where data quality is a file of its own.
    hdus : HDUList
        The open science file.
    chip : Chip
        The chip.

    Returns
    -------
    (ny, nx) ndarray of int32
        Flags as in the file; archives store them in 8, 16 and 32 bits, and a plane that is the
        same everywhere as its value (``PIXVALUE``) only.
    """
    from astropy.io import fits

    if "dq" in files:
        with fits.open(files["dq"], memmap=True) as companion:
            return _flags(companion[plane_name(companion), chip.extver])
    return _flags(hdus["DQ", chip.extver])


def check_companion(files: Mapping[str, str], exposure: Exposure) -> None:
    """Demand that a file of data quality has a plane for every chip, of its shape.

    Parameters
    ----------
    files : mapping of str to str
        Path by role; without ``dq`` there is nothing to check.
    exposure : Exposure
        Its record.

    Raises
    ------
    InputError
        If a plane is missing or has another shape.
    """
    from astropy.io import fits

    if "dq" not in files:
        return
    with fits.open(files["dq"], memmap=True) as companion:
        name, where = plane_name(companion), Path(files["dq"]).name
        planes = {hdu.ver: hdu.shape for hdu in companion if hdu.name == name}
    for chip in exposure.chips:
        shape = planes.get(chip.extver)
        if shape is None:
            raise InputError(f"it has no data quality for SCI,{chip.extver}", where=where)
        if shape and list(shape) != list(chip.shape):
            raise InputError(
                f"{name},{chip.extver} has the shape {list(shape)}, the chip {chip.shape}",
                where=where,
            )


def plane_name(companion: HDUList) -> str:
    """Return the name of the extensions of a data-quality file.

    The archive calls them SCI, a converted waiver file SDQ; drizzlepac too takes the name that
    the first one has.
    """
    return str(companion[1].name)


def _flags(hdu: Any) -> NDArray[np.int32]:
    import numpy as np

    if hdu.data is None:
        header = hdu.header
        shape = (header["NPIX2"], header["NPIX1"])
        return np.full(shape, int(header.get("PIXVALUE", 0)), np.int32)
    return np.array(hdu.data, np.int32)


SEARCHED: Final = "SEARCHED"
"""EXTNAME of the pixels that were looked at, in a mask of which others were not."""


def write_mask(
    masks: Mapping[int, NDArray[np.bool_]],
    path: Path,
    keyword: str,
    searched: Mapping[int, NDArray[np.bool_]] | None = None,
) -> None:
    """Write masks of the chips of an exposure, compressed.

    Parameters
    ----------
    masks : mapping of int to (ny, nx) ndarray of bool
        By EXTVER.
    path : Path
        New file.
    keyword : str
        EXTNAME, e.g. ``CRMASK``.
    searched : mapping of int to (ny, nx) ndarray of bool, optional
        Pixels that were looked at, by EXTVER; written if they are not all.
    """
    import numpy as np
    from astropy.io import fits

    written = [(keyword, version, mask) for version, mask in sorted(masks.items())]
    if searched is not None and not all(plane.all() for plane in searched.values()):
        written += [(SEARCHED, version, plane) for version, plane in sorted(searched.items())]
    hdus: list[Any] = [fits.PrimaryHDU()]
    for name, version, mask in written:
        # RICE, because the streams of GZIP carry the time they were made
        plane = fits.CompImageHDU(mask.astype(np.uint8), compression_type="RICE_1")
        plane.name, plane.ver = name, version
        hdus.append(plane)
    fits.HDUList(hdus).writeto(path)


def read_mask(path: str | Path) -> dict[int, NDArray[np.bool_]]:
    """Return the masks that :func:`write_mask` wrote, by EXTVER."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        return {hdu.ver: hdu.data.astype(bool) for hdu in hdus[1:] if hdu.name != SEARCHED}


def read_searched(path: str | Path) -> dict[int, NDArray[np.bool_]]:
    """Return which pixels a mask was found on, by EXTVER; empty where these are all."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        return {hdu.ver: hdu.data.astype(bool) for hdu in hdus[1:] if hdu.name == SEARCHED}


def flag_pixels(
    files: Mapping[str, Path], masks: Mapping[int, NDArray[np.bool_]], bit: int
) -> None:
    """Set a bit of the data quality of an exposure where masks say so; the file is changed.

    Parameters
    ----------
    files : mapping of str to Path
        ``science``, and ``dq`` where data quality is a file of its own.
    masks : mapping of int to (ny, nx) ndarray of bool
        By EXTVER.
    bit : int
        The bit.
    """
    import numpy as np
    from astropy.io import fits

    with fits.open(files.get("dq", files["science"]), mode="update") as hdus:
        name = plane_name(hdus) if "dq" in files else "DQ"
        for version, mask in masks.items():
            hdu = hdus[name, version]
            if hdu.data is None:
                hdu.data = _flags(hdu).astype(np.int16)
                for keyword in ("NPIX1", "NPIX2", "PIXVALUE"):
                    hdu.header.remove(keyword, ignore_missing=True)
            hdu.data = np.where(mask, hdu.data | np.int16(bit), hdu.data)
