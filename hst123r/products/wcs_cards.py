"""The WCS of exposures: opened for measuring, copied to companions, compared before and after."""

from __future__ import annotations

from pathlib import Path

from hst123r.files.content import TABLE_NAMES, facet_of_card
from hst123r.files.verify import QUALITY
from hst123r.products.exposures import open_chips
from hst123r.records.exposure import Exposure


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

    worst = 0.0
    for chip in exposure.chips:
        wcs = open_chips(path, exposure)[chip.extver]
        rows, columns = chip.shape
        x, y = np.meshgrid(np.linspace(0, columns - 1, points), np.linspace(0, rows - 1, points))
        pixels = np.stack([x.ravel(), y.ravel()], axis=1)
        sky = wcs.all_pix2world(pixels, 0)
        back = wcs.all_world2pix(sky, 0, tolerance=1e-5, quiet=True)
        worst = max(worst, float(np.hypot(*(back - pixels).T).max()))
    return worst


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
