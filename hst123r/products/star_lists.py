"""The stars of an exposure: measured chip by chip, written, and read again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from hst123r.errors import InputError
from hst123r.products.frames import read_frames
from hst123r.products.tables import Column
from hst123r.records.exposure import Chip, Exposure

if TYPE_CHECKING:
    from hst123r.sources.stars import ChipStars

FEW: Final = 100
"""With fewer stars than this in an exposure, galaxies are taken too where that is left open."""
Wanted = Literal["stars", "all", "auto"]
EXTENSION: Final = "STARS"
COLUMNS: Final = (
    Column("x", "Column on the chip, zero-based", "pix", "float"),
    Column("y", "Row on the chip, zero-based", "pix", "float"),
    Column("ra", "Right ascension by the WCS that the exposure had", "deg", "float"),
    Column("dec", "Declination, likewise", "deg", "float"),
    Column("rate", "Light in an infinite aperture, electrons per second", "electron / s", "float"),
    Column("rate_err", "Its standard error", "electron / s", "float"),
    Column("pos_err_pix", "Standard error of the position along each axis", "pix", "float"),
    Column("pos_err", "Likewise on the sky", "arcsec", "float"),
)
_FIELDS: Final = (
    "x", "y", "ra_deg", "dec_deg", "rate", "rate_error", "error_pix", "error_arcsec",
)  # fmt: skip
_CORNERS: Final = 4


def measure_stars(
    files: Mapping[str, str],
    exposure: Exposure,
    *,
    threshold_sigma: float,
    min_snr: float,
    brightest: int,
    fit_radius_pix: float,
    sources: Wanted = "stars",
    cosmic_rays: str | None = None,
) -> dict[int, ChipStars]:
    """Read an exposure and find the stars of its chips.

    Parameters
    ----------
    files : mapping of str to str
        Path by role.
    exposure : Exposure
        Its record.
    threshold_sigma, min_snr, brightest, fit_radius_pix
        As for `sources.stars.find_chip_stars`.
    sources : str
        ``stars``; ``all``, compact galaxies too; ``auto``, these where stars are few.
    cosmic_rays : str, optional
        Path of a mask of cosmic rays.

    Returns
    -------
    dict of int to ChipStars
        By EXTVER.
    """
    from hst123r.sources.stars import find_chip_stars

    def find(*, extended: bool) -> dict[int, ChipStars]:
        frames = read_frames(files, exposure, cosmic_rays=cosmic_rays)
        return {
            chip.extver: find_chip_stars(
                frame,
                threshold_sigma=threshold_sigma,
                min_snr=min_snr,
                brightest=brightest,
                fit_radius_pix=fit_radius_pix,
                extended=extended,
            )
            for chip, frame in zip(exposure.chips, frames, strict=True)
        }

    found = find(extended=sources == "all")
    if sources == "auto" and sum(len(chip) for chip in found.values()) < FEW:
        return find(extended=True)
    return found


def write_stars(found: Mapping[int, ChipStars], path: Path, label: str) -> None:
    """Write the stars of an exposure, one FITS table for each chip.

    Parameters
    ----------
    found : mapping of int to ChipStars
        By EXTVER.
    path : Path
        New file.
    label : str
        Root name of the exposure.
    """
    import numpy as np
    from astropy.io import fits

    primary = fits.PrimaryHDU()
    primary.header["ROOTNAME"] = (label, "exposure that was measured")
    hdus: list[Any] = [primary]
    for version, chip in sorted(found.items()):
        table = fits.BinTableHDU.from_columns(
            [
                fits.Column(column.name, "D", column.unit, array=getattr(chip, field))
                for column, field in zip(COLUMNS, _FIELDS, strict=True)
            ]
        )
        table.name, table.ver = EXTENSION, version
        for number, column in enumerate(COLUMNS, 1):
            table.header[f"TCOMM{number}"] = column.description
        for number, (ra, dec) in enumerate(np.asarray(chip.corners), 1):
            table.header[f"RA_{number}"] = (ra, "[deg] corner of the chip")
            table.header[f"DEC_{number}"] = (dec, "[deg]")
        hdus.append(table)
    fits.HDUList(hdus).writeto(path)


def read_stars(path: str | Path) -> dict[int, ChipStars]:
    """Return the stars that :func:`write_stars` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of int to ChipStars
        By EXTVER, the brightest of each chip first.
    """
    import numpy as np
    from astropy.io import fits

    from hst123r.sources.stars import ChipStars

    found = {}
    with fits.open(path) as hdus:
        for hdu in hdus[1:]:
            arrays = {
                field: np.array(hdu.data[column.name], np.float64)
                for column, field in zip(COLUMNS, _FIELDS, strict=True)
            }
            corners = [
                [hdu.header[f"RA_{n}"], hdu.header[f"DEC_{n}"]] for n in range(1, _CORNERS + 1)
            ]
            found[int(hdu.ver)] = ChipStars(**arrays, corners=np.array(corners))
    return found


def select_stars(
    found: Mapping[int, ChipStars],
    exposure: Exposure,
    *,
    brightest: int | None = None,
    magnitudes: tuple[float | None, float | None] = (None, None),
) -> dict[int, ChipStars]:
    """Choose stars by their light.

    Parameters
    ----------
    found : mapping of int to ChipStars
        By EXTVER, the brightest first.
    exposure : Exposure
        Its record.
    brightest : int, optional
        Most stars of a chip.
    magnitudes : (float or None, float or None)
        Brightest and faintest that are wanted, AB.

    Returns
    -------
    dict of int to ChipStars
        By EXTVER.

    Raises
    ------
    InputError
        If magnitudes are asked for and a chip has no zeropoint.
    """
    chosen = {}
    for chip in exposure.chips:
        stars = found[chip.extver]
        low, high = _rates(exposure, chip, magnitudes)
        within = stars.where((stars.rate >= low) & (stars.rate <= high))
        chosen[chip.extver] = within.where(slice(brightest))
    return chosen


def _rates(
    exposure: Exposure, chip: Chip, magnitudes: tuple[float | None, float | None]
) -> tuple[float, float]:
    """Return the faintest and brightest rate in electrons per second."""
    bright, faint = magnitudes
    if bright is None and faint is None:
        return -math.inf, math.inf
    if chip.zeropoint_ab is None:
        raise InputError(
            f"{exposure.root} has no zeropoint in chip {chip.number}, so its stars cannot be "
            "chosen by magnitude",
            hint="Leave out `bright_limit` and `faint_limit`",
        )
    zeropoint = chip.zeropoint_ab + 2.5 * math.log10(chip.gain)
    low = -math.inf if faint is None else 10 ** (0.4 * (zeropoint - faint))
    high = math.inf if bright is None else 10 ** (0.4 * (zeropoint - bright))
    return low, high
