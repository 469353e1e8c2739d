"""What a recipe says of visits that the reference does not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from hst123r.records.amount import Amount
from hst123r.records.geometry import least_matches
from hst123r.records.params import Params, PositiveAngle

if TYPE_CHECKING:
    from hst123r.sources.chain_link import ChainOptions


class ChainParams(Params):
    """How visits are added to the catalogue where the reference does not reach an exposure."""

    cover: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Visits are added where the catalogue covers less than this share of an "
        "exposure; 0 adds none, and no groups apart, 1 all that bring something new",
    )
    search_radius: PositiveAngle = Field(
        Amount(1.0, "arcsec"), description="How far stars may be from where the headers put them"
    )
    tolerance: PositiveAngle = Field(
        Amount(0.1, "arcsec"), description="How far matched stars may be apart"
    )
    geometry: Literal["shift", "rshift", "rscale"] = Field(
        "rshift", description="What is fitted: shift, with rotation, with scale"
    )
    min_matches: int | None = Field(
        None,
        ge=6,
        description="With fewer matches a visit is not added; without a number as in `align`",
    )
    max_rms: PositiveAngle = Field(
        Amount(25.0, "mas"), description="With a residual rms above this it is not added"
    )
    max_error: PositiveAngle = Field(
        Amount(10.0, "mas"), description="If its place is less certain it is not added"
    )

    def options(self) -> ChainOptions:
        """Return how visits are added."""
        from hst123r.sources.chain_link import ChainOptions

        return ChainOptions(
            search_arcsec=self.search_radius.to("arcsec"),
            tolerance_arcsec=self.tolerance.to("arcsec"),
            geometry=self.geometry,
            min_matches=least_matches(self.min_matches, self.geometry),
            max_rms_mas=self.max_rms.to("mas"),
            max_error_mas=self.max_error.to("mas"),
        )
