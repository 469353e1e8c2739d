"""The shape of a detector file; its JSON Schema is ``schemas/instrument.schema.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Facts(BaseModel):
    """Base of all parts: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(Facts):
    """A number with its unit and where it comes from."""

    value: float
    unit: str = Field(description="Unit, '1' for a ratio or count")
    source: str = Field(description="Document and section, reference file, or our measurement")


class Products(Facts):
    """Which archive products are used."""

    science: list[str] = Field(description="Suffixes in order of preference, e.g. flc, flt")
    companion: str | None = Field(None, description="Suffix of the file with the data quality")
    unit: str = Field(description="BUNIT of the science data, upper case")
    source: str


class ChipFacts(Facts):
    """One chip of the detector."""

    number: int = Field(description="CCDCHIP, or DETECTOR for WFPC2")
    extver: int = Field(description="EXTVER of its SCI extension in a full frame")
    rows: int
    columns: int
    geometry: Geometry


class Geometry(Facts):
    """The WCS of a chip as a real pointing had it; a rigid rotation gives any other pointing."""

    crpix: list[float] = Field(description="CRPIX1, CRPIX2, one-based pixels")
    crval: list[float] = Field(description="CRVAL1, CRVAL2 in degrees")
    cd: list[list[float]] = Field(description="CD matrix in degrees per pixel")
    sip: dict[str, float] = Field(description="A_ORDER, A_i_j, B_ORDER, B_i_j as in headers")
    idc: dict[str, float] = Field(description="IDC* and OC* keywords as in headers")


class Pointing(Facts):
    """The pointing the chips' geometry was taken at."""

    pa_v3_deg: float
    reference: list[float] = Field(description="RA, Dec in degrees that a target is placed at")
    source: str


class HeaderKeywords(Facts):
    """Where a header keeps the facts that differ from detector to detector."""

    filters: list[str] = Field(description="Keywords that name the optical elements")
    clear: list[str] = Field(description="Prefixes of element names that mean an empty beam")
    chip: str = Field(description="Keyword of the chip number, in the SCI header")
    position_angle: str = Field(description="Keyword of the chip's y axis angle, SCI header")


class Filter(Facts):
    """An optical element."""

    kind: Literal["W", "M", "N", "LP", "X", "quad", "polariser", "grism", "ramp"] = Field(
        description="Class; only W, M, N, LP and X are imaging filters by default"
    )
    pivot: Number | None = Field(None, description="Pivot wavelength")
    width: Number | None = Field(None, description="Width of the equivalent rectangular band")
    photflam: Number | None = Field(
        None, description="Inverse sensitivity, erg/cm2/Angstrom per header unit, infinite aperture"
    )


class DqBit(Facts):
    """One bit of the data-quality array."""

    bit: int
    name: str
    meaning: str
    bad: bool = Field(description="Whether photometry and alignment leave such pixels out")
    saturated: bool = False
    source: str


class Noise(Facts):
    """What the detector adds to the light."""

    read_noise: Number = Field(description="Per pixel and read-out")
    gain: Number = Field(description="Electrons per header unit")
    dark: Number = Field(description="Electrons per second and pixel")
    full_well: Number = Field(description="Level at which pixels saturate, electrons")
    cosmic_rays: Number | None = Field(
        None, description="Fraction of pixels hit per second; absent where ramps remove them"
    )


class Optics(Facts):
    """What shapes the point-spread function."""

    obscuration: Number = Field(description="Central obscuration over primary radius")
    spider_width: Number = Field(description="Width of the vanes over primary radius")
    cold_stop: Number | None = Field(None, description="Obscuration of the instrument's own stop")
    blur: Number = Field(description="Charge diffusion or interpixel capacitance, rms in pixels")
    wavefront: Number = Field(description="Wavefront error, rms")


class Detector(Facts):
    """All facts about one detector."""

    name: str
    title: str
    slug: str = Field(description="Name for files: acs_wfc")
    match: dict[str, str] = Field(description="Primary header keywords and their values")
    root_letter: str = Field(description="First letter of its root names")
    products: Products
    header: HeaderKeywords
    pixel_scale: Number
    chips: list[ChipFacts]
    pointing: Pointing
    noise: Noise
    optics: Optics
    dq_bits: list[DqBit]
    filters: dict[str, Filter]
    reference_files: dict[str, str] = Field(
        description="Keywords of the reference files that the WCS needs, and their prefix"
    )
    stages: dict[str, dict[str, Any]] = Field(
        description="Suggested parameters by stage, checked against the stage's own"
    )
    dolphot: dict[str, Any] = Field(description="Settings for DOLPHOT")
    notes: list[str] = Field(default_factory=list, description="What a user should know")

    @property
    def bad_bits(self) -> int:
        """Sum of the data-quality bits that make a pixel unusable."""
        return sum(entry.bit for entry in self.dq_bits if entry.bad)

    @property
    def saturated_bits(self) -> int:
        """Sum of the data-quality bits that mean saturation."""
        return sum(entry.bit for entry in self.dq_bits if entry.saturated)
