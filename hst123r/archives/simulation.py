"""What a recipe says about the simulated archive, and whether it can be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pydantic import Field

from hst123r import instruments
from hst123r.errors import did_you_mean
from hst123r.records.amount import Amount
from hst123r.records.dates import parse as parse_date
from hst123r.records.params import (
    Angle,
    Date,
    DetectorName,
    FilterName,
    Magnitudes,
    Misfit,
    NotNegativeAngle,
    NotNegativeMagnitudes,
    Params,
    PositiveAngle,
    PositiveDuration,
    PositivePixels,
    SurfaceBrightness,
)

MAX_TARGETS: Final = 36
"""One character of the root names tells them apart."""
SMALLEST_PIX: Final = 32
LONGEST: Final = Amount(1.0, "day")
"""No exposure of Hubble is longer than an orbit; this is far beyond."""
BRIGHTEST: Final = Amount(-5.0, "mag")
"""Far above saturation; counts of still brighter stars are no numbers that a Poisson has."""
DENSEST: Final = 0.547
"""Share of an area that discs thrown at random can cover without overlap (random sequential
addition at saturation; Zhang & Torquato 2013, Phys. Rev. E 88, 053312)."""


class Observation(Params):
    """One setting of the telescope, repeated at some dates."""

    detector: DetectorName = Field(description="Detector")
    filter: FilterName = Field(description="Filter")
    dates: list[Date] = Field(
        min_length=1, description="Start of each epoch; observations of one date share a visit"
    )
    exposures: int = Field(3, ge=1, le=30, description="Dithered exposures per epoch")
    exposure_time: PositiveDuration = Field(Amount(500.0, "s"), description="Time of each exposure")
    size: PositivePixels | None = Field(
        None,
        description="Side of the part of each chip that is kept, at least 32 pix; the full chip by "
        "default",
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what the detector cannot do."""
        del targets
        facts = instruments.get(self.detector)
        found = facts.filters.get(self.filter)
        usable = [
            n for n, f in facts.filters.items() if f.pivot is not None and f.photflam is not None
        ]
        if found is None:
            yield (
                ("filter",),
                f"{facts.name} has no {self.filter}, {did_you_mean(self.filter, usable)}",
            )
        elif self.filter not in usable:
            what = "without a known band and sensitivity, so it cannot be simulated"
            yield ("filter",), f"{self.filter} is a {found.kind} {what}"
        if self.exposure_time.to("s") > LONGEST.to("s"):
            yield ("exposure_time",), f"{self.exposure_time} is above {LONGEST}"
        if self.size is not None:
            side = self.size.to("pix")
            largest = max(max(chip.rows, chip.columns) for chip in facts.chips)
            if side != round(side):
                yield ("size",), f"{self.size} is no whole number of pixels"
            elif not SMALLEST_PIX <= side <= largest:
                what = f"is not between {SMALLEST_PIX} and {largest} pix, a side of the chip"
                yield ("size",), f"{self.size} {what}"
        yield from _twice(self.dates)


class Stars(Params):
    """A random field of stars around each target."""

    number: int = Field(
        400, ge=0, le=200_000, description="Stars within the radius, before `separation`"
    )
    radius: PositiveAngle = Field(Amount(60.0, "arcsec"), description="Radius of the field")
    brightest: Magnitudes = Field(Amount(18.0, "mag"), description="Bright end, AB")
    faintest: Magnitudes = Field(Amount(27.0, "mag"), description="Faint end, AB")
    slope: float = Field(0.25, ge=0, le=2, description="d log N / d magnitude")
    colour: Magnitudes = Field(
        Amount(0.6, "mag"), description="Mean colour, 555 nm less 814 nm, AB"
    )
    colour_scatter: NotNegativeMagnitudes = Field(
        Amount(0.3, "mag"), description="Its standard deviation"
    )
    separation: NotNegativeAngle = Field(
        Amount(0.0, "arcsec"),
        description="No two stars are closer than this; the fainter of two that are is left out",
    )
    catalog: str | None = Field(
        None,
        description="Table of stars instead of random ones, relative to the recipe: columns ra, "
        "dec, and mag (AB, all filters) or mag_<filter> for each filter that is observed",
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what no field of stars can be."""
        del targets
        if self.faintest.to("mag") <= self.brightest.to("mag"):
            yield (
                ("faintest",),
                f"{self.faintest} is not fainter than `brightest`, {self.brightest}",
            )
        yield from _too_bright(self.brightest, ("brightest",))
        half = self.separation.to("arcsec") / 2
        room = DENSEST * ((self.radius.to("arcsec") + half) / half) ** 2 if half else self.number
        if self.number > room:
            what = f"that far apart leave room for about {room:.0f} stars within {self.radius}"
            yield ("separation",), f"{self.separation}: stars {what}, not {self.number}"


class TransientSource(Params):
    """The source at the target, whose brightness changes."""

    dates: list[Date] = Field(min_length=1, description="Dates of the light curve")
    magnitudes: list[Magnitudes] = Field(
        min_length=1, description="AB magnitudes at 555 nm on these dates, straight in between"
    )
    colour: Magnitudes = Field(Amount(0.0, "mag"), description="555 nm less 814 nm, AB")
    east: Angle = Field(Amount(0.0, "arcsec"), description="Offset from the target")
    north: Angle = Field(Amount(0.0, "arcsec"), description="Offset from the target")

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what is no light curve."""
        del targets
        dates, magnitudes = len(self.dates), len(self.magnitudes)
        if dates != magnitudes:
            what = "a light curve needs as many of each"
            yield ("magnitudes",), f"{dates} dates and {magnitudes} magnitudes; {what}"
        for number, (one, other) in enumerate(pairwise(self.dates), 1):
            if parse_date(other) <= parse_date(one):
                yield ("dates", number), f"{other} is not later than {one} before it"
        for number, magnitude in enumerate(self.magnitudes):
            yield from _too_bright(magnitude, ("magnitudes", number))


class VisitError(Params):
    """By how much the header's WCS of one visit is wrong."""

    east: Angle = Field(Amount(0.0, "arcsec"), description="Shift to the east")
    north: Angle = Field(Amount(0.0, "arcsec"), description="Shift to the north")
    roll: Angle = Field(Amount(0.0, "deg"), description="Rotation about the target")


class Simulation(Params):
    """What the simulated archive holds for each target."""

    observations: list[Observation] = Field(min_length=1, description="What is observed")
    seed: int = Field(1, ge=0, le=2**31, description="Seed of all random numbers")
    stars: Stars = Field(default_factory=Stars, description="The field of stars")
    transient: TransientSource | None = Field(
        None, description="A transient at the first target, or at each one named in `at`"
    )
    at: list[str] | None = Field(
        None, min_length=1, description="Targets that are observed; all by default"
    )
    pointing_error: NotNegativeAngle = Field(
        Amount(0.3, "arcsec"), description="Error of each visit's pointing, rms along each axis"
    )
    roll_error: NotNegativeAngle = Field(
        Amount(0.01, "deg"), description="Error of each visit's roll, rms"
    )
    errors: list[VisitError] = Field(
        default_factory=list,
        description="Errors of the visits in time, one for each, instead of random ones",
    )
    pa_v3: Angle = Field(Amount(60.0, "deg"), description="Roll of the telescope, first epoch")
    roll_per_epoch: Angle = Field(Amount(0.0, "deg"), description="Added at each later epoch")
    dither: NotNegativeAngle = Field(Amount(1.3, "arcsec"), description="Size of the dither steps")
    sky: SurfaceBrightness | None = Field(
        Amount(22.3, "mag/arcsec2"), description="Sky, AB; null for a dark sky"
    )
    cosmic_rays: bool = Field(True, description="Cosmic rays, on detectors that keep them")
    bad_pixels: bool = Field(True, description="Hot pixels and bad columns, flagged in DQ")
    noise: bool = Field(True, description="Photon and read noise")
    psf_grids: str | None = Field(
        None,
        description="Folder with files of the STDPSF library, relative to the recipe, from which "
        "the stars get their shape; without it the PSF is computed",
    )
    template: str | None = Field(
        None,
        description="A real exposure whose WCS, lookup tables included, is used, relative to the "
        "recipe",
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which targets are not there, and which visits have no error."""
        if targets is not None:
            for number, name in enumerate(self.at or ()):
                if name not in targets:
                    yield (
                        ("at", number),
                        f"there is no target {name!r}, {did_you_mean(name, targets)}",
                    )
            if self.at is None and len(targets) > MAX_TARGETS:
                what = f"at most {MAX_TARGETS} targets can be simulated; name some in `at`"
                yield ("observations",), f"{what}, there are {len(targets)}"
        visits = len({parse_date(date) for item in self.observations for date in item.dates})
        if self.errors and len(self.errors) != visits:
            what = "give one for each, in the order of time, or none"
            yield ("errors",), f"{len(self.errors)} errors for {visits} visits; {what}"


def _twice(dates: list[str]) -> Iterator[Misfit]:
    seen: set[float] = set()
    for number, date in enumerate(dates):
        if parse_date(date) in seen:
            yield ("dates", number), f"{date} stands here twice"
        seen.add(parse_date(date))


def _too_bright(magnitude: Amount, steps: tuple[str | int, ...]) -> Iterator[Misfit]:
    if magnitude.to("mag") < BRIGHTEST.to("mag"):
        yield steps, f"{magnitude} is brighter than {BRIGHTEST}, the limit"
