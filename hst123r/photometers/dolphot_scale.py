"""What all magnitudes of a filter by DOLPHOT share: its zeropoint of Vega, and errors of scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hst123r import instruments
from hst123r.photometers.dolphot_field import Field
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    from hst123r.products.dolphot.measurements import Converted


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


def systematic_mag(field: Field, errors: Sequence[float], rows: Sequence[int]) -> float:
    """Return the standard error that all magnitudes of a filter share.

    Parameters
    ----------
    field : Field
        The field.
    errors : sequence of float
        Standard errors of the aperture corrections of its images, magnitudes.
    rows : sequence of int
        Numbers of the exposures in the filter.

    Returns
    -------
    float
        Magnitudes: that of DOLPHOT's aperture correction, as a quadratic mean over the images
        (they come from much the same stars, so more images make it no smaller), and that of the
        light beyond the aperture in quadrature. NaN where the former is not known for an image.
    """
    from hst123r.optics.encircled import aperture_correction

    places = [n for n, place in enumerate(field.chips) if place.number in rows]
    own = math.sqrt(sum(errors[n] ** 2 for n in places) / len(places))
    beyond = 0.0
    for number in places:
        place = field.chips[number]
        detector = instruments.get(place.exposure.detector)
        found = aperture_correction(
            detector, place.exposure.band, place.chip.number,
            radius_arcsec=detector.dolphot.aperture,
        )  # fmt: skip
        beyond = max(beyond, found.error_mag)
    return math.hypot(own, beyond)


def unknown_errors(field: Field, errors: Sequence[float]) -> list[Caveat]:
    """Say which images have aperture corrections of an unknown error."""
    unknown = [
        place.name for place, error in zip(field.chips, errors, strict=True) if math.isnan(error)
    ]
    if not unknown:
        return []
    text = (
        "the error of DOLPHOT's aperture correction is not known, so mag_sys is NaN: it made none, "
        f"or wrote fewer than two stars in .apcor, for {', '.join(unknown)}"
    )
    return [Caveat("dolphot_aperture_error", text)]
