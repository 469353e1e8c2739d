"""How DOLPHOT is run, as a recipe says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field

from hst123r.instruments.dolphot_parameters import parameters, wrong_values
from hst123r.records.amount import Amount
from hst123r.records.params import (
    FilterName,
    Magnitudes,
    Misfit,
    Params,
    PositiveAngle,
    PositiveMagnitudes,
    PositivePixels,
)

OURS: Final = {
    "AlignOnly": "`align_only: true`", "xytfile": "`positions: sources`",
    "FakeStars": "`fake`", "FakeOut": "`fake`", "FakeMatch": "`fake: {match: ...}`",
    "FakePSF": "`fake: {psf_fwhm: ...}`",
    "RandomSeed": "`fake`", "UsePhot": "hst123r itself", "MaxThreads": "hst123r itself",
    "xytpsf": "nobody: images are not subtracted", "psfstars": "nobody: the file is not there",
}  # fmt: skip
"""Parameters that a recipe does not set by their names, and what does."""
TRANSFER: Final = "usecte"
"""How the names of parameters end that turn on corrections of charge transfer. These differ from
star to star, and magnitudes could not be told from counts any more; so they are off."""
APERTURE: Final = "aprad"
"""The radius that aperture corrections go to; fluxes are raised by the light beyond it."""
Value = float | str | list[float]


class FakeParams(Params):
    """Artificial stars that are put into the images and looked for."""

    number: int = Field(1000, ge=1, le=1_000_000, description="How many")
    filter: FilterName | None = Field(
        None, description="Filter that `magnitudes` are in; without one the filter of the reference"
    )
    magnitudes: list[Magnitudes] = Field(
        [Amount(20.0, "mag"), Amount(28.0, "mag")],
        min_length=2,
        max_length=2,
        description="Brightest and faintest, AB; in between all are equally frequent",
    )
    colours: list[Magnitudes] = Field(
        [Amount(0.0, "mag"), Amount(0.0, "mag")],
        min_length=2,
        max_length=2,
        description="Magnitude in any other filter less that in `filter`: least and largest, AB",
    )
    positions: Literal["uniform", "grid", "target"] = Field(
        "uniform",
        description="Where: anywhere on the reference, on a square grid on it, or around targets",
    )
    radius: PositiveAngle = Field(
        Amount(2.0, "arcsec"), description="For positions: target, how far from it"
    )
    match: PositivePixels = Field(
        Amount(3.0, "pix"), description="How far from its place a star may be found; FakeMatch"
    )
    psf_fwhm: PositivePixels = Field(
        Amount(2.0, "pix"),
        description="FWHM of the PSF that decides which of two stars was found; FakePSF",
    )
    seed: int = Field(1, ge=1, le=2**31 - 1, description="Of places, magnitudes and noise")
    bin: PositiveMagnitudes = Field(
        Amount(0.5, "mag"), description="Width of the bins of magnitude of the table"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which ranges are upside down."""
        del targets
        for name in ("magnitudes", "colours"):
            low, high = (value.to("mag") for value in getattr(self, name))
            if high < low or (name == "magnitudes" and high == low):
                yield (name,), f"{high:g} mag is not above {low:g} mag"


class DolphotParams(Params):
    """How DOLPHOT is run."""

    preset: Literal["hst123", "manual", "phat"] = Field(
        "hst123",
        description="Parameters to start from: those of hst123, of DOLPHOT's manuals, or of PHAT",
    )
    parameters: dict[str, Value] = Field(
        default_factory=dict,
        description="DOLPHOT's own parameters of the whole run, by its names: {FitSky: 3}",
    )
    image_parameters: dict[str, Value] = Field(
        default_factory=dict,
        description="DOLPHOT's own parameters of images, without img_: {RAper: 4}; with a block "
        "`for:` those of a detector or filter",
    )
    psf: Literal["library", "analytic"] = Field(
        "library",
        description="library: the PSFs of DOLPHOT's module of the camera; analytic: DOLPHOT's "
        "generic mode, with a PSF that it fits to the images",
    )
    reference: str = Field(
        "deepest",
        min_length=1,
        description="Image that positions refer to: the deepest stack of the field, a stack by its "
        "name, or `first` for the first exposure",
    )
    mask: Literal["internal", "external"] = Field(
        "internal",
        description="Who masks pixels and splits chips: hst123r, or DOLPHOT's own programs on "
        "copies",
    )
    areas: Literal["wcs", "maps"] = Field(
        "wcs",
        description="For mask: internal, areas of pixels from the WCS, or from the maps in "
        "DOLPHOT's folder",
    )
    cosmic_rays: Literal["masks", "dq", "keep"] = Field(
        "masks",
        description="Pixels hit by cosmic rays: masked by what drizzle or stars found and by the "
        "data quality, by the data quality alone, or kept",
    )
    chips: Literal["all", "target"] = Field(
        "all", description="Chips to measure: all, or those that a target is on"
    )
    positions: Literal["find", "sources"] = Field(
        "find",
        description="Where to measure: where DOLPHOT finds stars, or at the sources of detect",
    )
    forced: bool = Field(
        True, description="Measure targets where DOLPHOT found nothing, in a second run"
    )
    fake: FakeParams | None = Field(
        None, description="Artificial stars: completeness, bias and error against magnitude"
    )
    align_only: bool = Field(False, description="Stop after the alignment; nothing is measured")

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which of DOLPHOT's parameters it does not know, or would refuse or change."""
        del targets
        analytic = self.psf == "analytic"
        for name, sentence in wrong_values(self.parameters, image=False, generic=analytic):
            yield ("parameters", name), sentence
        for name in self.parameters:
            known = parameters().get(name.lower())
            if known is not None and known.name in OURS:
                yield ("parameters", name), f"{known.name} is set by {OURS[known.name]}"
            elif name.lower().endswith(TRANSFER) and self.parameters[name] != 0:
                what = "magnitudes could not be told from counts with it; it has to be 0"
                yield ("parameters", name), f"{name}: {what}"
        for name, sentence in wrong_values(self.image_parameters, image=True, generic=analytic):
            yield ("image_parameters", name), sentence
        for name in self.image_parameters:
            if name.lower() == APERTURE:
                what = "the light beyond is that of the detector's own aperture; leave it out"
                yield ("image_parameters", name), f"{name}: {what}"
        if self.fake is not None and (analytic or self.align_only):
            what = "`align_only`" if self.align_only else "`psf: analytic`"
            yield ("fake",), f"artificial stars are not made with {what}"
        if analytic and self.mask == "external":
            yield ("mask",), "DOLPHOT's programs mark images as those of a camera; leave it out"
        if self.areas == "maps" and self.mask == "external":
            yield ("areas",), "DOLPHOT's own programs always use its maps; leave it out"
