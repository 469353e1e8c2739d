"""What all magnitudes of a filter by DOLPHOT share: its zeropoint of Vega, and errors of scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hst123r import instruments
from hst123r.photometers.dolphot_field import Field
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.products.dolphot.measurements import Converted
    from hst123r.sources.measured import Measurements

    Floats = NDArray[np.float64]


def vega_ab(field: Field, converted: Converted, rows: list[int]) -> dict[str, float]:
    """Return the AB magnitude of Vega in a filter by DOLPHOT's own zeropoints.

    Parameters
    ----------
    field : Field
        The field.
    converted : Converted
        Its measurements, in the order of the field's chips.
    rows : list of int
        Numbers of the exposures in the filter.

    Returns
    -------
    dict of str to float
        ``vega_ab``, the median of the images; empty in the generic mode, which has no zeropoints.
    """
    import statistics

    found = [
        value
        for place, value in zip(field.chips, converted.above_vega_mags, strict=True)
        if place.number in rows and math.isfinite(value)
    ]
    if not found or field.params.dolphot.psf != "library":
        return {}
    return {"vega_ab": round(statistics.median(found), 4)}


def systematic_mag(
    field: Field, errors: Sequence[float], rows: Sequence[int], found: Measurements
) -> Floats:
    """Return the standard error that all magnitudes of a source in a filter share.

    Parameters
    ----------
    field : Field
        The field.
    errors : sequence of float
        Standard errors of the aperture corrections of its images, magnitudes.
    rows : sequence of int
        Numbers of the exposures in the filter.
    found : Measurements
        Every source in every exposure of the field, with the chip it is on.

    Returns
    -------
    (n,) ndarray of float64
        Magnitudes: that of DOLPHOT's aperture correction, as a quadratic mean over the images
        that the mean of a source is made of (they come from much the same stars, so more images
        make it no smaller), and the largest of the light beyond the aperture in quadrature. NaN
        where the former is not known for one of them, or a source is in no mean; images that a
        source is not on have no part in it.
    """
    import numpy as np

    from hst123r.optics.encircled import aperture_correction

    chosen = found.chosen(np.asarray(rows, np.int64))
    number, squares, beyond = (np.zeros(chosen.shape[1]) for _ in range(3))
    for place, error in zip(field.chips, errors, strict=True):
        if place.number not in rows:
            continue
        mine = chosen[rows.index(place.number)] & (found.extver[place.number] == place.chip.extver)
        detector = instruments.get(place.exposure.detector)
        outside = aperture_correction(
            detector, place.exposure.band, place.chip.number,
            radius_arcsec=detector.dolphot.aperture,
        )  # fmt: skip
        number += mine
        squares[mine] += error**2
        beyond[mine] = np.maximum(beyond[mine], outside.error_mag)
    own = np.sqrt(np.divide(squares, number, out=np.full(number.shape, np.nan), where=number > 0))
    return np.asarray(np.hypot(own, beyond))


def unknown_errors(field: Field, errors: Sequence[float]) -> list[Caveat]:
    """Say which images have aperture corrections of an unknown error: a caveat by filter."""
    unknown: dict[tuple[str, str], list[str]] = {}
    for place, error in zip(field.chips, errors, strict=True):
        if math.isnan(error):
            band = place.exposure.detector, place.exposure.filter
            unknown.setdefault(band, []).append(place.name)
    return [
        Caveat(
            "dolphot_aperture_error",
            f"{detector} {through}: the error of DOLPHOT's aperture correction is not known (it "
            f"made none, or wrote fewer than two stars in .apcor) for {', '.join(names)}, so "
            "mag_sys is NaN for sources measured there",
        )
        for (detector, through), names in sorted(unknown.items())
    ]
