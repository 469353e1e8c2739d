"""The parameters of photometry: of all engines, and of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from hst123r.photometers.dolphot_params import DolphotParams
from hst123r.records.amount import Amount
from hst123r.records.params import Misfit, Params, PositiveAngle, PositivePixels


class PhotometryParams(Params):
    """Parameters of the stage `photometry`."""

    engine: Literal["psf", "dolphot"] = Field(
        "psf",
        description="Who measures; psf: the built-in fit, no external program; dolphot: DOLPHOT, "
        "which the user installs",
    )
    psf: Literal["computed", "hybrid", "image", "grid"] = Field(
        "computed",
        description="computed: from the pupil and the band; hybrid: that, or psf_grids, with focus "
        "and charge diffusion fitted; image: the core corrected by samples of stars; grid: "
        "psf_grids, interpolated to each star",
    )
    over_chip: bool = Field(
        True,
        description="For the computed PSF, follow the shape of the pixels over the chip; false: "
        "the PSF of its middle",
    )
    psf_grids: str | None = Field(
        None,
        description="For psf: grid or hybrid, the folder with files of the STDPSF library, "
        "relative to the recipe",
    )
    fetch_psf_grids: bool = Field(
        False,
        description="For psf: grid or hybrid, fetch files of the STDPSF library that are not there "
        "into the folder psf_grids, or else raw/stdpsf",
    )
    fit_radius: PositivePixels = Field(
        Amount(3.0, "pix"), description="Pixels nearer than this decide about a source"
    )
    reject: float = Field(
        5.0, gt=0, description="Pixels that fit no source above this many sigma are left out"
    )
    cte: Literal["auto", "none"] = Field(
        "auto",
        description="Losses of charge transfer in files that the archive did not correct; auto: "
        "made good by the detector's formula if it has one; none: left",
    )
    count_rates: Literal["published", "none"] = Field(
        "none",
        description="For engine: psf, where counts are not in proportion to light; published: made "
        "good by the detector's formula; none: left, and said",
    )
    encircled_energy: Literal["published", "computed"] = Field(
        "published",
        description="How much light is in an infinite aperture; published: by the detector's table "
        "if it has one; computed: by the PSF",
    )
    residuals: bool = Field(
        False,
        description="Write what is left of each exposure without sky and stars, and each target "
        "without its neighbours",
    )
    register_frames: bool = Field(
        True,
        description="Take a small shift of each chip against the common positions into account",
    )
    limit_snr: float = Field(
        3.0, gt=0, le=10, description="Below this S/N there is a limit instead of a magnitude"
    )
    max_chi: float = Field(
        1.5, gt=0, description="A median chi of bright sources above this is a caveat"
    )
    artificial_stars: int = Field(
        0,
        ge=0,
        le=10000,
        description="For engine: psf, artificial stars around each target and filter, for "
        "scrape.limit; 0: none",
    )
    artificial_radius: PositiveAngle = Field(
        Amount(2.0, "arcsec"),
        description="How far from the target they may be; below about 2.3 fit radii they are put "
        "in one by one, which takes longer",
    )
    dolphot: DolphotParams = Field(
        default_factory=DolphotParams, description="For engine: dolphot, how it is run"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say where a file is wanted and not named, or an engine is told what is another's."""
        if self.psf == "grid" and self.psf_grids is None and not self.fetch_psf_grids:
            yield (
                ("psf",),
                (
                    "`psf: grid` needs `psf_grids`, the folder with the library's files, or "
                    "`fetch_psf_grids: true`"
                ),
            )
        if self.fetch_psf_grids and self.psf not in ("grid", "hybrid"):
            yield ("fetch_psf_grids",), "this is for `psf: grid` or `psf: hybrid`"
        # a stage gets all values, those of no recipe too
        written = targets is not None and "dolphot" in self.model_fields_set
        if self.engine == "dolphot" and self.artificial_stars:
            yield ("artificial_stars",), "those of DOLPHOT are `dolphot: {fake: ...}`"
        if self.engine != "dolphot" and written:
            yield ("dolphot",), "this is for `engine: dolphot`"
