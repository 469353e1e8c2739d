"""A reference of the user's, a drizzled image or a star catalogue, as a catalogue; read only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError

if TYPE_CHECKING:
    from hst123r.algorithms.merge import Catalogue

SCALES_ARCSEC: Final = (0.005, 1.0)
"""Pixel scales that an image can be aligned to."""
ANY_YEAR: Final = 2000.0
"""Stars of which nobody knows when they were measured are at all times in the same place."""
FLOOR_PIX: Final = 0.05
"""What centroids on an image are wrong by however bright a star is; on simulated stacks they agree
with those of PSF fits to 0.03 pixel (`tests/stages/test_reference.py`)."""


def read_user_reference(
    path: str | Path,
    *,
    year: float | None = None,
    fwhm_arcsec: float,
    threshold_sigma: float,
    brightest: int,
    error_mas: float | None = None,
    epoch: float | None = None,
) -> Catalogue:
    """Read the stars of a file.

    Parameters
    ----------
    path : str or Path
        A FITS image with a celestial WCS, in the extension SCI as MAST delivers or in the primary;
        or a table as :func:`~hst123r.products.star_catalogue.read_star_catalogue` takes.
    year : float, optional
        Julian year at which the positions are wanted; that at which they were measured when it
        is not given.
    fwhm_arcsec, threshold_sigma : float
        Width of a star in an image, and the height of a detection over the noise.
    brightest : int
        Most stars of an image.
    error_mas : float, optional
        Standard error of the positions of a table along each axis, where it has none.
    epoch : float, optional
        Julian year of the positions, where a table has none, or of an image.

    Returns
    -------
    Catalogue
        The brightest first; fluxes are NaN where it is a table. With its motions where an epoch
        is known.

    Raises
    ------
    InputError
        If the file is neither, or its WCS cannot be used.
    """
    from astropy.io import fits

    from hst123r.products.exposures import open_wcs

    path = Path(path)
    if path.suffix.lower() in {".csv", ".ecsv"}:
        return _of_table(path, year, error_mas, epoch)
    try:
        with fits.open(path, mode="readonly") as hdus:
            image = _image_of(hdus, path.name)
            if image is None:
                return _of_table(path, year, error_mas, epoch)
            wcs = open_wcs(image.header, hdus, path.name)
            weight = hdus["WHT"].data if "WHT" in hdus else None
            found = _of_image(
                image.data, weight, wcs, path.name, fwhm_arcsec, threshold_sigma, brightest
            )
            return found if epoch is None else _dated(found, epoch if year is None else year, epoch)
    except OSError as error:
        raise InputError(f"the reference cannot be read: {error}", where=str(path)) from error


def stars_on(
    catalogue: Catalogue, footprints: Mapping[str, Sequence[Sequence[Sequence[float]]]]
) -> dict[str, int]:
    """Count the stars of a catalogue on some exposures.

    Parameters
    ----------
    catalogue : Catalogue
        The stars.
    footprints : mapping of str to list
        For every exposure the corners of its chips on the sky, degrees.

    Returns
    -------
    dict of str to int
        Number of stars by exposure.
    """
    import numpy as np

    from hst123r.algorithms.polygons import covers
    from hst123r.algorithms.sphere import to_tangent_plane

    found = {}
    for root, chips in footprints.items():
        if not chips:
            found[root] = 0
            continue
        ra0, dec0 = chips[0][0]
        place = np.stack(to_tangent_plane(catalogue.ra_deg, catalogue.dec_deg, ra0, dec0), axis=1)
        polygons = [
            np.stack(to_tangent_plane([c[0] for c in chip], [c[1] for c in chip], ra0, dec0), 1)
            for chip in chips
        ]
        found[root] = int(covers(polygons, place).sum())
    return found


def _image_of(hdus: Any, name: str) -> Any:
    """Return the HDU of the image, None where there is none."""
    science = [hdu for hdu in hdus if hdu.name == "SCI"]
    if len(science) > 1:
        raise InputError(
            f"it has {len(science)} images SCI, as exposures that are not drizzled have",
            where=name,
            hint="Take a drizzled image, which has one, or a catalogue",
        )
    images = [hdu for hdu in science or [hdus[0]] if hdu.is_image and hdu.data is not None]
    return next((hdu for hdu in images if hdu.data.ndim == 2), None)


def _of_table(
    path: Path, year: float | None, error_mas: float | None, epoch: float | None
) -> Catalogue:
    from hst123r.products.star_catalogue import read_star_catalogue

    names = ("file_error", "file_epoch")
    stars = read_star_catalogue(path, error_mas=error_mas, epoch=epoch, parameters=names)
    if year is None:
        year = stars.motions.middle_year if stars.motions is not None else ANY_YEAR
    return replace(_catalogue(*stars.at(year)), motions=stars.motions)


def _dated(catalogue: Catalogue, year: float, epoch: float) -> Catalogue:
    """Return stars of which only the time is known, with the errors they have at a year."""
    import numpy as np

    from hst123r.algorithms.proper_motion import Motions, carried

    unknown = np.full(catalogue.ra_deg.size, np.nan)
    motions = Motions(unknown, unknown, unknown, np.full(catalogue.ra_deg.size, epoch))
    error = catalogue.position_error_arcsec * 1000.0
    moved = carried(catalogue.ra_deg, catalogue.dec_deg, error, motions, epoch, year)
    return replace(catalogue, position_error_arcsec=moved.error_mas / 1000.0, motions=motions)


def _of_image(
    data: Any,
    weight: Any,
    wcs: Any,
    name: str,
    fwhm_arcsec: float,
    threshold_sigma: float,
    brightest: int,
) -> Catalogue:
    import numpy as np
    from astropy.wcs.utils import proj_plane_pixel_scales

    from hst123r.algorithms.detection import find_stars, refine_centroids
    from hst123r.algorithms.noise import MAD
    from hst123r.photometry.sky import estimate_sky
    from hst123r.sources.stacked import CENTROID_FWHM

    scale = float(np.mean(proj_plane_pixel_scales(wcs.celestial))) * 3600.0
    if not SCALES_ARCSEC[0] <= scale <= SCALES_ARCSEC[1]:
        raise InputError(
            f"its WCS has pixels of {scale:.4g} arcsec, which nothing can be aligned to",
            where=name,
            hint="Of an image of MAST take the extension SCI with its header",
        )
    image = np.asarray(data, np.float32)
    empty = ~np.isfinite(image) | (image == 0)
    if weight is not None:
        empty |= ~(np.asarray(weight) > 0)
    if empty.all():
        raise InputError("the image is empty", where=name)
    residual = image - estimate_sky(image, empty).sky
    good = residual[~empty]
    noise = MAD * float(np.median(np.abs(good - np.median(good))))
    fwhm = fwhm_arcsec / scale
    found = find_stars(residual, noise, fwhm, threshold_sigma, mask=empty, brightest=brightest)
    x, y = refine_centroids(residual, found.x, found.y, fwhm)
    ra, dec = wcs.all_pix2world(x, y, 0) if x.size else (np.zeros(0), np.zeros(0))
    error = np.hypot(CENTROID_FWHM * fwhm_arcsec / np.maximum(found.snr, 1.0), FLOOR_PIX * scale)
    return _catalogue(np.asarray(ra) % 360.0, np.asarray(dec), error, found.flux)


def _catalogue(ra: Any, dec: Any, error_arcsec: Any, flux: Any = None) -> Catalogue:
    import numpy as np

    from hst123r.algorithms.merge import Catalogue

    nothing, ones = np.full(len(ra), np.nan), np.ones(len(ra), np.int64)
    rate = nothing if flux is None else flux
    return Catalogue(ra, dec, error_arcsec, rate, nothing, ones, ones, np.zeros((1, 2)), {})
