"""Where on their chips exposures were searched for cosmic rays: on the stack they were found with.

Cosmic rays depart from a model that is combined on the stack. Beyond its border the model is zero,
and there AstroDrizzle and the engine `drizzle` both flag whatever is brighter than the sky.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hst123r.products.quality import data_quality, read_searched
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    import numpy as np
    from astropy.wcs import WCS
    from numpy.typing import NDArray

    from hst123r.products.on_stack import Place
    from hst123r.records.outcome import Product

MOST_MISSED: Final = 0.02
"""Share of the good pixels on a stack that masks may not have searched.

Stacks of one size lie a fraction of a pixel apart where exposures were aligned in between: of a
side of 300 pixels that leaves less than 0.01. Twice that is ours to choose."""
_TOLERANCE_PIX: Final = 0.01
"""Error of positions, pixels of the stack; only where its border lies depends on it."""
_ROWS: Final = 256
"""Rows of which positions are held at once; a multiple of all steps of a pixel map."""


def pixels_on(path: str, exposure: Exposure, place: Place) -> dict[int, NDArray[np.bool_]]:
    """Return which pixels of an exposure lie on a stack.

    Parameters
    ----------
    path : str
        The science file.
    exposure : Exposure
        Its record.
    place : Place
        The pixels of the stack.

    Returns
    -------
    dict of int to (ny, nx) ndarray of bool
        By EXTVER; True where the middle of a pixel lies between those of the first and the last
        row and column, where the model can be interpolated.
    """
    import numpy as np

    from hst123r.algorithms.pixel_map import pixel_map
    from hst123r.products.exposures import open_chips
    from hst123r.products.on_stack import outlines_of, whole

    wcs, stack = open_chips(path, exposure), _wcs(place)
    rows, columns = place.extent.shape
    found = {}
    for chip, outline in zip(exposure.chips, outlines_of(path, exposure), strict=True):
        shape = (chip.shape[0], chip.shape[1])
        if whole(outline, place):
            # so it is on a stack whose size is that of its exposures
            found[chip.extver] = np.ones(shape, bool)
            continue
        positions = pixel_map(wcs[chip.extver], stack, shape, _TOLERANCE_PIX)
        on = np.zeros(shape, bool)
        for first in range(0, shape[0], _ROWS):
            some = slice(first, min(first + _ROWS, shape[0]))
            x, y = np.moveaxis(positions.part(some, slice(0, shape[1])).full(), -1, 0)
            on[some] = (x >= 0) & (x <= columns - 1) & (y >= 0) & (y <= rows - 1)
        found[chip.extver] = on
    return found


def reaching_beyond(
    exposures: list[Product], masks: list[Product], place: Place, good_bits: int
) -> list[Caveat]:
    """Name the exposures of which a stack holds more than was searched for cosmic rays.

    Parameters
    ----------
    exposures : list of Product
        Of the stack.
    masks : list of Product
        Their masks, by the same names.
    place : Place
        The pixels of the stack.
    good_bits : int
        Sum of the bits of the data quality that are accepted.

    Returns
    -------
    list of Caveat
        None where the masks can be taken over.
    """
    files = {mask.name: mask.files["mask"] for mask in masks}
    found = []
    for product in exposures:
        searched = read_searched(files[product.name]) if product.name in files else {}
        if searched and _missed(product, searched, place, good_bits) > MOST_MISSED:
            text = (
                f"the mask of {product.name} was found on a smaller stack, so no mask is taken "
                "over and cosmic rays are looked for anew; give both stages one size"
            )
            found.append(Caveat("mask_too_small", text, product.name))
    return found


def _missed(
    product: Product, searched: Mapping[int, NDArray[np.bool_]], place: Place, good_bits: int
) -> float:
    """Return which share of the good pixels on a stack was not searched."""
    exposure = Exposure.own(product.facts)
    on = pixels_on(product.files["science"], exposure, place)
    number = missed = 0
    for version, quality in data_quality(product.files, exposure).items():
        good = on[version] & ((quality & ~good_bits) == 0)
        number += int(good.sum())
        missed += int((good & ~searched[version]).sum())
    return missed / number if number else 0.0


def _wcs(place: Place) -> WCS:
    """Return the tangent plane of a stack."""
    from astropy.wcs import WCS

    angle = math.radians(place.rotation_deg)
    sine, cosine = math.sin(angle), math.cos(angle)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(place.centre)
    wcs.wcs.crpix = list(place.extent.crpix)
    scale = place.scale_arcsec / 3600
    wcs.wcs.cd = [[-cosine * scale, sine * scale], [sine * scale, cosine * scale]]
    wcs.wcs.set()
    return wcs
