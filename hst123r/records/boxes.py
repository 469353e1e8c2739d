"""Boxes on the sky, as a recipe writes them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from hst123r.records.amount import Amount
from hst123r.records.params import Params, Position, PositiveAngle
from hst123r.records.position import parse


class MaskBox(Params):
    """A box on the sky that is left out; its sides run east and north."""

    position: Position = Field(
        description="Its middle, as the position of a target", examples=["12:45:08.14 -00:27:32.8"]
    )
    half_size: PositiveAngle = Field(
        Amount(10.0, "arcsec"),
        description="From the middle to a side; hst123 takes 200 pixels",
    )


def in_degrees(boxes: Sequence[MaskBox]) -> list[tuple[float, float, float]]:
    """Return boxes as numbers.

    Parameters
    ----------
    boxes : sequence of MaskBox
        As written.

    Returns
    -------
    list of (float, float, float)
        Right ascension and declination of the middle in degrees, and half a side in arcsec.
    """
    middles = [parse(box.position) for box in boxes]
    return [
        (middle.ra_deg, middle.dec_deg, box.half_size.to("arcsec"))
        for middle, box in zip(middles, boxes, strict=True)
    ]
