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
_UNLIKE: Final = 1.5
"""Pixels of chips differ if their sides do by this factor."""


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
        If it is no such file, or is not of the chips of the detector.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    from hst123r.optics.stdpsf import read_stdpsf
    from hst123r.optics.telescope import effective_psf
    from hst123r.optics.varying import VaryingPSF

    tiles = detector.psf_chips
    numbers = [number for row in tiles for number in row]
    computed = [effective_psf(detector, band, chip=number) for number in numbers]
    try:
        with warnings.catch_warnings():
            # files of the library have other padding than the standard asks for
            warnings.simplefilter("ignore", AstropyUserWarning)
            with fits.open(path) as hdus:
                grids = read_stdpsf(
                    hdus[0].data,
                    hdus[0].header,
                    tiles=(len(tiles[0]), len(tiles)),
                    fractions=[float(psf.encircled_energy(RADIUS_PIX)) for psf in computed],
                    radius_pix=RADIUS_PIX,
                )
    except OSError as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    except InputError as error:
        raise InputError(error.message, where=str(path), hint=error.hint) from error
    found = {number: VaryingPSF.of(grid) for number, grid in zip(numbers, grids, strict=True)}
    _check_widths(path, detector, found)
    return found


def _check_widths(path: Path, detector: Detector, found: dict[int, VaryingPSF]) -> None:
    """Refuse a frame whose chips are elsewhere: small pixels have wide PSFs.

    Public programs do not agree on where the chips of WFPC2 are in a file: the author's
    (hst1pass.F) has PC1 at the origin, photutils at the far corner.
    """
    side = {chip.number: chip.pixel_arcsec for chip in detector.chips}
    for number, psf in found.items():
        for other, wide in found.items():
            small = side[number] < side[other] / _UNLIKE
            if small and psf.central_fraction >= wide.central_fraction:
                raise InputError(
                    f"the PSF at the place of chip {number} of {detector.name} is not wider than "
                    f"that of chip {other}, whose pixels are larger: the chips are elsewhere in it",
                    where=str(path),
                    hint="Use the computed PSF, and tell us about the file",
                )
