"""Bring the exposures into ``raw/``, read-only and verified."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal

from pydantic import Field

from hst123r.archives.simulation import Simulation
from hst123r.errors import InputError
from hst123r.records.outcome import Outcome, Product, Reject
from hst123r.records.params import Misfit, Params, RootName
from hst123r.stage.context import Context
from hst123r.stage.contract import (
    ASTROPY,
    DQ,
    PIXELS,
    PSF_GRID,
    SCIENCE,
    WCS,
    Job,
    Need,
    Scope,
    Stage,
)

PACKAGE = "package:"
"""Begins the path of a folder inside an installed Python package."""
NO_PATH: Final = "`from: directory` needs `path`, the folder"
NO_SIMULATION: Final = "`from: simulated` needs `simulation`, what it holds"


class FetchParams(Params):
    """Parameters of the stage `fetch`."""

    from_: Literal["directory", "simulated"] = Field(alias="from", description="The archive")
    path: str | None = Field(
        None,
        description="For `directory`: the folder, relative to the recipe, or "
        "package:NAME/FOLDER for one inside an installed Python package",
    )
    exclude: list[RootName] = Field(
        default_factory=list,
        description="For `directory`: root names of exposures to leave where they are",
    )
    recursive: bool = Field(False, description="For `directory`: look into subfolders too")
    simulation: Simulation | None = Field(
        None, description="For `simulated`: what the archive holds"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say what the archive lacks."""
        del targets
        if self.from_ == "directory" and self.path is None:
            yield ("from",), NO_PATH
        if self.from_ == "simulated" and self.simulation is None:
            yield ("from",), NO_SIMULATION


class Fetch(Stage[FetchParams]):
    """Bring the exposures into ``raw/``, read-only and verified.

    From a directory, exposures are known by their names, ``ipppssoot_suffix.fits`` in any case;
    everything else that looks like FITS, compressed files too, is left out with the reason. With
    `recursive`, work directories of hst123r are not searched.
    """

    name = "fetch"
    params = FetchParams
    divides_by = ("exclude", "recursive")
    version = 1
    needs = (
        Need("user file", facets=(PIXELS, DQ, WCS, SCIENCE, "alternates"), optional=True),
        Need("template", facets=(WCS,), optional=True),
        Need(PSF_GRID, facets=(PIXELS, SCIENCE), optional=True),
    )
    makes = ("file", "truth")
    per = "exposure"
    preload = ASTROPY
    home: ClassVar[Literal["products", "raw", "top"]] = "raw"
    stamped = False

    def divide(
        self, inputs: dict[str, list[Product]], params: FetchParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each exposure, and one that says what was left out."""
        del inputs
        if params.from_ == "directory":
            return _divide_directory(params, scope)
        return _divide_simulated(params, scope)

    def run(self, job: Job, params: FetchParams, context: Context) -> Outcome:
        """Bring the files of one exposure."""
        if "left_out" in job.arguments:
            rejects = [Reject(*entry) for entry in job.arguments["left_out"]]
            return Outcome(rejects=rejects)
        if params.from_ == "directory":
            return _copy(job, context)
        return _simulate(job, context)


def _divide_directory(params: FetchParams, scope: Scope) -> Iterator[Job]:
    from hst123r.archives.directory import list_folder

    if params.path is None:
        raise InputError(NO_PATH, where="fetch")
    folder = _folder(params.path, Path(scope.recipe_folder))
    listing = list_folder(folder, recursive=params.recursive)
    if not listing.exposures:
        raise InputError(
            "no exposure of a known detector is in this folder",
            where=str(folder),
            hint="Exposures are named like j8bt06nyq_flt.fits; `recursive: true` looks deeper",
        )
    for found in listing.exposures:
        if found.root in params.exclude:
            name = Path(found.files["science"]).name
            listing.left_out.append([name, "excluded", "the recipe leaves it out"])
            continue
        labels = {"exposure": found.root}
        product = Product("user file", found.root, labels, dict(found.files))
        yield Job(found.root, labels, {"user file": [product]})
    if listing.left_out:
        yield Job("left-out", arguments={"left_out": listing.left_out})


def _folder(path: str, recipe_folder: Path) -> Path:
    if not path.startswith(PACKAGE):
        try:
            return recipe_folder / Path(path).expanduser()
        except RuntimeError as error:
            raise InputError("there is no such user", where=f"path: {path}") from error
    name, _, inside = path.removeprefix(PACKAGE).partition("/")
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        # a package inside one that is not there, or no name at all
        found = None
    if found is None or not found.submodule_search_locations:
        raise InputError(f"there is no installed package {name!r}", where=f"path: {path}")
    return Path(next(iter(found.submodule_search_locations))) / inside


def _divide_simulated(params: FetchParams, scope: Scope) -> Iterator[Job]:
    from hst123r.archives.simulated import grid_of, planned, programmes, template_of

    simulation = params.simulation
    if simulation is None:
        raise InputError(NO_SIMULATION, where="fetch")
    inputs: dict[str, list[Product]] = {}
    template = template_of(simulation, Path(scope.recipe_folder))
    if template is not None:
        inputs["template"] = [Product("template", "template", {}, {"science": str(template)})]
    made = programmes(simulation, scope.targets, Path(scope.recipe_folder))
    for programme in made.values():
        described = programme.model_dump(mode="json")
        for entry in planned(programme):
            labels = {"exposure": entry.root}
            given = dict(inputs)
            grid = grid_of(simulation, Path(scope.recipe_folder), entry)
            if grid is not None:
                given[PSF_GRID] = [Product(PSF_GRID, grid.stem, {}, {"grid": str(grid)})]
            yield Job(entry.root, labels, given, {"programme": described})


def _copy(job: Job, context: Context) -> Outcome:
    from hst123r.files.publish import READ_ONLY, copy
    from hst123r.files.references import reference_files
    from hst123r.files.verify import QUALITY, SCIENCE, verify_exposure

    (source,) = job.inputs["user file"]
    product = Product("file", job.label, dict(job.labels))
    for role, path in source.files.items():
        destination = context.product(Path(path).name.lower())
        context.looked[path] = copy(Path(path), destination)
        names = QUALITY if role == "dq" else SCIENCE
        checksums = verify_exposure(destination, job.label, names)
        destination.chmod(READ_ONLY)
        product.files[role] = str(destination)
        product.facts[f"checksums_{role}"] = checksums
    return Outcome([product], references=reference_files(product.files.values()))


def _simulate(job: Job, context: Context) -> Outcome:
    from hst123r.archives.simulated import make
    from hst123r.files.publish import READ_ONLY
    from hst123r.files.references import reference_files
    from hst123r.simulation.model import Programme

    templates = job.inputs.get("template", [])
    template = Path(templates[0].files["science"]) if templates else None
    programme = Programme.model_validate(job.arguments["programme"])
    context.out.mkdir(parents=True, exist_ok=True)
    grids = job.inputs.get(PSF_GRID, [])
    grid = Path(grids[0].files["grid"]) if grids else None
    paths = make(programme, job.label, context.out, template, grid)
    for path in paths.values():
        path.chmod(READ_ONLY)
    files = {role: str(path) for role, path in paths.items()}
    truth = Product("truth", job.label, dict(job.labels), {"table": files.pop("truth")})
    product = Product("file", job.label, dict(job.labels), files)
    return Outcome([product, truth], references=reference_files(files.values()))
