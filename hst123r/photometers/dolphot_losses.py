"""Losses of charge transfer in what DOLPHOT measured, made good as the built-in engine does.

DOLPHOT's own corrections are off: they differ from star to star and would hide its zeropoint.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hst123r import instruments
from hst123r.photometers.dolphot_field import Field
from hst123r.records.outcome import Caveat

if TYPE_CHECKING:
    from hst123r.products.dolphot.measurements import Converted
    from hst123r.sources.measured import Measurements


def without_losses(
    field: Field, converted: Converted, ra: Any, dec: Any
) -> tuple[Converted, list[Caveat]]:
    """Make losses good where a formula tells them, and say where none does.

    Parameters
    ----------
    field : Field
        The field, after its run.
    converted : Converted
        What it measured.
    ra, dec : (n,) ndarray of float64
        Where its sources are, in degrees.

    Returns
    -------
    converted : Converted
        With the losses as `cte`, 0 where there are none.
    caveats : list of Caveat
        For each detector and filter with exposures whose losses are left.
    """
    import numpy as np

    from hst123r.products.readout import read_readout
    from hst123r.sources.measured import AS_LIGHT
    from hst123r.sources.transfer_losses import losses, uncorrected

    products = field.job.inputs["exposure"]
    found = converted.found
    loss = np.zeros(found.flux.shape)
    caveats: list[Caveat] = []
    groups: dict[tuple[str, str], list[int]] = {}
    for row in sorted({place.number for place in field.chips}):
        exposure = field.exposures[row]
        groups.setdefault((exposure.detector, exposure.filter), []).append(row)
    for (name, through), rows in sorted(groups.items()):
        detector = instruments.get(name)
        readouts = [read_readout(products[row].files, field.exposures[row]) for row in rows]
        told, left = uncorrected(detector, readouts)
        asked = field.job.varied(field.params, name, through).cte == "none"
        if asked:
            told, left = [], sorted(told + left)
        if told:
            here = _placed(field, found.of(rows), [rows[number] for number in told], rows, ra, dec)
            loss[rows] = losses(here, detector, readouts, told)
        caveats += _said(field, [readouts[n].root for n in told], [readouts[n].root for n in left],
                         asked=asked)  # fmt: skip
    factor = 10.0 ** (0.4 * loss)
    grown = {quantity: getattr(found, quantity) * factor for quantity in AS_LIGHT}
    return replace(converted, found=replace(found, **grown, cte=loss)), caveats


def _placed(
    field: Field, found: Measurements, wanted: list[int], rows: list[int], ra: Any, dec: Any
) -> Measurements:
    """Return measurements with the pixels of sources, which DOLPHOT does not write."""
    import numpy as np

    from hst123r.photometry.geometry import sky_to_pixel
    from hst123r.products.exposures import open_chips

    x, y = np.full(found.flux.shape, np.nan), np.full(found.flux.shape, np.nan)
    for number, row in enumerate(rows):
        if row not in wanted:
            continue
        exposure = field.exposures[row]
        known = open_chips(field.job.inputs["exposure"][row].files["science"], exposure)
        for chip in exposure.chips:
            here = np.flatnonzero(found.extver[number] == chip.extver)
            shape = (chip.shape[0], chip.shape[1])
            x[number, here], y[number, here] = sky_to_pixel(
                known[chip.extver], shape, ra[here], dec[here]
            )
    return replace(found, x=x, y=y)


def _said(field: Field, told: list[str], left: list[str], *, asked: bool) -> list[Caveat]:
    caveats = []
    if left:
        why = "as asked for" if asked else "no formula is known for them"
        text = f"losses of charge transfer are left in {', '.join(left)}: {why}"
        caveats.append(Caveat("transfer_losses", text))
    if told and field.params.dolphot.fake is not None:
        text = f"artificial stars lost no charge, as others did in {', '.join(told)}"
        caveats.append(Caveat("artificial_stars_without_losses", text))
    return caveats
