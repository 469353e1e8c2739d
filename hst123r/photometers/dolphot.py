"""DOLPHOT as the engine: one run for all detectors and filters of a field.

DOLPHOT finds stars in all images together and measures each star in every image, whatever camera
took it, so a field is one job: a star has one number and one place in all filters, and one that is
faint in each of them is still found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from hst123r import instruments
from hst123r.errors import EnvironmentProblem, InputError
from hst123r.external.dolphot_installation import Installation, needed
from hst123r.external.dolphot_programs import SPLIT
from hst123r.photometers.params import PhotometryParams
from hst123r.records.exposure import Exposure, band
from hst123r.records.outcome import Outcome, Product
from hst123r.stage.context import Context
from hst123r.stage.contract import DOLPHOT_FILE, Job, Scope
from hst123r.stage.resources import Cores

DEEPEST: Final = "deepest"
FIRST: Final = "first"
MOST_CORES: Final = 8
"""As many as there are batches of artificial stars at most."""
ONE_EPOCH: Final = 1
"""A mask against several epochs can hold the very source whose changes are wanted."""


def divide(
    inputs: dict[str, list[Product]], params: PhotometryParams, scope: Scope
) -> Iterator[Job]:
    """One job for each field, with all its exposures and the image that places refer to."""
    sources = {product.labels["field"]: product for product in inputs["sources"]}
    fields: dict[str, list[Product]] = {}
    for product in inputs["exposure"]:
        fields.setdefault(product.labels["field"], []).append(product)
    for field, members in sorted(fields.items()):
        if field not in sources:
            continue
        members.sort(key=lambda p: (p.facts["start_mjd"], p.name))
        roots = {product.name for product in members}
        masks = {
            p.name: p
            for p in inputs.get("cosmic-ray mask", [])
            if p.name in roots and p.facts["epochs"] == ONE_EPOCH
        }
        wanted = masks.values() if params.dolphot.cosmic_rays == "masks" else ()
        given = {
            "sources": [sources[field]],
            "exposure": members,
            "cosmic-ray mask": list(wanted),
            "stack": _reference(params, inputs.get("stack", []), field),
        }
        given[DOLPHOT_FILE] = installed_files(params, given)
        arguments: dict[str, Any] = {
            "epochs": {product.name: product.labels["epoch"] for product in members},
            "targets": sources[field].facts["targets"],
        }
        check(Job(field, {"field": field}, given, arguments), params, scope)
        yield Job(field, {"field": field}, given, arguments)


def memory_mb(job: Job, params: PhotometryParams) -> float:
    """Estimate: what we need, and one DOLPHOT."""
    del params
    return 550.0 + _dolphot_mb(job)


def _dolphot_mb(job: Job) -> float:
    """Estimate: DOLPHOT keeps image, sky, and residuals, and 48 MB for the list of stars."""
    return 50.0 + 24e-6 * sum(_pixels(job))


def _sky_mb(job: Job) -> float:
    """Estimate: what a process has to import, and the largest image (394 MB for 4096 by 2048)."""
    stacks: list[int] = [math.prod(product.facts["shape"]) for product in job.inputs["stack"]]
    return 110.0 + 34e-6 * max([*_pixels(job), *stacks], default=0)


def _pixels(job: Job) -> list[int]:
    """Return how many each chip has."""
    return [c.pixels for p in job.inputs["exposure"] for c in Exposure.own(p.facts).chips]


def cores(job: Job, params: PhotometryParams) -> Cores:
    """DOLPHOT has threads; a sky map is a process, and so is each batch of artificial stars."""
    fake = params.dolphot.fake is not None and not params.dolphot.align_only
    return Cores(MOST_CORES, max(_sky_mb(job), _dolphot_mb(job) if fake else 0.0))


def run(job: Job, params: PhotometryParams, context: Context) -> Outcome:
    """Measure one field."""
    from hst123r.photometers.dolphot_field import Field
    from hst123r.photometers.dolphot_outcome import aligned, measured

    field = Field(job, params, context)
    field.prepare()
    if params.dolphot.align_only:
        return aligned(field, field.align())
    finished = field.measure()
    return measured(field, finished)


def _reference(params: PhotometryParams, stacks: list[Product], field: str) -> list[Product]:
    """Return the stack that is the reference, or nothing for the first exposure."""
    from hst123r.products.stacks import depth

    wanted = params.dolphot.reference
    if wanted == FIRST:
        return []
    here = sorted(
        (p for p in stacks if p.labels.get("field") == field),
        key=lambda p: (-depth(p.facts), p.name),
    )
    if wanted == DEEPEST:
        if not here:
            raise InputError(
                f"there is no stack of {field} to be DOLPHOT's reference",
                hint="Put `drizzle` before it, or take `dolphot: {reference: first}`",
            )
        return here[:1]
    named = [product for product in here if product.name == wanted]
    if not named:
        known = ", ".join(product.name for product in here) or "none"
        raise InputError(f"there is no stack {wanted!r} of {field}", hint=f"There are {known}")
    return named


def installed_files(params: PhotometryParams, given: dict[str, list[Product]]) -> list[Product]:
    """Return the program and the files of its modules that a job reads: they decide about results.

    Raises
    ------
    EnvironmentProblem
        If the program, a module, or one of the files is missing; all that is missing at once.
    """
    detectors = {p.labels["detector"]: instruments.get(p.labels["detector"])
                 for p in given["exposure"]}  # fmt: skip
    library = params.dolphot.psf == "library"
    keywords = {facts.dolphot.mask.keyword for facts in detectors.values()} if library else set()
    found = needed({instruments.get(name).dolphot.mask.keyword for name in instruments.names()})
    if absent := sorted(keywords - found.words):
        names = sorted(
            {d.dolphot.mask.module for d in detectors.values() if d.dolphot.mask.keyword in absent}
        )
        raise EnvironmentProblem(
            f"DOLPHOT was built without its module {', '.join(names)}", where=str(found.program),
            hint="Build it with the module, or take `dolphot: {psf: analytic}`, its generic mode",
        )  # fmt: skip
    files = {"dolphot": found.program, **mask_programs(params, found, detectors)}
    if found.base is not None:
        wanted = {*needed_files(params, given["exposure"], given["stack"]), *module_files(found)}
        files |= {name: found.base / name for name in sorted(wanted)}
        files |= found.unasked()
    missing = sorted(str(path) for path in files.values() if not path.is_file())
    if missing:
        raise EnvironmentProblem(
            f"DOLPHOT has no {', '.join(missing)}",
            hint="Install the files of its modules: PSFs, maps of pixel areas and tables",
        )
    return [Product(DOLPHOT_FILE, name, {}, {"file": str(path)}) for name, path in files.items()]


def mask_programs(
    params: PhotometryParams, found: Installation, detectors: Iterable[str]
) -> dict[str, Path]:
    """Return DOLPHOT's own programs that mask pixels and split chips, where they are to.

    Raises
    ------
    EnvironmentProblem
        If one is missing.
    """
    if params.dolphot.mask != "external":
        return {}
    masks = {f"{instruments.get(name).dolphot.mask.module}mask" for name in detectors}
    result = {}
    for name in (SPLIT, *sorted(masks)):
        path = found.sibling(name)
        if path is None:
            raise EnvironmentProblem(
                f"there is no program {name} beside DOLPHOT or on the search path",
                hint="Install the module, or take `dolphot: {mask: internal}`",
            )
        result[name] = path
    return result


def module_files(found: Installation) -> list[str]:
    """Return the tables of all modules that a program was built with: it reads them in every run.

    Parameters
    ----------
    found : Installation
        With the keywords of all modules looked for.

    Returns
    -------
    list of str
        Below its folder; none for a script, which does not tell.
    """
    if found.script:
        return []
    masks = [instruments.get(name).dolphot.mask for name in instruments.names()]
    return sorted(
        {f"{m.module}/data/{name}" for m in masks if m.keyword in found.words for name in m.files}
    )


def needed_files(
    params: PhotometryParams, exposures: Sequence[Product], stacks: Sequence[Product] = ()
) -> list[str]:
    """Return the files of DOLPHOT's modules that some exposures need, below its folder.

    Parameters
    ----------
    params : PhotometryParams
        Whether the library of PSFs and the maps of areas are used.
    exposures : sequence of Product
        With the labels ``detector`` and ``filter``, and the facts of their chips.
    stacks : sequence of Product
        The reference, whose PSF is that of the first chip.

    Returns
    -------
    list of str
        Such as ``<module>/data/<filter>.<chip>.psf``, each once, sorted.
    """
    found: set[str] = set()
    for product in (*exposures, *stacks):
        mask = instruments.get(product.labels["detector"]).dolphot.mask
        numbers = {chip["number"] for chip in product.facts.get("chips", [])}
        chips = [facts for facts in mask.chips if facts.number in numbers] or mask.chips[:1]
        names: list[str] = []
        if params.dolphot.psf == "library":
            through = band(product.labels["filter"])
            names += [*mask.files, *(f"{through}.{facts.psf}.psf" for facts in chips)]
        if params.dolphot.areas == "maps" or params.dolphot.mask == "external":
            names += [facts.area_file for facts in chips if facts.area_file is not None]
        found |= {f"{mask.module}/data/{name}" for name in names}
    return sorted(found)


def check(job: Job, params: PhotometryParams, scope: Scope) -> None:
    """Check the parameters of a run before anything is done.

    Raises
    ------
    InputError
        If DOLPHOT would refuse them, or change them without a word.
    """
    from hst123r.photometers.dolphot_images import chosen_chips, image_values, parameters_of

    chips = chosen_chips(job, params)

    def own(detector: str, through: str) -> PhotometryParams:
        varied = scope.varied(detector, through) if scope.varied is not None else params
        return varied if isinstance(varied, PhotometryParams) else params

    stack = job.inputs["stack"][0] if job.inputs["stack"] else None
    values = image_values(chips, stack, own, analytic=params.dolphot.psf == "analytic")
    parameters_of(chips, stack, params, values)
    if params.dolphot.fake is not None:
        from hst123r.photometers.dolphot_fake_places import check_fake

        check_fake(params.dolphot.fake, job, chips, {p.name for p in job.inputs[DOLPHOT_FILE]})
