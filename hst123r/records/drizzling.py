"""What a recipe can say about drizzling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from hst123r.records.amount import Amount
from hst123r.records.boxes import MaskBox
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat
from hst123r.records.params import (
    Angle,
    Misfit,
    Params,
    PositiveAngle,
    PositivePixels,
    RootName,
)

Label = Literal["detector", "filter", "epoch", "visit", "target", "proposal"]
Combine = Literal[
    "auto", "minmed", "median", "mean", "imedian", "imean", "iminmed", "sum"
]  # fmt: skip

BITS: Final = tuple(2**power for power in range(16))
"""All that the 16-bit data quality of a detector can have."""


def words(values: list[float]) -> str:
    """Return numbers as AstroDrizzle reads several in one parameter."""
    return " ".join(f"{value:g}" for value in values)


def _bit(value: int) -> int:
    if value not in BITS:
        raise ValueError(f"{value} is not one bit; write for example [64, 512], not their sum")
    return value


Bit = Annotated[int, AfterValidator(_bit), WithJsonSchema({"type": "integer", "enum": list(BITS)})]


class DrizzleParams(Params):
    """Parameters of the stage `drizzle`."""

    engine: Literal["astrodrizzle", "drizzle"] = Field(
        "astrodrizzle",
        description="What drizzles: AstroDrizzle, or its steps around the kernels of the package "
        "drizzle, which takes two thirds of the time and places pixels more exactly",
    )
    per: list[Label] = Field(
        ["detector", "filter"],
        description="One stack for each; field, detector and filter always count",
    )
    grid: Literal["own", "shared"] = Field(
        "own",
        description="Each stack as large as its exposures, or all stacks of a field on one grid "
        "of pixels, ready to be subtracted",
    )
    scale: PositiveAngle = Field(Amount(0.05, "arcsec"), description="Pixel scale of the stack")
    rotation: Angle | None = Field(
        Amount(0.0, "deg"),
        description="Position angle of the stack's y axis, east of north; null keeps that of the "
        "first exposure",
    )
    size: PositivePixels | None = Field(
        None,
        description="Side of the stack, centred on the target; null for all that the exposures "
        "cover",
    )
    max_megapixels: float = Field(
        200.0, gt=0, description="A stack of more million pixels is refused before it is made"
    )
    pixfrac: float = Field(0.8, gt=0, le=1, description="Size of the drop, in input pixels")
    kernel: Literal["square", "turbo", "point", "gaussian", "lanczos3"] = Field(
        "square", description="Shape of the drop; gaussian and lanczos3 do not conserve flux"
    )
    bits: list[Bit] = Field(
        default_factory=list,
        description="Data-quality bits that are accepted as good, each a power of two",
    )
    weight: Literal["EXP", "ERR", "IVM"] = Field(
        "EXP",
        description="Weight by exposure time, by ERR, or by the inverse variance of flat, dark "
        "and sky (which needs their reference files)",
    )
    units: Literal["cps", "counts"] = Field("cps", description="Electrons per second, or electrons")
    fill: float | None = Field(
        None, description="Value of pixels without weight; null for not-a-number"
    )
    zeropoint: float | None = Field(
        None,
        description="AB magnitude of one unit of the stack, to which its pixels are scaled; null "
        "leaves them in electrons",
    )
    object: str | None = Field(
        None, min_length=1, max_length=60, description="Name for TARGNAME and OBJECT of the header"
    )
    rms: bool = Field(
        False,
        description="Add a map of the noise, RMS, with the correlation of drizzled pixels in it",
    )
    equalise: bool = Field(
        True, description="Bring chips and exposures to one PHOTFLAM before they are combined"
    )
    subtract_sky: bool = Field(True, description="Subtract the sky, matched between exposures")
    sky_method: Literal["globalmin+match", "localmin", "globalmin", "match"] = Field(
        "globalmin+match", description="How the skies of exposures and chips are matched"
    )
    sky_statistic: Literal["mode", "median", "mean"] = Field(
        "mode", description="What the sky of a chip is"
    )
    sky_width: float = Field(0.1, gt=0, description="Bins of the sky's histogram, sigma")
    sky_lower: float | None = Field(None, description="Fainter pixels are no sky, image units")
    sky_upper: float | None = Field(None, description="Brighter pixels are no sky, image units")
    sky_clip: int = Field(5, ge=0, description="Rounds of clipping the sky")
    sky_sigma: list[float] = Field(
        [4.0, 4.0],
        min_length=2,
        max_length=2,
        description="Clipping below and above the sky, sigma",
    )
    mask: list[MaskBox] = Field(
        default_factory=list,
        description="Boxes on the sky that are left out of the stack; sky and cosmic rays are "
        "found as without them",
    )
    extra: list[RootName] = Field(
        default_factory=list,
        description="Exposures of which a stack takes only what lies in the boxes of mask, by root "
        "name",
    )
    static_mask: bool = Field(
        True, description="Leave out pixels far below the sky in all exposures, as hst123 does"
    )
    static_sigma: float = Field(4.0, gt=0, description="How far below the sky, sigma")
    cosmic_rays: bool = Field(
        True, description="Find cosmic rays, where a group has two exposures or more"
    )
    combine: Combine = Field(
        "auto", description="How cosmic rays stand out; auto: minmed below 7 exposures, else median"
    )
    combine_nhigh: int | None = Field(
        None,
        ge=0,
        description="High values left out of the median; null: none below 7 exposures, else half "
        "of those above the four lowest",
    )
    combine_nlow: int = Field(0, ge=0, description="Low values left out of the median")
    combine_low: float | None = Field(
        None, description="Lower values are left out of the median, image units; hst123: -10000"
    )
    combine_high: float | None = Field(
        None, description="Higher values are left out of the median, image units"
    )
    combine_nsigma: list[float] = Field(
        [4.0, 3.0], min_length=2, max_length=2,
        description="From how many sigma minmed takes the minimum for the median",
    )  # fmt: skip
    combine_mask: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Weights below this part of the mean are left out of the median",
    )
    combine_grow: int = Field(
        1, ge=0, description="Pixels around a rejected one that minmed looks at again"
    )
    cr_snr: list[float] = Field(
        [3.5, 3.0], min_length=2, max_length=2, description="Thresholds of cosmic rays, sigma"
    )
    cr_scale: list[float] = Field(
        [1.2, 0.7], min_length=2, max_length=2, description="Factors of the image's derivative"
    )
    cr_grow: int = Field(
        1,
        ge=1,
        description="Pixels along the box around a cosmic ray where the lower threshold holds",
    )
    cr_cte_grow: int = Field(
        0, ge=0, description="Length of the tails of charge transfer to flag, pixels"
    )
    max_cosmic_ray_fraction: float = Field(
        0.1, gt=0, le=1, description="More pixels rejected than this is a caveat"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which values do not fit together."""
        del targets
        if self.zeropoint is not None and self.units == "counts":
            yield (
                ("zeropoint",),
                "a fixed zeropoint is that of a rate; leave out units: counts",
            )
        if self.extra and not self.mask:
            yield (
                ("extra",),
                "extra exposures fill the boxes of mask, and there are none; give mask",
            )
        if self.extra and self.units == "counts":
            text = "boxes filled by other exposures hold another part of all counts"
            yield ("extra",), f"{text}; leave out units: counts"
        if self.size is not None and self.size.to("pix") < 1:
            yield ("size",), f"a stack of {self.size} has no pixel; give at least 1 pix"
        if self.engine == "drizzle" and self.kernel == "lanczos3":
            text = "lanczos3 of the package drizzle is another kernel than AstroDrizzle's"
            yield ("kernel",), f"{text}; leave out engine: drizzle"
        if self.rms and self.weight != "EXP":
            yield ("rms",), f"the noise is that of weights by EXP, not by {self.weight}"

    def rule(self, number: int) -> tuple[str, int]:
        """Return how a number of exposures is combined to find cosmic rays.

        The rule is that of hst123: below seven exposures the minimum stands in for the median
        where it is too high; from seven, half of what is above the four lowest is left out.

        Parameters
        ----------
        number : int
            Exposures of the group.

        Returns
        -------
        (str, int)
            AstroDrizzle's ``combine_type`` and ``combine_nhigh``.
        """
        few = number < 7
        kind = ("minmed" if few else "median") if self.combine == "auto" else self.combine
        if self.combine_nhigh is not None:
            return kind, self.combine_nhigh
        return kind, 0 if few else int((number - 4) / 2)

    def caveats(self, roots: Sequence[str], absent: Sequence[str]) -> Iterator[Caveat]:
        """Say what a user of a stack should know of the parameters themselves.

        Parameters
        ----------
        roots : sequence of str
            Root names of its exposures.
        absent : sequence of str
            Root names in ``extra`` that no exposure of any stack has.

        Yields
        ------
        Caveat
            Each with its sentence.
        """
        if self.weight == "ERR":
            text = (
                "weights by ERR hold the photons of the sources themselves, so bright stars lose "
                "light in the stack; do not measure them there"
            )
            yield Caveat("weight_err", text)
        if self.kernel in ("gaussian", "lanczos3"):
            yield Caveat("kernel", f"the kernel {self.kernel} does not conserve flux")
        for root in absent:
            text = f"{root}, which extra names, is not among the exposures; no box is filled by it"
            yield Caveat("extra_absent", text, root)
        if set(roots) <= set(self.extra):
            text = "all its exposures are extra, so there is nothing outside the boxes of mask"
            yield Caveat("extra_only", text)

    def keywords(self, search: bool, number: int) -> dict[str, Any]:
        """Return what AstroDrizzle is told beside the main settings, by its own names.

        Parameters
        ----------
        search : bool
            Whether it looks for cosmic rays.
        number : int
            Exposures of the group.

        Returns
        -------
        dict of str to Any
            Names and values of its parameters.
        """
        low, high = self.sky_sigma
        # one exposure has none to be matched with, and its sky would be left in for that
        alone = number == 1 and self.sky_method == "globalmin+match"
        return {
            "skymethod": "globalmin" if alone else self.sky_method,
            "skystat": self.sky_statistic,
            "skywidth": self.sky_width,
            "skylower": self.sky_lower,
            "skyupper": self.sky_upper,
            "skyclip": self.sky_clip,
            "skylsigma": low,
            "skyusigma": high,
            "static": search and self.static_mask,
            "static_sig": self.static_sigma,
            "combine_nlow": self.combine_nlow,
            "combine_lthresh": self.combine_low,
            "combine_hthresh": self.combine_high,
            "combine_nsigma": words(self.combine_nsigma),
            "combine_maskpt": self.combine_mask,
            "combine_grow": self.combine_grow,
            "driz_cr_grow": self.cr_grow,
            "driz_cr_ctegrow": self.cr_cte_grow,
            "final_fillval": self.fill,
        }

    def unit(self, exposures: str) -> str:
        """Return the unit of a stack from that of its exposures: by second, or not."""
        base = exposures.removesuffix("/S")
        return f"{base}/S" if self.units == "cps" else base

    def refusal(
        self, label: str, shape: tuple[int, int], exposures: Sequence[Exposure] = ()
    ) -> str:
        """Say why a stack must not be made, empty where it may.

        Parameters
        ----------
        label : str
            Its name.
        shape : (int, int)
            Its rows and columns.
        exposures : sequence of Exposure
            Its exposures.

        Returns
        -------
        str
            A sentence.
        """
        rows, columns = shape
        chips = [chip for exposure in exposures for chip in exposure.chips]
        gains = sorted({chip.gain for chip in chips})
        if len(gains) > 1 and not (self.equalise and all(chip.photflam for chip in chips)):
            # PHOTFLAM would be that of neither: with gains of 7 and 15, stars 13 % too bright
            away = "leave out equalise: false" if not self.equalise else "it needs PHOTFLAM in all"
            told = " and ".join(f"{gain:g}" for gain in gains)
            return f"{label} has counts of gains {told}, which only equalise makes one; {away}"
        if rows * columns <= self.max_megapixels * 1e6:
            return ""
        return (
            f"{label} would have {columns} x {rows} pixels, and max_megapixels allows "
            f"{self.max_megapixels:g} million; give a size, a coarser scale, or leave out what "
            "lies far away"
        )
