"""The parameters of the alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from hst123r.records.amount import Amount
from hst123r.records.params import (
    Magnitudes,
    Misfit,
    Params,
    Pixels,
    PositiveAngle,
    PositivePixels,
)

Geometry = Literal["shift", "rshift", "rscale", "general"]
PARAMETERS: Final = {"shift": 2, "rshift": 3, "rscale": 4, "general": 6}
"""As in `algorithms.transform`, which is not loaded to check a recipe."""


class Retry(Params):
    """A fit that is tried where one with more parameters has too few matches."""

    geometry: Geometry = Field(description="What is fitted")
    min_matches: int = Field(
        ge=4, description="Fewer matched stars than this are no fit; at least 4, two a parameter"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say when so few stars cannot tell a fit from chance."""
        del targets
        least = 2 * PARAMETERS[self.geometry]
        if self.min_matches < least:
            what = f"a fit of {self.geometry} needs at least {least}"
            yield ("min_matches",), f"{self.min_matches} matches are too few, {what}"


class AlignParams(Params):
    """Parameters of the stage `align`."""

    method: Literal["tweakreg", "tweakwcs", "jhat", "none"] = Field(
        "tweakwcs",
        description="Who matches and fits: hst123r with the corrections of tweakwcs, TweakReg, or "
        "JHAT, which is installed apart",
    )
    geometry: Geometry = Field(
        "rscale",
        description="What is fitted: shift, with rotation, with scale, or all linear terms",
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
    threshold: float = Field(5.0, ge=2, le=100, description="Detection threshold, sigma")
    min_snr: float = Field(10.0, ge=3, description="Lowest S/N of a star that is used")
    sources: Literal["stars", "all", "auto"] = Field(
        "auto",
        description="What is matched: stars, all (compact galaxies too), or auto: all where an "
        "exposure has fewer than 100 stars",
    )
    brightest: int = Field(500, ge=10, le=5000, description="Most stars of a chip, by flux")
    fit_radius: PositivePixels = Field(Amount(3.0, "pix"), description="Radius of the PSF fit")
    find_cosmic_rays: bool = Field(
        False,
        description="Find cosmic rays with astroscrappy and leave them out of the catalogues",
    )
    cosmic_ray_sigma: float = Field(
        4.5, ge=2, le=50, description="Threshold of astroscrappy over the noise, its `sigclip`"
    )
    cosmic_ray_contrast: float = Field(
        10.0,
        ge=1,
        le=50,
        description="How much sharper than a star they are, its `objlim`; 5 takes a third of the "
        "stars of Hubble for cosmic rays",
    )
    write_dq: bool = Field(
        False,
        description="Flag them, bit 4096, in the data quality of the aligned exposures",
    )
    bright_limit: Magnitudes | None = Field(
        None, description="Stars brighter than this are not used, AB"
    )
    faint_limit: Magnitudes | None = Field(
        None, description="Stars fainter than this are not used, AB"
    )
    min_matches: int = Field(10, ge=3, description="Fewer matched stars than this are bad")
    retry: list[Retry] = Field(
        default_factory=list,
        description="Simpler fits that are tried in turn where there are fewer matches than that",
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
        """Say which retries TweakReg cannot make, and which limits leave no star."""
        del targets
        for number, item in enumerate(self.retry):
            if item.geometry == "rshift" and self.method == "tweakreg":
                what = "TweakReg knows shift, rscale and general"
                yield ("retry", number, "geometry"), f"{what}; take one, or method: tweakwcs"
        if self.write_dq and not self.find_cosmic_rays:
            yield ("write_dq",), "there is nothing to flag without `find_cosmic_rays: true`"
        bright, faint = self.bright_limit, self.faint_limit
        if bright and faint and faint.to("mag") <= bright.to("mag"):
            yield ("faint_limit",), f"{faint} is not fainter than `bright_limit`, {bright}"
