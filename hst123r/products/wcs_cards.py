"""The WCS of exposures: opened for measuring, copied to companions, compared before and after."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import StageError
from hst123r.files.content import TABLE_NAMES, facet_of_card
from hst123r.files.verify import QUALITY
from hst123r.products.exposures import open_chips
from hst123r.records.exposure import Exposure

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

    from hst123r.algorithms.transform import PlaneTransform

WCS_NAME: Final = "HST123R"
"""WCSNAME of the solutions that are fitted in our process."""
FITTED: Final = {WCS_NAME, "TWEAK", "JHAT"}
"""WCSNAME of all solutions that are fitted here, whoever fits them."""
STILL_ARCSEC: Final = 1e-8
"""A WCS that moves no pixel by more than this did not move."""


def write_wcs(science: str | Path, solution: Mapping[int, Any], name: str = WCS_NAME) -> None:
    """Write corrected WCS into a science file; what was there is kept as an alternate.

    Only CRVAL, the CD matrix, ORIENTAT and the names change: a correction of the tangent plane
    leaves the distortions as they are.

    Parameters
    ----------
    science : str or Path
        The file; its headers are changed.
    solution : mapping of int to WCS
        By EXTVER.
    name : str
        WCSNAME of the solution: who fitted it.
    """
    from astropy.io import fits

    with fits.open(science, mode="update", memmap=False) as hdus:
        chips = {hdu.ver: number for number, hdu in enumerate(hdus) if hdu.name == "SCI"}
        for version, wcs in solution.items():
            header = hdus[chips[version]].header
            if header.get("WCSNAME") != name:
                _keep(hdus, chips[version])
            _write_cards(header, wcs, name)


def take_over(files: Mapping[str, str], exposure: Exposure, solved: Path, name: str) -> None:
    """Give an exposure the WCS that another program wrote into a copy of it.

    Parameters
    ----------
    files : mapping of str to str
        Working copies by role; their headers are changed.
    exposure : Exposure
        Its record.
    solved : Path
        The copy.
    name : str
        WCSNAME of the solution.

    Raises
    ------
    StageError
        If more than a straight-line correction was made of it, which is not taken over.
    """
    write_wcs(files["science"], open_chips(solved, exposure), name)
    if movement(solved, files["science"], exposure) is not None:
        raise StageError(
            f"{name} has changed more of the WCS of {exposure.root} than CRVAL and the CD matrix",
            hint="Take `method: tweakwcs` for it",
        )
    if "dq" in files:
        copy_wcs(files["science"], files["dq"])


def _keep(hdus: HDUList, number: int) -> None:
    """Copy the WCS of an extension to an alternate that is free."""
    from astropy.utils.exceptions import AstropyWarning
    from stwcs.wcsutil import altwcs

    with warnings.catch_warnings():
        # alternates have no distortion of their own, and astropy says so
        warnings.simplefilter("ignore", AstropyWarning)
        altwcs.archive_wcs(
            hdus, [number], wcsname=hdus[number].header.get("WCSNAME"),
            mode=altwcs.ArchiveMode.AUTO_RENAME,
        )  # fmt: skip


def _write_cards(header: Header, wcs: Any, name: str) -> None:
    (ra, dec), matrix = wcs.wcs.crval, wcs.wcs.cd
    values = {
        "CRVAL1": ra % 360.0, "CRVAL2": dec,
        "CD1_1": matrix[0, 0], "CD1_2": matrix[0, 1],
        "CD2_1": matrix[1, 0], "CD2_2": matrix[1, 1],
        "ORIENTAT": math.degrees(math.atan2(matrix[0, 1], matrix[1, 1])),
    }  # fmt: skip
    for keyword, value in values.items():
        header[keyword] = float(value)
    header["WCSNAME"] = (name, f"fitted by {'hst123r' if name == WCS_NAME else name}")
    header["WCSTYPE"] = ("user-defined", "description of the WCS solution")
    # the headerlet of the archive is not what is in use any more
    header.remove("HDRNAME", ignore_missing=True)


def copy_wcs(source: str | Path, companion: str | Path) -> None:
    """Give the companion of a science file the same WCS, chip by chip.

    Parameters
    ----------
    source : str or Path
        The science file.
    companion : str or Path
        The file of its data quality; its headers are changed.
    """
    from astropy.io import fits

    with fits.open(source) as given, fits.open(companion, mode="update") as taken:
        chips = {hdu.ver: hdu for hdu in given if hdu.name == "SCI"}
        for hdu in taken[1:]:
            if hdu.name not in QUALITY or hdu.ver not in chips:
                continue
            for card in chips[hdu.ver].header.cards:
                if facet_of_card(card.keyword) in {"wcs", "alternates"}:
                    hdu.header[card.keyword] = (card.value, card.comment)


def renew_wcs(source: str | Path, companion: str | Path) -> None:
    """Make the WCS of a companion that of its science file, lookup tables too, and no more.

    Parameters
    ----------
    source : str or Path
        The science file.
    companion : str or Path
        The file of its data quality; cards and tables of its former WCS are removed.
    """
    from astropy.io import fits

    with fits.open(source) as given, fits.open(companion, mode="update") as taken:
        chips = {hdu.ver for hdu in given if hdu.name == "SCI"}
        for hdu in list(taken):
            if hdu.name in TABLE_NAMES:
                taken.remove(hdu)
        for hdu in taken[1:]:
            if hdu.name in QUALITY and hdu.ver in chips:
                for keyword in list(hdu.header):
                    if facet_of_card(keyword) in {"wcs", "alternates"}:
                        hdu.header.remove(keyword, ignore_missing=True, remove_all=True)
        for hdu in given:
            if hdu.name in TABLE_NAMES:
                taken.append(hdu.copy())
        if "NEXTEND" in taken[0].header:
            taken[0].header["NEXTEND"] = len(taken) - 1
    copy_wcs(source, companion)


def round_trip(path: str | Path, exposure: Exposure, points: int = 9) -> float:
    """Return how far from a pixel one ends that goes to the sky and back.

    Parameters
    ----------
    path : str or Path
        The science file.
    exposure : Exposure
        Its record.
    points : int
        Number of places along each side of a chip, edges included.

    Returns
    -------
    float
        The largest distance in pixels.
    """
    import numpy as np

    worst = [0.0]
    for chip in exposure.chips:
        wcs = open_chips(path, exposure)[chip.extver]
        rows, columns = chip.shape
        x, y = np.meshgrid(np.linspace(0, columns - 1, points), np.linspace(0, rows - 1, points))
        pixels = np.stack([x.ravel(), y.ravel()], axis=1)
        sky = wcs.all_pix2world(pixels, 0)
        back = wcs.all_world2pix(sky, 0, tolerance=1e-5, quiet=True)
        worst.append(float(np.hypot(*(back - pixels).T).max()))
    # what is not a number stays so, and is outside of every limit
    return float(np.max(worst))


def displacement(before: str | Path, after: str | Path, exposure: Exposure) -> tuple[float, float]:
    """Return how far the middle of an exposure moved on the sky.

    Parameters
    ----------
    before, after : str or Path
        The science file with its old and new WCS.
    exposure : Exposure
        Its record.

    Returns
    -------
    (float, float)
        Towards east and north in arcsec, mean of the chips' middles.
    """
    from hst123r.algorithms.sphere import to_tangent_plane

    old, new = open_chips(before, exposure), open_chips(after, exposure)
    east, north = 0.0, 0.0
    for chip in exposure.chips:
        rows, columns = chip.shape
        middle = [[(columns - 1) / 2, (rows - 1) / 2]]
        ra0, dec0 = old[chip.extver].all_pix2world(middle, 0)[0]
        ra1, dec1 = new[chip.extver].all_pix2world(middle, 0)[0]
        xi, eta = to_tangent_plane(ra1, dec1, ra0, dec0)
        east, north = east + float(xi), north + float(eta)
    count = len(exposure.chips)
    return east / count, north / count


def starts_alike(one: str | Path, other: str | Path) -> bool:
    """Return whether two exposures' WCS are solutions of the same kind, by their names.

    A WCS that the archive fitted to a catalogue and one from the guide stars are wrong by
    different amounts, even in one visit.

    Parameters
    ----------
    one, other : str or Path
        Science files.

    Returns
    -------
    bool
        Names that only differ by the exposure's count as the same.
    """
    kinds = {_kind(path) for path in (one, other)}
    return len(kinds) == 1


def _kind(path: str | Path) -> str:
    from astropy.io import fits

    with fits.open(path) as hdus:
        name = str(next(h for h in hdus if h.name == "SCI").header.get("WCSNAME", "")).strip()
    return WCS_NAME if name in FITTED else name


def movement(
    before: str | Path, after: str | Path, exposure: Exposure
) -> tuple[PlaneTransform, tuple[float, float]] | None:
    """Return the straight-line correction between two WCS of an exposure.

    Parameters
    ----------
    before, after : str or Path
        The science file with its old and new WCS.
    exposure : Exposure
        Its record.

    Returns
    -------
    (PlaneTransform, (float, float)) or None
        In arcsec on the tangent plane, and right ascension and declination of its tangent point
        in degrees; None where nothing moved.
    """
    import numpy as np

    from hst123r.algorithms.sphere import to_tangent_plane
    from hst123r.algorithms.transform import fit

    old, new = open_chips(before, exposure), open_chips(after, exposure)
    places = []
    for chip in exposure.chips:
        rows, columns = chip.shape
        x, y = np.meshgrid(np.linspace(0, columns - 1, 5), np.linspace(0, rows - 1, 5))
        pixels = np.stack([x.ravel(), y.ravel()], axis=1)
        places.append([wcs[chip.extver].all_pix2world(pixels, 0) for wcs in (old, new)])
    first, second = (np.concatenate([pair[n] for pair in places]) for n in (0, 1))
    # the middle of the first chip; right ascensions must not be averaged across zero
    centre = float(first[12, 0]), float(first[12, 1])
    one, two = (
        np.stack(to_tangent_plane(sky[:, 0], sky[:, 1], *centre), axis=1) for sky in (first, second)
    )
    if np.abs(two - one).max() < STILL_ARCSEC:
        return None
    return fit(one, two, np.ones(len(one)), "general").transform, centre
