"""The stars of an exposure, read and measured chip by chip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from hst123r.errors import InputError
from hst123r.products.frames import read_frames
from hst123r.records.exposure import Chip, Exposure

if TYPE_CHECKING:
    from hst123r.algorithms.merge import StarList
    from hst123r.sources.stars import ChipStars

FEW: Final = 100
"""With fewer stars than this in an exposure, galaxies are taken too where that is left open."""
Wanted = Literal["stars", "all", "auto"]


def read_chip_stars(
    files: Mapping[str, str],
    exposure: Exposure,
    *,
    threshold_sigma: float,
    min_snr: float,
    brightest: int,
    fit_radius_pix: float,
    sources: Wanted = "stars",
    magnitudes: tuple[float | None, float | None] = (None, None),
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
    magnitudes : (float or None, float or None)
        Brightest and faintest that are wanted, AB.
    cosmic_rays : str, optional
        Path of a mask of cosmic rays.

    Returns
    -------
    dict of int to ChipStars
        By EXTVER.

    Raises
    ------
    InputError
        If magnitudes are asked for and a chip has no zeropoint.
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
                rates=_rates(exposure, chip, magnitudes),
            )
            for chip, frame in zip(exposure.chips, frames, strict=True)
        }

    found = find(extended=sources == "all")
    if sources == "auto" and sum(chip.x.size for chip in found.values()) < FEW:
        return find(extended=True)
    return found


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


def read_star_list(files: Mapping[str, str], exposure: Exposure, **options: Any) -> StarList:
    """Read an exposure and find its stars, as one list on the sky.

    Parameters
    ----------
    files : mapping of str to str
        Path by role.
    exposure : Exposure
        Its record.
    **options
        As for :func:`read_chip_stars`.

    Returns
    -------
    StarList
        With the exposure's root name as label.
    """
    from hst123r.sources.stars import star_list

    found = read_chip_stars(files, exposure, **options)
    return star_list(found.values(), exposure.root)
