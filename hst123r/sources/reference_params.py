"""The parameters of the stage `reference`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import Field

from hst123r.records.amount import Amount
from hst123r.records.boxes import MaskBox
from hst123r.records.params import (
    DetectorName,
    FilterName,
    Misfit,
    Params,
    PositiveAngle,
)
from hst123r.sources.absolute_params import AbsoluteParams
from hst123r.sources.chain_params import ChainParams

NO_EFFECT: Final = "has no effect with `file`, which is the reference"


class ReferenceParams(Params):
    """Parameters of the stage `reference`."""

    file: str | None = Field(
        None,
        description="Your own reference, a drizzled image with a WCS or a star catalogue, relative "
        "to the recipe; read, never written",
    )
    file_fwhm: PositiveAngle = Field(
        Amount(0.1, "arcsec"), description="Width of a star, if `file` is an image"
    )
    file_threshold: float = Field(
        5.0, ge=2, le=100, description="Detection threshold, sigma, if `file` is an image"
    )
    file_brightest: int = Field(
        2000, ge=10, le=20000, description="Most stars, by flux, if `file` is an image"
    )
    file_error: PositiveAngle | None = Field(
        None, description="Error of its positions along each axis, if a catalogue has none"
    )
    file_epoch: float | None = Field(
        None, ge=1900, le=2100, description="Julian year of its positions, if it has none"
    )
    filter: FilterName | None = Field(None, description="Only this filter; else the best score")
    detector: DetectorName | None = Field(None, description="Only this detector")
    avoid: list[DetectorName] = Field(
        default_factory=list, description="Detectors to take only where there is no other"
    )
    match_radius: PositiveAngle = Field(
        Amount(0.1, "arcsec"), description="Stars of two exposures closer than this are one"
    )
    mask: list[MaskBox] = Field(
        default_factory=list, description="Boxes on the sky whose stars are left out"
    )
    min_stars: int = Field(10, ge=3, description="Fewer catalogue stars than this are bad")
    chain: ChainParams = Field(
        default_factory=ChainParams,
        description="Visits that are added to the catalogue where it does not reach an exposure",
    )
    absolute: AbsoluteParams | None = Field(
        None, description="Catalogue that the frame is moved to, once; else the headers' stays"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what has no effect with a file of the user's, or without."""
        del targets
        if self.file is not None:
            for name in ("filter", "detector", "avoid", "chain", "absolute"):
                field = type(self).model_fields[name]
                if getattr(self, name) != field.get_default(call_default_factory=True):
                    yield (name,), f"`{name}` {NO_EFFECT}"
            return
        for name in ("file_error", "file_epoch"):
            if getattr(self, name) is not None:
                yield (name,), f"`{name}` is about `file`, and there is none"
