"""Files of the STDPSF library, which users may have for some detectors and filters."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r.errors import InputError

if TYPE_CHECKING:
    from hst123r.instruments.detector import Detector
    from hst123r.optics.varying import VaryingPSF

PREFIXES: Final = ("STDPSF", "PSFSTD")
"""What names of files begin with: today's, and those of before."""
RADIUS_PIX: Final = 10.0
"""Within this radius a measured PSF gets the light that the computed one has there: the arrays of
the library end near it, and say nothing of the light beyond."""


def find_grid(folder: Path, detector: Detector, band: str) -> Path:
    """Return the file of a detector and filter.

    Parameters
    ----------
    folder : Path
        The folder with the library's files.
    detector : Detector
        The detector.
    band : str
        The filter.

    Returns
    -------
    Path
        An existing file, ``STDPSF_<detector>_<filter>.fits``; older ones are called PSFSTD.

    Raises
    ------
    InputError
        If the library does not cover the detector, or the file is not there.
    """
    library = covered(detector)
    for prefix in PREFIXES:
        path = (folder / f"{prefix}_{library}_{band}.fits").absolute()
        if path.is_file():
            return path
    raise InputError(
        f"there is no {PREFIXES[0]}_{library}_{band}.fits, the measured PSF of {detector.name} "
        f"{band}",
        where=str(folder),
        hint="Put it there, set `fetch_psf_grids: true`, or use the computed PSF",
    )


def older(folder: Path, detector: Detector, band: str) -> Path | None:
    """Return the user's file of a detector and filter that is called as before, if there is one."""
    path = (folder / f"{PREFIXES[1]}_{detector.psf_library}_{band}.fits").absolute()
    return path if path.is_file() else None


def covered(detector: Detector) -> str:
    """Return what the library calls a detector.

    Raises
    ------
    InputError
        If it does not cover it.
    """
    if detector.psf_library is None:
        raise InputError(f"the PSF library has no files of {detector.name} that are understood")
    return detector.psf_library


def read_grid(path: Path, detector: Detector, band: str) -> dict[int, VaryingPSF]:
    """Read the PSF of every chip, which is interpolated between the places of the library.

    Parameters
    ----------
    path : Path
        A file of the library.
    detector : Detector
        Its detector.
    band : str
        Its filter.

    Returns
    -------
    dict of int to VaryingPSF
        By the chip's own number, for images of the full chip.

    Raises
    ------
    InputError
        If it is no such file, or has another number of chips.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    from hst123r.optics.stdpsf import read_stdpsf
    from hst123r.optics.telescope import effective_psf
    from hst123r.optics.varying import VaryingPSF

    computed = effective_psf(detector, band, chip=detector.chips[0].number)
    try:
        with warnings.catch_warnings():
            # files of the library have other padding than the standard asks for
            warnings.simplefilter("ignore", AstropyUserWarning)
            with fits.open(path) as hdus:
                grids = read_stdpsf(
                    hdus[0].data,
                    hdus[0].header,
                    fraction=float(computed.encircled_energy(RADIUS_PIX)),
                    radius_pix=RADIUS_PIX,
                )
    except OSError as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    chips = sorted(detector.chips, key=lambda chip: chip.extver)
    if len(grids) != len(chips):
        raise InputError(
            f"it has PSFs of {len(grids)} chips, {detector.name} has {len(chips)}", where=str(path)
        )
    # the lowest chip of the library's frame is the first extension of a file
    return {chip.number: VaryingPSF.of(grid) for chip, grid in zip(chips, grids, strict=True)}
