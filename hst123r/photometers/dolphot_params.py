"""How DOLPHOT is run, as a recipe says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field

from hst123r.instruments.dolphot_parameters import parameters, wrong_values
from hst123r.records.params import Misfit, Params

OURS: Final = {
    "AlignOnly": "`align_only: true`", "xytfile": "`positions: sources`",
    "FakeStars": "`fake`", "FakeOut": "`fake`", "FakeMatch": "`fake`", "FakePSF": "`fake`",
    "RandomSeed": "`fake`", "UsePhot": "hst123r itself", "MaxThreads": "hst123r itself",
    "xytpsf": "nobody: images are not subtracted", "psfstars": "nobody: the file is not there",
}  # fmt: skip
"""Parameters that a recipe does not set by their names, and what does."""
Value = float | str | list[float]


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
        for name, sentence in wrong_values(self.image_parameters, image=True, generic=analytic):
            yield ("image_parameters", name), sentence
        if self.areas == "maps" and self.mask == "external":
            yield ("areas",), "DOLPHOT's own programs always use its maps; leave it out"
