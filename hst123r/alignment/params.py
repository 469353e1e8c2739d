"""The parameters of the alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from hst123r.records.amount import Amount
from hst123r.records.boxes import MaskBox
from hst123r.records.geometry import PARAMETERS, Geometry, least_matches
from hst123r.records.params import (
    Magnitudes,
    Misfit,
    Params,
    Pixels,
    PositiveAngle,
    PositivePixels,
)

COSMIC_RAYS: Final = "cosmic rays"
"""Kind of the masks of the stage `stars`."""


class Retry(Params):
    """A fit that is tried where one with more parameters has too few matches."""

    geometry: Geometry = Field(description="What is fitted")
    min_matches: int | None = Field(
        None,
        ge=4,
        description="Fewer matched stars than this are no fit, at least two a parameter; without "
        "a number as for the first fit",
    )

    @property
    def least(self) -> int:
        """How many matched stars the fit takes."""
        return least_matches(self.min_matches, self.geometry)

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say when so few stars cannot tell a fit from chance."""
        del targets
        least = 2 * PARAMETERS[self.geometry]
        if self.least < least:
            what = f"a fit of {self.geometry} needs at least {least}"
            yield ("min_matches",), f"{self.least} matches are too few, {what}"


class AlignParams(Params):
    """Parameters of the stage `align`."""

    # JHAT in a `for:` block has its own, and the other detectors these
    idle = frozenset({"geometry", "retry"})

    method: Literal["tweakreg", "tweakwcs", "jhat", "none"] = Field(
        "tweakwcs",
        description="Who matches and fits: hst123r with the corrections of tweakwcs, TweakReg, or "
        "JHAT, which is installed apart",
    )
    geometry: Geometry = Field(
        "rscale",
        description="What is fitted: shift, with rotation, with scale, or all linear terms; JHAT "
        "fits rshift on a detector of one chip, general on several",
    )
    search_radius: Pixels = Field(
        Amount(20.0, "pix"),
        description="How far a star may be from where the header puts it; whole pixels",
    )
    tolerance: Pixels = Field(
        Amount(1.0, "pix"), description="How far matched stars may be apart, at least 1 pix"
    )
    separation: Pixels = Field(
        Amount(0.5, "pix"), description="TweakReg: stars closer together are not matched"
    )
    brightest: int = Field(500, ge=10, le=5000, description="Most stars of a chip, by flux")
    write_dq: bool = Field(
        False,
        description="Flag the cosmic rays that `stars` found, bit 4096, in the data quality of the "
        "aligned exposures",
    )
    bright_limit: Magnitudes | None = Field(
        None, description="Stars brighter than this are not used, AB"
    )
    faint_limit: Magnitudes | None = Field(
        None, description="Stars fainter than this are not used, AB"
    )
    mask: list[MaskBox] = Field(
        default_factory=list,
        description="Boxes on the sky whose stars on exposures are not used, by the WCS that these "
        "come with",
    )
    min_matches: int | None = Field(
        None,
        ge=3,
        description="Fewer matched stars than this are bad; without a number 6 for shift, 8 for "
        "rshift, 10 for rscale, 15 for general",
    )
    retry: list[Retry] = Field(
        default_factory=list,
        description="Simpler fits that are tried in turn where there are fewer matches than that",
    )
    hierarchical: bool = Field(
        False,
        description="Fit the merged stars of all exposures of a filter, and move these together; "
        "what does not fit its siblings is fitted by itself",
    )
    clip: int = Field(3, ge=0, le=20, description="TweakReg: rounds of clipping")
    sigma: float = Field(
        3.5, ge=2, le=10, description="Matches further apart than this, in sigma, are left out"
    )
    max_rms: PositivePixels = Field(
        Amount(0.5, "pix"), description="A residual rms above this, along either axis, is bad"
    )
    max_error: PositivePixels = Field(
        Amount(0.1, "pix"), description="A solution less certain than this is bad"
    )
    max_sibling_offset: PositivePixels = Field(
        Amount(0.3, "pix"),
        description="An exposure that is off another of its visit by more than this, and by more "
        "than three standard errors, is bad",
    )
    max_sibling_rotation: PositiveAngle = Field(
        Amount(0.02, "deg"), description="Likewise of its rotation"
    )

    @property
    def least(self) -> int:
        """How many matched stars the fit takes."""
        return least_matches(self.min_matches, self.geometry)

    @field_validator("geometry")
    @classmethod
    def _known_to_tweakreg(cls, value: str, info: ValidationInfo) -> str:
        if value == "rshift" and info.data.get("method") == "tweakreg":
            raise ValueError(
                "TweakReg knows shift, rscale and general; take one, or method: tweakwcs"
            )
        return value

    @field_validator("search_radius")
    @classmethod
    def _whole(cls, value: Amount) -> Amount:
        if value.value < 1 or value.value != round(value.value):
            raise ValueError(f"{value} is no whole number of pixels of at least 1")
        return value

    @field_validator("tolerance")
    @classmethod
    def _at_least_one(cls, value: Amount) -> Amount:
        if value.value < 1:
            raise ValueError(f"{value} is below 1 pix, which loses most matches")
        return value

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what a method cannot do, and which limits leave no star."""
        for number, item in enumerate(self.retry):
            if item.geometry == "rshift" and self.method == "tweakreg":
                what = "TweakReg knows shift, rscale and general"
                yield ("retry", number, "geometry"), f"{what}; take one, or method: tweakwcs"
        # a stage gets all values, those that are for other detectors too
        if self.method == "jhat" and targets is not None:
            yield from self._not_for_jhat()
        if self.hierarchical and self.method != "tweakwcs":
            yield ("hierarchical",), "merged stars are fitted by `method: tweakwcs` only"
        bright, faint = self.bright_limit, self.faint_limit
        if bright and faint and faint.to("mag") <= bright.to("mag"):
            yield ("faint_limit",), f"{faint} is not fainter than `bright_limit`, {bright}"

    def _not_for_jhat(self) -> Iterator[Misfit]:
        """Say what JHAT, which has a fit of its own, would never see."""
        if self.retry:
            yield ("retry",), "JHAT has one fit, and never sees this; take another method"
        if "geometry" in self.model_fields_set:
            fits = "rshift on a detector of one chip, general on several"
            yield ("geometry",), f"JHAT fits {fits}; leave it out, or take another method"
