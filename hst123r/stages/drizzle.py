"""Combine the exposures of each group into a stack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from hst123r import instruments
from hst123r.records.amount import Amount
from hst123r.records.exposure import Exposure, group_name
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality
from hst123r.records.params import Angle, Params, PositiveAngle
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, Job, Need, Scope, Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.external.astrodrizzle import Grid, Settings

Label = Literal["detector", "filter", "epoch", "visit"]


BITS: Final = tuple(2**power for power in range(16))
"""All that the 16-bit data quality of a detector can have."""


def _bit(value: int) -> int:
    if value not in BITS:
        raise ValueError(f"{value} is not one bit; write for example [64, 512], not their sum")
    return value


Bit = Annotated[int, AfterValidator(_bit), WithJsonSchema({"type": "integer", "enum": list(BITS)})]


class DrizzleParams(Params):
    """Parameters of the stage `drizzle`."""

    per: list[Label] = Field(
        ["detector", "filter"],
        description="One stack for each; field, detector and filter always count",
    )
    scale: PositiveAngle = Field(Amount(0.05, "arcsec"), description="Pixel scale of the stack")
    rotation: Angle = Field(
        Amount(0.0, "deg"), description="Position angle of the stack's y axis, east of north"
    )
    pixfrac: float = Field(0.8, gt=0, le=1, description="Size of the drop, in input pixels")
    kernel: Literal["square", "turbo", "point", "gaussian", "lanczos3"] = Field(
        "square", description="Shape of the drop; gaussian and lanczos3 do not conserve flux"
    )
    bits: list[Bit] = Field(
        default_factory=list,
        description="Data-quality bits that are accepted as good, each a power of two",
    )
    weight: Literal["EXP", "ERR"] = Field("EXP", description="Weight by exposure time or by ERR")
    units: Literal["cps", "counts"] = Field("cps", description="Electrons per second, or electrons")
    subtract_sky: bool = Field(True, description="Subtract the sky, matched between exposures")
    cosmic_rays: bool = Field(
        True, description="Find cosmic rays, where a group has two exposures or more"
    )
    combine: Literal["auto", "minmed", "median"] = Field(
        "auto", description="How cosmic rays stand out; auto: minmed below 7 exposures"
    )
    cr_snr: list[float] = Field(
        [3.5, 3.0], min_length=2, max_length=2, description="Thresholds of cosmic rays, sigma"
    )
    cr_scale: list[float] = Field(
        [1.2, 0.7], min_length=2, max_length=2, description="Factors of the image's derivative"
    )
    max_cosmic_ray_fraction: float = Field(
        0.1, gt=0, le=1, description="More pixels rejected than this is a caveat"
    )


class Drizzle(Stage[DrizzleParams]):
    """Combine the exposures of each group into a stack."""

    name = "drizzle"
    params = DrizzleParams
    version = 1
    needs = (
        Need("exposure", facets=IMAGE),
        Need("cosmic-ray mask", facets=("pixels",), facts=("epochs",), optional=True, every=True),
    )
    makes = ("stack", "cosmic-ray mask")
    implied = True
    per = "group"
    varies_by = ("detector", "filter")
    tools = ("drizzlepac", "stwcs", "astropy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: DrizzleParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each group of exposures of a field."""
        keys = ["field", "detector", "filter"]
        keys += [key for key in ("epoch", "visit") if key in params.per]
        groups: dict[tuple[str, ...], list[Product]] = {}
        for product in inputs["exposure"]:
            groups.setdefault(tuple(product.labels[key] for key in keys), []).append(product)
        positions = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        for values, members in sorted(groups.items()):
            labels = dict(zip(keys, values, strict=True))
            slug = instruments.get(labels["detector"]).slug
            more = [labels[key] for key in keys[3:]]
            label = group_name(labels["field"], slug, labels["filter"], *more)
            members.sort(key=lambda p: (p.facts["start_mjd"], p.name))
            masks = _known_masks(members, inputs.get("cosmic-ray mask", []))
            held = sorted(
                {name for p in members for c in p.facts["chips"] for name in c["targets"]}
            )
            arguments = {
                "centre": positions[labels["field"]],
                "targets": {name: positions[name] for name in held},
            }
            given = {"exposure": members, "cosmic-ray mask": masks}
            yield Job(label, labels, given, arguments)

    def memory_mb(self, job: Job, params: DrizzleParams) -> float:
        """Estimate from the pixels read and made: 11 bytes each, measured on four ACS frames."""
        exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
        read: int = sum(chip.pixels for exposure in exposures for chip in exposure.chips)
        detector = instruments.get(job.labels["detector"])
        ratio = (detector.pixel_scale.value / params.scale.to("arcsec")) ** 2
        made = 1.6 * ratio * read
        return float(400.0 + 11e-6 * (read + made))

    def run(self, job: Job, params: DrizzleParams, context: Context) -> Outcome:
        """Drizzle one group."""
        from hst123r.external.astrodrizzle import astrodrizzle
        from hst123r.products.previews import preview
        from hst123r.products.stacks import write_stack
        from hst123r.products.working_copy import state_units, working_copy

        exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
        folder = context.folder("drizzle")
        for product, exposure in zip(job.inputs["exposure"], exposures, strict=True):
            state_units(working_copy(product.files, folder)["science"], exposure)
        names = [Path(p.files["science"]).name for p in job.inputs["exposure"]]
        _flag_known(job, folder)
        grid = _grid(job, params, folder, exposures)
        images = astrodrizzle(folder, names, grid, _settings(params, job))
        path = context.product(f"{job.label}_drz.fits")
        facts = write_stack(images, path, _cards(job, exposures), _unit(params, exposures))
        picture = context.product(f"{job.label}.png")
        preview(path, picture, job.arguments["targets"], title=job.label)
        facts |= {
            "exposures": [exposure.root for exposure in exposures],
            "start_mjd": min(exposure.start_mjd for exposure in exposures),
            "end_mjd": max(exposure.end_mjd for exposure in exposures),
            "scale_arcsec": grid.scale_arcsec,
            "shape": list(grid.shape),
            "weight_type": params.weight,
            "compared": _compared(params, job, exposures),
            "targets": sorted(job.arguments["targets"]),
        }
        files = {"science": str(path), "preview": str(picture)}
        stack = Product("stack", job.label, dict(job.labels), files, facts)
        masks, measured = _masks(job, params, folder, exposures, context)
        return Outcome([stack, *masks], measured, _caveats(params, job))


def _grid(job: Job, params: DrizzleParams, folder: Path, exposures: list[Exposure]) -> Grid:
    from hst123r.algorithms.grid import extent
    from hst123r.external.astrodrizzle import Grid
    from hst123r.products.exposures import chip_corners

    ra, dec = job.arguments["centre"]
    corners = [
        corner
        for product, exposure in zip(job.inputs["exposure"], exposures, strict=True)
        for corner in chip_corners(folder / Path(product.files["science"]).name, exposure)
    ]
    scale, rotation = params.scale.to("arcsec"), params.rotation.to("deg")
    found = extent(corners, ra, dec, scale, rotation)
    return Grid(ra, dec, found.crpix, found.shape, scale, rotation)


def _known_masks(members: list[Product], masks: list[Product]) -> list[Product]:
    """Masks of the exposures that an earlier stage found within one epoch, if it has them all.

    Against the median of several epochs a source that changed looks like a cosmic ray, so a
    stack of many epochs takes over what was found in each.
    """
    known = {mask.name: mask for mask in masks if mask.facts["epochs"] == 1}
    found = [known[product.name] for product in members if product.name in known]
    return found if len(found) == len(members) else []


def _flag_known(job: Job, folder: Path) -> None:
    """Write what is known of cosmic rays into the data quality of the copies."""
    from hst123r.external.astrodrizzle import CR_BIT
    from hst123r.products.quality import flag_pixels, read_mask

    masks = {mask.name: mask.files["mask"] for mask in job.inputs["cosmic-ray mask"]}
    for product in job.inputs["exposure"]:
        if product.name in masks:
            files = {role: folder / Path(path).name for role, path in product.files.items()}
            flag_pixels(files, read_mask(masks[product.name]), CR_BIT)


def _finds_cosmic_rays(params: DrizzleParams, job: Job) -> bool:
    """Whether this job looks for cosmic rays itself."""
    several = len(job.inputs["exposure"]) > 1
    return params.cosmic_rays and several and not job.inputs["cosmic-ray mask"]


def _settings(params: DrizzleParams, job: Job) -> Settings:
    from hst123r.external.astrodrizzle import Settings

    number = len(job.inputs["exposure"])
    auto = "minmed" if number < 7 else "median"
    combine = auto if params.combine == "auto" else params.combine
    return Settings(
        pixfrac=params.pixfrac,
        kernel=params.kernel,
        good_bits=sum(set(params.bits)),
        weight=params.weight,
        units=params.units,
        sky=params.subtract_sky,
        reject_cosmic_rays=_finds_cosmic_rays(params, job),
        combine_type=combine,
        # half of what is above the four lowest is left out, as hst123 does
        combine_nhigh=0 if number < 7 else int((number - 4) / 2),
        cr_snr=" ".join(f"{value:g}" for value in params.cr_snr),
        cr_scale=" ".join(f"{value:g}" for value in params.cr_scale),
    )


def _cards(job: Job, exposures: list[Exposure]) -> dict[str, tuple[Any, str]]:
    first, last = min(e.start_mjd for e in exposures), max(e.end_mjd for e in exposures)
    return {
        "ROOTNAME": (job.label, "name of the stack"),
        "FILENAME": (f"{job.label}_drz.fits", "name of file"),
        "FILTER": (job.labels["filter"], "filter"),
        "NINPUT": (len(exposures), "number of exposures"),
        "INPUT": (",".join(e.root for e in exposures), "root names of the exposures"),
        "EXPSTART": (first, "start of the first exposure, MJD"),
        "EXPEND": (last, "end of the last exposure, MJD"),
        "MJD-AVG": (
            sum(e.middle_mjd * e.exposure_time_s for e in exposures)
            / sum(e.exposure_time_s for e in exposures),
            "mean time weighted by exposure, MJD",
        ),
    }


def _compared(params: DrizzleParams, job: Job, exposures: list[Exposure]) -> list[str]:
    """Return for every bit of the context image the group in which it was searched.

    Empty where nobody looked for cosmic rays, as in exposures whose ramps have removed them.
    """
    masked = bool(job.inputs["cosmic-ray mask"])
    if not (masked or _finds_cosmic_rays(params, job)):
        return []
    epochs = {p.name: p.labels["epoch"] if masked else "all" for p in job.inputs["exposure"]}
    return [epochs[exposure.root] for exposure in exposures for _ in exposure.chips]


def _unit(params: DrizzleParams, exposures: list[Exposure]) -> str:
    """Return the unit of the stack: that of the exposures, by second or not."""
    base = exposures[0].chips[0].unit.removesuffix("/S")
    return f"{base}/S" if params.units == "cps" else base


def _caveats(params: DrizzleParams, job: Job) -> list[Caveat]:
    caveats = []
    epochs = {product.labels["epoch"] for product in job.inputs["exposure"]}
    if _finds_cosmic_rays(params, job) and len(epochs) > 1:
        text = (
            "cosmic rays were found against the median of several epochs, so a source that "
            "changed can be taken for one; drizzle each epoch first"
        )
        caveats.append(Caveat("cosmic_rays_across_epochs", text))
    if params.weight == "ERR":
        text = (
            "weights by ERR hold the photons of the sources themselves, so bright stars lose light "
            "in the stack; do not measure them there"
        )
        caveats.append(Caveat("weight_err", text))
    if params.kernel in ("gaussian", "lanczos3"):
        text = f"the kernel {params.kernel} does not conserve flux"
        caveats.append(Caveat("kernel", text))
    return caveats


def _masks(
    job: Job, params: DrizzleParams, folder: Path, exposures: list[Exposure], context: Context
) -> tuple[list[Product], list[Measurement]]:
    """What was flagged as cosmic rays, and its fraction, for each exposure."""
    from hst123r.external.astrodrizzle import CR_BIT
    from hst123r.products.quality import data_quality, write_mask

    products: list[Product] = []
    measured: list[Measurement] = []
    if not _finds_cosmic_rays(params, job):
        return products, measured
    epochs = len({product.labels["epoch"] for product in job.inputs["exposure"]})
    for source, exposure in zip(job.inputs["exposure"], exposures, strict=True):
        files = {role: str(folder / Path(path).name) for role, path in source.files.items()}
        flagged: dict[int, NDArray[np.bool_]] = {
            version: (quality & CR_BIT) != 0
            for version, quality in data_quality(files, exposure).items()
        }
        path = context.product(f"{exposure.root}_crmask.fits")
        write_mask(flagged, path, "CRMASK")
        labels = {**job.labels, "exposure": exposure.root}
        mask = Product(
            "cosmic-ray mask", exposure.root, labels, {"mask": str(path)}, {"epochs": epochs}
        )
        products.append(mask)
        pixels = sum(mask.size for mask in flagged.values())
        fraction = sum(int(mask.sum()) for mask in flagged.values()) / pixels
        measured.append(
            Measurement(
                "cosmic_ray_fraction", fraction, high=params.max_cosmic_ray_fraction,
                fails=Quality.CAVEAT, subject=exposure.root,
            )
        )  # fmt: skip
    return products, measured
