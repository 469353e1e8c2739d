"""The shape of a detector file; its JSON Schema is ``schemas/instrument.schema.json``."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field, model_validator

from hst123r.instruments.dolphot_facts import Dolphot
from hst123r.instruments.facts import Facts, Number, Pair, Text


class Products(Facts):
    """Which archive products are used."""

    science: list[Text] = Field(
        min_length=1, description="Suffixes in order of preference, e.g. flc, flt"
    )
    companion: Text | None = Field(None, description="Suffix of the file with the data quality")
    extensions: list[Text] = Field(
        min_length=1, description="EXTNAMEs that every chip has in the science file"
    )
    unit: Text = Field(description="BUNIT of the science data, upper case")
    source: Text


class Archive(Facts):
    """What an archive calls the detector."""

    names: list[Text] = Field(min_length=1, description="Values of MAST's instrument_name")
    pipelines: list[Text] = Field(
        min_length=1, description="Values of MAST's provenance_name whose products are used"
    )
    source: Text


class Geometry(Facts):
    """The WCS of a chip as a real pointing had it; a rigid rotation gives any other pointing."""

    crpix: Pair = Field(description="CRPIX1, CRPIX2, one-based pixels")
    crval: Pair = Field(description="CRVAL1, CRVAL2 in degrees")
    cd: list[Pair] = Field(
        min_length=2, max_length=2, description="CD matrix in degrees per pixel, row by row"
    )
    sip: dict[str, float] = Field(description="A_ORDER, A_i_j, B_ORDER, B_i_j as in headers")
    idc: dict[str, float] = Field(description="IDC* and OC* keywords as in headers")


class ChipFacts(Facts):
    """One chip of the detector."""

    number: int = Field(description="CCDCHIP, or DETECTOR for WFPC2")
    extver: int = Field(ge=1, description="EXTVER of its SCI extension in a full frame")
    rows: int = Field(gt=0)
    columns: int = Field(gt=0)
    geometry: Geometry

    @property
    def pixel_arcsec(self) -> float:
        """Side of a square as large as a pixel at the chip's reference, in arcseconds."""
        (xx, xy), (yx, yy) = self.geometry.cd
        return 3600 * math.sqrt(abs(xx * yy - xy * yx))


class Pointing(Facts):
    """The pointing the chips' geometry was taken at."""

    pa_v3_deg: float
    reference: Pair = Field(description="RA, Dec in degrees that a target is placed at")
    source: Text


class HeaderKeywords(Facts):
    """Where a header keeps the facts that differ from detector to detector."""

    filters: list[Text] = Field(min_length=1, description="Keywords that name the optical elements")
    clear: list[Text] = Field(
        description="Prefixes of element names that mean an empty beam; a blank name always does"
    )
    chip: Text = Field(description="Keyword of the chip number, in the SCI header")


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

    bit: int = Field(gt=0, description="Value of the bit, a power of two")
    name: Text
    meaning: Text
    bad: bool = Field(description="Whether photometry and alignment leave such pixels out")
    saturated: bool = Field(False, description="Whether it means saturation")
    source: Text


class Noise(Facts):
    """What the detector adds to the light."""

    read_noise: Number = Field(
        description="Electrons per pixel in one exposure; of the fitted ramp where there is one"
    )
    read_noise_by_gain: list[Pair] = Field(
        default_factory=list,
        description="Electrons per count and read noise at that gain in electrons, rounding to "
        "whole counts included; where there are several gains",
    )
    gain: Number = Field(description="Electrons per header unit")
    dark: Number = Field(description="Electrons per second and pixel")
    full_well: Number = Field(description="Level at which pixels saturate, electrons")
    cosmic_rays: Number | None = Field(
        None, description="Fraction of pixels hit per second; absent where ramps remove them"
    )

    def read_noise_at(self, gain: float) -> float:
        """Return the read noise at the nearest gain there is a value of, electrons.

        Parameters
        ----------
        gain : float
            Electrons per count.
        """
        if not self.read_noise_by_gain:
            return self.read_noise.value
        return min(self.read_noise_by_gain, key=lambda pair: abs(pair[0] - gain))[1]

    def before_rounding(self, gain: float) -> float:
        """Return the part of the read noise that is there before counts are rounded, electrons.

        Parameters
        ----------
        gain : float
            Electrons per count; rounding to steps of g electrons adds the variance g² / 12.
        """
        return float(max(self.read_noise_at(gain) ** 2 - gain**2 / 12.0, 0.0) ** 0.5)


class Optics(Facts):
    """What shapes the point-spread function."""

    obscuration: Number = Field(description="Central obscuration over primary radius")
    spider_width: Number = Field(
        description="Width of the vanes over primary radius, the widest that the light meets"
    )
    cold_stop: Number | None = Field(None, description="Obscuration of the instrument's own stop")
    blur: Number = Field(
        description="Charge diffusion or interpixel capacitance, rms along an axis in pixels"
    )
    wavefront: Number = Field(description="Wavefront error, rms")


class GrowthCurves(Facts):
    """Fractions of a star's light within circles of several radii, by filter."""

    radii: list[float] = Field(min_length=2, description="Radii of the circles, arcsec, in order")
    filters: dict[str, list[float]] = Field(
        min_length=1, description="Fractions within the circles, by filter"
    )

    @model_validator(mode="after")
    def _grow(self) -> GrowthCurves:
        curves = {"radii": self.radii, **self.filters}
        for name, values in curves.items():
            if len(values) != len(self.radii) or values != sorted(values):
                raise ValueError(f"{name} must be {len(self.radii)} numbers that do not fall")
        return self


class EncircledEnergy(Facts):
    """How much of a star's light is within a circle, as published, and how well that is known."""

    radius: Number = Field(description="Radius of the circle that PSFs are compared within")
    wavelengths: list[Pair] = Field(
        default_factory=list, description="Wavelength in nm and fraction within it, in order"
    )
    curves: GrowthCurves | None = Field(
        None, description="Fractions by filter, which come before wavelengths"
    )
    errors: list[Pair] = Field(
        min_length=1, description="Wavelength in nm and standard error of the fraction, in order"
    )
    core_errors: list[Pair] = Field(
        min_length=1,
        description="Wavelength in nm, and by how many magnitudes a fit of the computed PSF to a "
        "bright star may be off because of the shape of its core, in order",
    )
    source: Text


class PowerLoss(Facts):
    """Loss in magnitudes as powers of sky and flux, in electrons, growing with time."""

    form: Literal["power"]
    amplitude: float = Field(gt=0, description="Magnitudes at unit sky and flux, `days` after")
    sky: float = Field(description="Power of the sky, electrons per pixel")
    flux: float = Field(description="Power of the flux, electrons")
    rows: float = Field(gt=0, description="Transfers the amplitude is for, pixels")
    epoch_mjd: float = Field(description="When there was no loss")
    days: float = Field(gt=0, description="Days the amplitude is for")


class ExponentialLoss(Facts):
    """Loss in magnitudes along both axes, by the equations of Dolphin, with his coefficients."""

    form: Literal["exponential"]
    x: Pair = Field(description="Amplitude and exponent of the background")
    y: float = Field(description="Amplitude")
    background: list[Pair] = Field(
        min_length=2, max_length=2,
        description="Share and exponent, of the logarithm of the background and of itself",
    )  # fmt: skip
    years: Pair = Field(description="Linear and square term of the years since the epoch")
    counts: Pair = Field(description="Amplitude and exponent of the logarithm of the counts")
    scale: float = Field(gt=0, description="What the logarithm is divided by")
    rows: float = Field(gt=0, description="Transfers the amplitudes are for, pixels")
    epoch_mjd: float = Field(description="The epoch")


class TransferLoss(Facts):
    """Charge that stars lose on the way to the amplifier, where the archive leaves it so."""

    files: list[Text] = Field(min_length=1, description="Suffixes of files not corrected for it")
    corrected: dict[str, Text] = Field(
        description="Cards of the primary header that say that a file is corrected all the same"
    )
    law: PowerLoss | ExponentialLoss | None = Field(
        None, description="Published formula for stars; none where none could be confirmed"
    )
    until_mjd: float | None = Field(None, description="Later than this the formula does not hold")
    read_from_top: list[int] = Field(
        default_factory=list, description="Chips whose last row is read first"
    )
    source: Text


class CountRateLoss(Facts):
    """Counts that are fewer than in proportion to light, the more the fainter it is."""

    corrected: dict[str, Text] = Field(
        description="Cards of the primary header that say that counts are in proportion"
    )
    per_decade: Number = Field(description="Fraction for each decade below the standard stars")
    error: Number = Field(description="Its standard error")
    reference_ab: Number = Field(description="Magnitude of the standard stars, AB")


class Suggestion(Facts):
    """What a stage does best for this detector."""

    parameters: dict[str, Any] = Field(description="Values with their units, as in a recipe")
    source: Text = Field(description="Why these values")


class Detector(Facts):
    """All facts about one detector."""

    name: Text
    title: Text
    slug: Text = Field(description="Name for files: acs_wfc")
    match: dict[str, Text] = Field(
        min_length=1, description="Primary header keywords and their values"
    )
    root_letter: Text = Field(max_length=1, description="First letter of its root names")
    products: Products
    archive: Archive
    header: HeaderKeywords
    pixel_scale: Number
    chips: list[ChipFacts] = Field(min_length=1)
    pointing: Pointing
    noise: Noise
    optics: Optics
    dq_bits: list[DqBit]
    filters: dict[str, Filter]
    encircled_energy: EncircledEnergy = Field(description="Published encircled energy")
    transfer_loss: TransferLoss | None = Field(
        None, description="Losses of charge transfer, where files are not corrected"
    )
    count_rates: CountRateLoss | None = Field(
        None, description="Where counts are not in proportion to light"
    )
    psf_library: Text | None = Field(
        None, description="Name in the file names of the STDPSF library, STDPSF_<name>_<filter>"
    )
    psf_chips: list[list[int]] = Field(
        default_factory=list,
        description="Chips in the frame of that library, along x, row by row from the lowest",
    )
    reference_files: dict[str, str] = Field(
        description="Keywords of the reference files that the WCS needs, and their prefix"
    )
    stages: dict[str, Suggestion] = Field(
        description="Suggested parameters by stage, checked against the stage's own"
    )
    dolphot: Dolphot
    notes: list[Text] = Field(default_factory=list, description="What a user should know")

    @property
    def coarsest_chip(self) -> ChipFacts:
        """The chip with the largest pixels."""
        return max(self.chips, key=lambda chip: chip.pixel_arcsec)

    @property
    def bad_bits(self) -> int:
        """Sum of the data-quality bits that make a pixel unusable."""
        return sum(entry.bit for entry in self.dq_bits if entry.bad)

    @property
    def saturated_bits(self) -> int:
        """Sum of the data-quality bits that mean saturation."""
        return sum(entry.bit for entry in self.dq_bits if entry.saturated)
