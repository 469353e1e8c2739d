"""Sky maps of images for DOLPHOT, ``<name>.sky.fits``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hst123r.errors import InputError
from hst123r.instruments.dolphot_facts import CalcSky
from hst123r.products import headers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def find_sky(
    data: NDArray[np.float32], limits: tuple[float, float], settings: CalcSky
) -> NDArray[np.float32]:
    """Return the sky of every pixel of an image as ``calcsky`` finds it.

    Parameters
    ----------
    data : (ny, nx) ndarray of float32
        The image.
    limits : (float, float)
        Pixels between these are used, the limits themselves not.
    settings : CalcSky
        A negative step is for boxes of that side, as for ``calcsky``.

    Returns
    -------
    (ny, nx) ndarray of float32
        The sky, in the unit of the image.

    Raises
    ------
    InputError
        If the settings cannot be worked with.
    """
    from hst123r.photometry.annulus_sky import Clipping, annulus_sky
    from hst123r.photometry.box_sky import box_sky

    usable = (data > limits[0]) & (data < limits[1])
    if settings.step < 0:
        return box_sky(data, usable, -settings.step, settings.above, settings.below)
    clipping = Clipping(
        settings.r_in, settings.r_out, settings.step, settings.above, settings.below
    )
    return annulus_sky(data, usable, clipping)


def write_sky(image: Path, settings: CalcSky) -> Path:
    """Write the sky map of an image beside it.

    Parameters
    ----------
    image : Path
        An image for DOLPHOT, with BADPIX and SATURATE in its header.
    settings : CalcSky
        Annulus and clipping.

    Returns
    -------
    Path
        The map, ``<name>.sky.fits``; one that was there is replaced, whatever its age.

    Raises
    ------
    InputError
        If the image is not ready for DOLPHOT.
    """
    import numpy as np
    from astropy.io import fits

    with fits.open(image, memmap=True) as hdus:
        header, data = hdus[0].header.copy(), hdus[0].data
        if data is None or data.ndim != 2:
            raise InputError("there is no image in it", where=str(image))
        limits = [headers.real(header, key, str(image)) for key in ("BADPIX", "SATURATE")]
        sky = find_sky(np.array(data, np.float32), (limits[0], limits[1]), settings)
    path = image.with_name(f"{image.name.removesuffix('.fits')}.sky.fits")
    fits.PrimaryHDU(sky, header).writeto(path, overwrite=True)
    return path
