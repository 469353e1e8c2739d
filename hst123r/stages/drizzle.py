"""Combine the exposures of each group into a stack."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hst123r import instruments
from hst123r.products.known_masks import flag_known, known_masks
from hst123r.records.boxes import in_degrees
from hst123r.records.drizzling import DrizzleParams, words
from hst123r.records.exposure import Exposure, group_name
from hst123r.records.groups import grouped, outline, same_everywhere
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Reject
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, Job, Need, Scope, Stage
from hst123r.stage.resources import Forecast

if TYPE_CHECKING:
    from hst123r.algorithms.grid import Extent
    from hst123r.external.astrodrizzle import Grid, Settings
    from hst123r.products.on_stack import Place
    from hst123r.products.stacks import RmsSettings

LEFT_OUT: Final = "left_out"
"""Argument of the job that tells of exposures in no stack."""


class Drizzle(Stage[DrizzleParams]):
    """Combine the exposures of each group into a stack."""

    name = "drizzle"
    params = DrizzleParams
    version = 7
    needs = (
        Need("exposure", facets=IMAGE),
        Need("cosmic-ray mask", facets=("pixels",), facts=("epochs",), optional=True, every=True),
    )
    makes = ("stack", "cosmic-ray mask")
    implied = True
    per = "group"
    varies_by = ("detector", "filter")
    divides_by = ("max_megapixels",)
    tools = ("drizzlepac", "stwcs", "astropy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: DrizzleParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each group of exposures of a field."""
        same_everywhere(inputs["exposure"], params, scope.varied)
        keys, groups, left_out = grouped(inputs["exposure"], params.per)
        absent = sorted(set(params.extra) - {product.name for product in inputs["exposure"]})
        positions = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        labelled = [dict(zip(keys, values, strict=True)) for values in groups]
        for labels, members in zip(labelled, groups.values(), strict=True):
            slug = instruments.get(labels["detector"]).slug
            more = [labels[key] for key in keys[3:]]
            label = group_name(labels["field"], slug, labels["filter"], *more)
            masks = known_masks(members, inputs.get("cosmic-ray mask", []))
            held = sorted(
                {name for p in members for c in p.facts["chips"] for name in c["targets"]}
            )
            centre = labels["field"] if params.grid == "shared" else labels.get("target")
            arguments = {
                "centre": positions[centre or labels["field"]],
                "targets": {name: positions[name] for name in held},
            }
            if absent:
                arguments["absent"] = absent
            if params.grid == "shared":
                arguments["shared"] = outline(inputs["exposure"], labels["field"])
            given = {"exposure": members, "cosmic-ray mask": masks}
            yield Job(label, labels, given, arguments)
        if left_out:
            # by a job of its own, so that no stack is made again for the sake of a sentence
            told = {product.name: dict(product.labels) for product in left_out}
            yield Job("left-out", arguments={LEFT_OUT: told})

    def software(self, params: DrizzleParams) -> tuple[str, ...]:
        """The engine's own package, too."""
        return (*self.tools, "drizzle") if params.engine == "drizzle" else self.tools

    def memory_mb(self, job: Job, params: DrizzleParams) -> float:
        """Estimate from the pixels read and made: 11 bytes each, measured on four ACS frames."""
        if LEFT_OUT in job.arguments:
            return super().memory_mb(job, params)
        exposures = _exposures(job)
        rows, columns = _expected(job, params, exposures).shape
        # beside the stack itself, each exposure is drizzled alone to find its cosmic rays
        images = 1 + (len(exposures) if _finds_cosmic_rays(params, job) else 0)
        # a stack that cuts through chips gets a margin that holds their parts, turned at worst
        margin = 4 if params.engine == "drizzle" and params.size is not None else 1
        stacks = 11e-6 * (_pixels(exposures) + margin * images * rows * columns)
        # the map of the noise is made when the exposures are done with
        return 400.0 + float(max(stacks, 65e-6 * rows * columns if params.rms else 0.0))

    def forecast(self, job: Job, params: DrizzleParams) -> Forecast | None:
        """Shape, memory and disk of a stack; refused where it would be larger than allowed."""
        if LEFT_OUT in job.arguments:
            return None
        exposures = _exposures(job)
        rows, columns = _expected(job, params, exposures).shape
        planes = math.ceil(sum(len(e.chips) for e in exposures) / 32)
        made = rows * columns * 4 * (2 + planes + params.rms)
        # copies of the exposures (SCI, ERR, DQ), and the images as AstroDrizzle writes them
        scratch = 10 * _pixels(exposures) + made
        return Forecast(
            (rows, columns),
            self.memory_mb(job, params),
            made / 1e6,
            scratch / 1e6,
            params.refusal(job.label, (rows, columns), exposures),
        )

    def run(self, job: Job, params: DrizzleParams, context: Context) -> Outcome:
        """Drizzle one group, or say which exposures are in none."""
        if LEFT_OUT in job.arguments:
            return Outcome(rejects=list(_left_out(job)))
        from hst123r.external.astrodrizzle import CR_BIT
        from hst123r.external.drizzle_engines import make_stack
        from hst123r.products.previews import preview
        from hst123r.products.stacks import cards_of, write_stack
        from hst123r.products.usable import usable
        from hst123r.products.working_copy import equalise, state_units, working_copy

        grid = _grid(job, params, _corners(job), _exposures(job))
        inputs, gone = usable(
            job.inputs, _place(grid), sum(set(params.bits)),
            found_anew=CR_BIT if params.cosmic_rays else 0,
            sky=params.subtract_sky,
        )  # fmt: skip
        job = replace(job, inputs=inputs)
        exposures = _exposures(job)
        folder = context.folder("drizzle")
        photflam = next((c.photflam for e in exposures for c in e.chips if c.photflam), None)
        for product, exposure in zip(job.inputs["exposure"], exposures, strict=True):
            science = working_copy(product.files, folder)["science"]
            state_units(science, exposure)
            if params.equalise and photflam is not None:
                equalise(science, exposure, photflam)
        names = [Path(p.files["science"]).name for p in job.inputs["exposure"]]
        flag_known(job.inputs, folder, CR_BIT)
        box_bit, empty = _leave_out(job, params, folder, exposures)
        settings = _settings(params, job, box_bit)
        images, apart = make_stack(params.engine, folder, names, grid, settings)
        path = context.product(f"{job.label}_drz.fits")
        mostly, extra = _apart(exposures, params.extra)
        about = cards_of(job.label, job.labels["filter"], mostly, params.object, extra)
        unit = params.unit(exposures[0].chips[0].unit)
        noise = _rms_settings(job, params, exposures)
        fill = math.nan if params.fill is None else params.fill
        facts = write_stack(
            images, path, about, unit, fill=fill, zeropoint=params.zeropoint, rms=noise
        )
        picture = context.product(f"{job.label}.png")
        preview(path, picture, job.arguments["targets"], title=job.label)
        facts |= {
            "exposures": [exposure.root for exposure in mostly],
            "extra": [exposure.root for exposure in extra],
            "start_mjd": min(exposure.start_mjd for exposure in mostly),
            "end_mjd": max(exposure.end_mjd for exposure in mostly),
            "scale_arcsec": grid.scale_arcsec,
            "shape": list(grid.shape),
            "weight_type": params.weight,
            "compared": _compared(params, job, exposures),
            "targets": sorted(job.arguments["targets"]),
        }
        files = {"science": str(path), "preview": str(picture)}
        stack = Product("stack", job.label, dict(job.labels), files, facts)
        masks, measured = _masks(job, params, folder, _place(grid), context)
        roots = {name: e.root for name, e in zip(names, exposures, strict=True)}
        unmatched = _unmatched(roots[name] for name in apart)
        told = [*_caveats(params, job), *empty, *gone, *unmatched]
        return Outcome([stack, *masks], measured, told)


def _exposures(job: Job) -> list[Exposure]:
    return [Exposure.own(product.facts) for product in job.inputs["exposure"]]


def _unmatched(roots: Iterable[str]) -> Iterator[Caveat]:
    """Name exposures whose sky was compared with none of most others."""
    from hst123r.external.sky_matching import LEAST_PIXELS

    text = (
        f"shares {LEAST_PIXELS} good pixels with none of most others of its stack, so its sky was "
        "not matched with theirs"
    )
    for root in roots:
        yield Caveat("sky_unmatched", f"{root} {text}", root)


def _apart(
    exposures: list[Exposure], extra: Sequence[str]
) -> tuple[list[Exposure], list[Exposure]]:
    """Return what is in nearly all pixels, and what only fills the boxes of the mask."""
    mostly = [exposure for exposure in exposures if exposure.root not in extra]
    filling = [exposure for exposure in exposures if exposure.root in extra]
    return (mostly, filling) if mostly else (filling, [])


def _pixels(exposures: list[Exposure]) -> int:
    return sum(chip.pixels for exposure in exposures for chip in exposure.chips)


def _expected(job: Job, params: DrizzleParams, exposures: list[Exposure]) -> Extent:
    """The extent of the stack by the records of its exposures, without their files."""
    corners = [(ra, dec) for e in exposures for chip in e.chips for ra, dec in chip.corners]
    return _extent(job, params, corners, exposures)


def _corners(job: Job) -> list[tuple[float, float]]:
    """Where the corners of the exposures lie, by their files as they are now."""
    from hst123r.products.exposures import chip_corners

    return [
        corner
        for product, exposure in zip(job.inputs["exposure"], _exposures(job), strict=True)
        for corner in chip_corners(product.files["science"], exposure)
    ]


def _rotation(job: Job, params: DrizzleParams, exposures: list[Exposure]) -> float:
    if params.rotation is not None:
        return float(params.rotation.to("deg"))
    if "shared" in job.arguments:
        return float(job.arguments["shared"]["rotation"])
    return round(exposures[0].chips[0].position_angle_deg, 3)


def _extent(
    job: Job,
    params: DrizzleParams,
    corners: list[tuple[float, float]],
    exposures: list[Exposure],
) -> Extent:
    """The pixels of the stack: those asked for, those of the field, or those of its exposures."""
    from hst123r.algorithms.grid import centred, extent

    if params.size is not None:
        return centred(round(params.size.to("pix")))
    if "shared" in job.arguments:
        corners = [(ra, dec) for ra, dec in job.arguments["shared"]["corners"]]
    ra, dec = job.arguments["centre"]
    scale = params.scale.to("arcsec")
    return extent(corners, ra, dec, scale, _rotation(job, params, exposures))


def _grid(
    job: Job,
    params: DrizzleParams,
    corners: list[tuple[float, float]],
    exposures: list[Exposure],
) -> Grid:
    from hst123r.external.astrodrizzle import Grid

    ra, dec = job.arguments["centre"]
    found = _extent(job, params, corners, exposures)
    rotation = _rotation(job, params, exposures)
    return Grid(ra, dec, found.crpix, found.shape, params.scale.to("arcsec"), rotation)


def _place(grid: Grid) -> Place:
    from hst123r.algorithms.grid import Extent
    from hst123r.products.on_stack import Place

    extent = Extent(grid.crpix, grid.shape)
    return Place((grid.ra_deg, grid.dec_deg), extent, grid.scale_arcsec, grid.rotation_deg)


def _finds_cosmic_rays(params: DrizzleParams, job: Job) -> bool:
    """Whether this job looks for cosmic rays itself."""
    number = len(job.inputs["exposure"])
    return params.cosmic_rays and number > 1 and len(job.inputs["cosmic-ray mask"]) < number


def _leave_out(
    job: Job, params: DrizzleParams, folder: Path, exposures: list[Exposure]
) -> tuple[int, list[Caveat]]:
    """Flag the boxes of the mask in the copies; return the bit, and which boxes hold no pixel."""
    from hst123r.external.astrodrizzle import CR_BIT
    from hst123r.products.boxes import flag_boxes

    if not params.mask:
        return 0, []
    copies = [
        {role: folder / Path(path).name for role, path in product.files.items()}
        for product in job.inputs["exposure"]
    ]
    taken = CR_BIT | sum(set(params.bits))
    bit, held = flag_boxes(copies, exposures, in_degrees(params.mask), taken, params.extra)
    return bit, [
        Caveat(
            "mask_unused", f"the box of mask at {box.position} lies on none of its exposures",
            box.position,
        )
        for box, pixels in zip(params.mask, held, strict=True)
        if not pixels
    ]  # fmt: skip


def _settings(params: DrizzleParams, job: Job, box_bit: int) -> Settings:
    from hst123r.external.astrodrizzle import Settings

    number = len(job.inputs["exposure"])
    combine, nhigh = params.rule(number)
    searches = _finds_cosmic_rays(params, job)
    chip = _exposures(job)[0].chips[0]
    good = sum(set(params.bits))
    more = params.keywords(searches, number)
    if box_bit:
        # only the last step leaves the boxes out: what is found before is as without them
        more |= {"sky_bits": box_bit, "driz_sep_bits": good | box_bit}
    return Settings(
        pixfrac=params.pixfrac,
        kernel=params.kernel,
        good_bits=good,
        weight=params.weight,
        units=params.units,
        sky=params.subtract_sky,
        reject_cosmic_rays=searches,
        combine_type=combine,
        combine_nhigh=nhigh,
        cr_snr=words(params.cr_snr),
        cr_scale=words(params.cr_scale),
        gain=chip.gain if chip.unit.startswith("COUNTS") else None,
        more=more,
    )


def _rms_settings(job: Job, params: DrizzleParams, exposures: list[Exposure]) -> RmsSettings | None:
    from hst123r.algorithms.noise import correlation_factor
    from hst123r.products.stacks import RmsSettings

    if not params.rms:
        return None
    native = instruments.get(job.labels["detector"]).pixel_scale.value
    ratio = params.scale.to("arcsec") / native
    factor = correlation_factor(params.pixfrac, ratio)
    return RmsSettings(factor, ratio**2, exposures[0].chips[0].gain)


def _compared(params: DrizzleParams, job: Job, exposures: list[Exposure]) -> list[str]:
    """Return for every bit of the context image the group in which it was searched.

    Empty where nobody looked for cosmic rays, as in exposures whose ramps have removed them.
    """
    masked = bool(job.inputs["cosmic-ray mask"])
    if not (masked or _finds_cosmic_rays(params, job)):
        return []
    epochs = {p.name: p.labels["epoch"] if masked else "all" for p in job.inputs["exposure"]}
    return [epochs[exposure.root] for exposure in exposures for _ in exposure.chips]


def _caveats(params: DrizzleParams, job: Job) -> list[Caveat]:
    roots = [product.name for product in job.inputs["exposure"]]
    caveats = list(params.caveats(roots, job.arguments.get("absent", [])))
    epochs = {product.labels["epoch"] for product in job.inputs["exposure"]}
    if _finds_cosmic_rays(params, job) and len(epochs) > 1:
        text = (
            "cosmic rays were found against the median of several epochs, so a source that "
            "changed can be taken for one; drizzle each epoch first"
        )
        caveats.append(Caveat("cosmic_rays_across_epochs", text))
    return caveats


def _left_out(job: Job) -> Iterator[Reject]:
    for root, labels in job.arguments[LEFT_OUT].items():
        text = "no target lies on a chip of it, and stacks are made by target"
        yield Reject(root, "no_target", text, labels)


def _masks(
    job: Job, params: DrizzleParams, folder: Path, place: Place, context: Context
) -> tuple[list[Product], list[Measurement]]:
    """What is flagged as cosmic rays, and its fraction, for each exposure."""
    from hst123r.external.astrodrizzle import CR_BIT
    from hst123r.products.found_masks import found_masks, fractions

    if not _finds_cosmic_rays(params, job):
        return [], fractions(job.inputs["cosmic-ray mask"], params.max_cosmic_ray_fraction)
    masks = found_masks(job.inputs["exposure"], folder, place, CR_BIT, job.labels, context.product)
    return masks, fractions(masks, params.max_cosmic_ray_fraction)
