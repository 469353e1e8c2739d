"""What a simulation is told: plain numbers whose names carry their units."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Right = Annotated[float, Field(ge=0, lt=360)]
Declination = Annotated[float, Field(ge=-90, le=90)]


class Part(BaseModel):
    """Base of all parts: immutable, finite numbers only, and an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PointingError(Part):
    """By how much a header's WCS is wrong: a rigid motion of the sky about the target.

    A star that truly stands on the target is, by the header, `east` and `north` of it.
    """

    east_arcsec: float = Field(0.0, description="Towards larger right ascension, on the sky")
    north_arcsec: float = Field(0.0, description="Towards larger declination")
    roll_deg: float = Field(0.0, description="Added to position angles, east of north")


class Star(Part):
    """One star of a given catalogue, or one to add to a random field."""

    ra_deg: Right
    dec_deg: Declination
    magnitude_ab: float = Field(description="AB magnitude at 555 nm, or in every filter")
    colour: float = Field(0.0, description="AB magnitude at 555 nm less that at 814 nm")
    by_filter: dict[str, float] = Field(
        default_factory=dict, description="AB magnitudes by filter, which go before the colour"
    )


class Transient(Part):
    """A source whose brightness changes: a light curve of straight lines in magnitude.

    Invisible before its first point; after the last it goes on as between the last two.
    """

    ra_deg: Right
    dec_deg: Declination
    dates_mjd: list[float] = Field(min_length=1)
    magnitudes_ab: list[float] = Field(
        min_length=1, description="AB magnitudes at 555 nm on those dates"
    )
    colour: float = Field(0.0, description="AB magnitude at 555 nm less that at 814 nm")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if len(self.dates_mjd) != len(self.magnitudes_ab):
            raise ValueError(
                f"a light curve has {len(self.dates_mjd)} dates and "
                f"{len(self.magnitudes_ab)} magnitudes; it needs as many of each"
            )
        if any(b <= a for a, b in pairwise(self.dates_mjd)):
            raise ValueError("the dates of a light curve must increase")
        return self


class StarField(Part):
    """A random field of stars around the target."""

    stars: int = Field(400, ge=0, description="Stars within the radius")
    radius_arcsec: Positive = Field(60.0, description="Radius of the field")
    brightest_ab: float = Field(18.0, description="Bright end of the luminosity function")
    faintest_ab: float = Field(27.0, description="Faint end of the luminosity function")
    slope: float = Field(
        0.25, description="d log10 N / d magnitude; 0.25 is a typical old population"
    )
    colour: float = Field(0.6, description="Mean of magnitude at 555 nm less that at 814 nm")
    colour_scatter: NotNegative = Field(0.3, description="Standard deviation of the colour")
    separation_arcsec: NotNegative = Field(
        0.0, description="No two stars are closer than this, 0 for a natural field"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.faintest_ab <= self.brightest_ab:
            raise ValueError(
                f"the faint end {self.faintest_ab} of the luminosity function is not fainter "
                f"than its bright end {self.brightest_ab}"
            )
        return self


class Sky(Part):
    """What the frames hold besides stars; each can be switched off."""

    brightness_ab: float | None = Field(
        22.3, description="Sky in AB magnitudes per square arcsec; None for a dark sky"
    )
    photon_noise: bool = Field(True, description="Poisson noise of stars, sky and dark")
    read_noise: bool = True
    cosmic_rays: bool = Field(True, description="On detectors that keep them")
    bad_pixels: bool = Field(True, description="Hot pixels and bad columns, flagged in DQ")


class Observation(Part):
    """One setting of the telescope, repeated at some dates."""

    detector: str = Field(description="Name of the detector")
    filter: str
    dates_mjd: list[float] = Field(min_length=1, description="Start of each epoch")
    exposures: int = Field(3, ge=1, description="Dithered exposures per epoch")
    exposure_time_s: Positive = 500.0
    size_pix: int | None = Field(
        None, ge=32, description="Side of the part of each chip that is kept; None for all"
    )
    aim: tuple[int, float, float] | None = Field(
        None,
        description="Where the target falls: chip number, zero-based x and y of the full chip",
    )


class Programme(Part):
    """All that a simulation is made from; equal programmes make equal bytes."""

    target_name: str = "SIMULATED"
    ra_deg: Right
    dec_deg: Declination
    observations: list[Observation] = Field(min_length=1)
    seed: int = Field(1, ge=0)
    proposal: int = Field(99999, ge=1, le=99999, description="Proposal number of the headers")
    program: str = Field(
        "sim", pattern="^[0-9a-z]{3}$", description="Three characters of the root names"
    )
    pa_v3_deg: Right = Field(60.0, description="Roll of the telescope at the first epoch")
    roll_per_epoch_deg: float = Field(0.0, description="Added to it at each later epoch")
    dither_arcsec: NotNegative = Field(
        1.3, description="Size of the steps between the exposures of an epoch"
    )
    pointing_rms_arcsec: NotNegative = Field(
        0.0, description="Standard deviation, along each axis, of the error of each visit"
    )
    roll_rms_deg: NotNegative = Field(0.0, description="Likewise of its roll")
    errors: list[PointingError] = Field(
        default_factory=list,
        description="Errors of the visits in the order of time, instead of random ones",
    )
    field: StarField = Field(default_factory=StarField)
    stars: list[Star] = Field(default_factory=list, description="Stars in addition to the field")
    transients: list[Transient] = Field(default_factory=list)
    sky: Sky = Field(default_factory=Sky)
