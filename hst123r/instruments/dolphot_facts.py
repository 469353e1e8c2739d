"""What DOLPHOT needs to know of a detector."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hst123r.instruments.facts import Facts, Text


class CalcSky(Facts):
    """How DOLPHOT's calcsky estimates the sky."""

    r_in: int = Field(ge=0, description="Inner radius of the annulus, pixels")
    r_out: int = Field(gt=0, description="Outer radius of the annulus, pixels")
    step: int = Field(description="Spacing of the sky map, pixels; negative for its fast method")
    above: float = Field(gt=0, description="Clipping above the sky, sigma; its fifth argument")
    below: float = Field(gt=0, description="Clipping below the sky, sigma; its sixth argument")


Cubic = Annotated[list[float], Field(min_length=10, max_length=10)]
"""Coefficients of 1, x, y, x2, xy, y2, x3, x2y, xy2, y3."""


class CubicDistortion(Facts):
    """The distortion of a chip, for the areas of its pixels."""

    x: Cubic
    y: Cubic
    origin: float = Field(description="Zero-based pixel that is zero, along both axes")


class DolphotChip(Facts):
    """What DOLPHOT needs to know about a chip."""

    number: int = Field(description="CCDCHIP, or DETECTOR for WFPC2")
    tag: int = Field(description="Value of the keyword that says that the chip is ready")
    amplifiers: Text | None = Field(None, description="Its amplifiers, for READNSEA and others")
    area_file: Text | None = Field(None, description="Map of pixel areas in DOLPHOT's folder")
    distortion: CubicDistortion | None = Field(None, description="Where there is no such map")
    psf: Text = Field(description="What it is called in the names of the library's PSFs")


class DolphotGain(Facts):
    """Gain and noise where the data are in counts."""

    atodgain: int = Field(description="ATODGAIN of the header")
    gain: float = Field(gt=0, description="Electrons per count")
    read_noise: float = Field(ge=0, description="Electrons per pixel")


class DolphotMask(Facts):
    """How pixels are made ready for DOLPHOT, as by its mask program."""

    module: Text = Field(description="Name of DOLPHOT's module")
    keyword: Text = Field(description="Keyword that says that a chip is ready")
    drizzled: int = Field(lt=0, description="Value of the keyword for a drizzled image")
    files: list[Text] = Field(
        min_length=1, description="Files of its module that every run reads, in its folder `data`"
    )
    chips: list[DolphotChip] = Field(min_length=1)
    bad: int = Field(ge=0, description="Sum of the bits of pixels to leave out")
    saturated: int = Field(ge=0, description="Sum of the bits of saturated pixels")
    cosmic_rays: int = Field(ge=0, description="Sum of the bits of pixels hit by cosmic rays")
    widen: float = Field(ge=1, description="Factor for the limits of the header, a ratio")
    limits: Annotated[list[Text], Field(min_length=2, max_length=2)] = Field(
        description="Keywords of the least and largest good value"
    )
    ceiling: float | None = Field(None, description="Saturated above this value, header units")
    trim: bool = Field(False, description="Whether the last row and column are bad")
    gains: list[DolphotGain] = Field(default_factory=list)
    area_extension: int = Field(0, ge=0, description="Extension that holds the map of areas")
    source: Text


class Dolphot(Facts):
    """Settings for DOLPHOT, in its own units: pixels and sigma."""

    parameters: dict[str, float | list[float]] = Field(
        description="Parameters by the names of its manual; radii in pixels"
    )
    calcsky: CalcSky
    ctmult: float = Field(1.0, gt=0, description="What its mask program divides pixels by, a ratio")
    aperture: float = Field(gt=0, description="Radius its aperture corrections go to, arcsec")
    largest_rpsf: int = Field(gt=0, description="Largest img_RPSF of its library, in pixels")
    mask: DolphotMask
    source: Text
