"""Bring the exposures into ``raw/``, read-only and verified."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import Field

from hst123r.archives.partial import INCOMING
from hst123r.archives.simulation import Simulation
from hst123r.errors import ArchiveError, InputError
from hst123r.records.amount import Amount
from hst123r.records.outcome import Measurement, Outcome, Product, Reject
from hst123r.records.params import Misfit, NotNegativeAngle, Params, RootName
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

if TYPE_CHECKING:
    from hst123r.archives.intact import Intact
    from hst123r.archives.product_choice import Chosen
    from hst123r.archives.wanted import Fetched

NO_PATH: Final = "`from: directory` needs `path`, the folder"
ANSWERS: Final = "mast"
"""Folder inside ``raw/`` with the answers of MAST as they came."""
SILENCE: Final = "no-answer"
"""File beside those that arrive, which says that MAST was waited for in vain."""
WITHHELD: Final = "withheld"
ABOUT: Final = ("etag", "last_modified", "source")
"""What is recorded of where a file came from, as `Fetched` has it."""
AT_ONCE: Final = 4
"""Downloads that run at once: enough to fill a line, few enough to be polite."""
DOWNLOAD_MB: Final = 200.0
"""Memory of one download: 96 MB were measured for a file of 79 MB, and it does not grow with the
file; twice that, for long headers and other machines."""
NO_SIMULATION: Final = "`from: simulated` needs `simulation`, what it holds"


class FetchParams(Params):
    """Parameters of the stage `fetch`."""

    from_: Literal["directory", "mast", "simulated"] = Field(
        alias="from", description="The archive"
    )
    path: str | None = Field(
        None,
        description="For `directory`: the folder, relative to the recipe, or "
        "package:NAME/FOLDER for one inside an installed Python package",
    )
    exclude: list[RootName] = Field(
        default_factory=list,
        description="For `directory` and `mast`: root names of exposures to leave where they are",
    )
    recursive: bool = Field(False, description="For `directory`: look into subfolders too")
    radius: NotNegativeAngle = Field(
        Amount(0.0, "arcsec"),
        description="For `mast`: how far outside the footprint of an observation a target may be",
    )
    intents: list[Literal["science", "calibration"]] = Field(
        ["science"], min_length=1, description="For `mast`: what observations were made for"
    )
    source: Literal["mast", "s3", "auto"] = Field(
        "mast",
        description="For `mast`: the server of the files: MAST itself, its public bucket s3, or "
        "MAST and for what it does not give s3",
    )
    archive: str | None = Field(
        None,
        description="For `mast`: a folder shared with others, in the layout of hst123's "
        "`--archive`, relative to the recipe; files that are there are not fetched, and what is "
        "fetched is put there",
    )
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

    From MAST come the exposures whose footprint covers a target and that `select` does not rule out
    already: CTE-corrected ones where there are any, each once, whole or not at all. MAST's answers
    are kept in ``raw/mast/``, so that a second run asks nothing.

    From a directory, exposures are known by their names, ``ipppssoot_suffix.fits`` in any case;
    everything else that looks like FITS, compressed files too, is left out with the reason. With
    `recursive`, work directories of hst123r are not searched.
    """

    name = "fetch"
    params = FetchParams
    # where the bytes come from is no part of what they are
    divides_by = ("exclude", "recursive", "radius", "intents", "source", "archive")
    version = 3
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
        if params.from_ == "mast":
            return _divide_mast(params, scope)
        return _divide_simulated(params, scope)

    def at_once(self, params: FetchParams) -> int:
        """Several downloads at once fill a line; they wait more than they compute."""
        return AT_ONCE if params.from_ == "mast" else 0

    def rescue(self, job: Job, out: Path, home: Path) -> None:
        """Put files that had arrived whole back to where the next run looks for them."""
        from hst123r.archives import arrived

        if (home / INCOMING).is_dir():
            for file in job.arguments.get("files", {}).values():
                arrived.put_back(out / file["name"], home / INCOMING / file["name"])

    def memory_mb(self, job: Job, params: FetchParams) -> float:
        """Pieces of files, whatever their size, and the packages that look into them."""
        return DOWNLOAD_MB if params.from_ == "mast" else super().memory_mb(job, params)

    def run(self, job: Job, params: FetchParams, context: Context) -> Outcome:
        """Bring the files of one exposure."""
        if "left_out" in job.arguments:
            rejects = [Reject(*entry) for entry in job.arguments["left_out"]]
            return Outcome(rejects=rejects)
        if WITHHELD in job.arguments:
            return _withheld([Reject(*entry) for entry in job.arguments[WITHHELD]])
        if params.from_ == "directory":
            return _copy(job, context)
        if params.from_ == "mast":
            return _download(job, params, context)
        return _simulate(job, context)


def _divide_directory(params: FetchParams, scope: Scope) -> Iterator[Job]:
    from hst123r.archives.directory import folder_of, list_folder

    if params.path is None:
        raise InputError(NO_PATH, where="fetch")
    folder = folder_of(params.path, Path(scope.recipe_folder))
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


def _divide_mast(params: FetchParams, scope: Scope) -> Iterator[Job]:
    from hst123r.archives import criteria, endpoints, exclusive, mast, pinned
    from hst123r.archives.portal import Portal
    from hst123r.archives.replies import Replies
    from hst123r.archives.shared import shared_folder

    raw = Path(scope.work_folder) / "raw" if scope.work_folder else None
    locked = scope.locked
    # what is locked is not asked for, where nothing but the lock counts
    quiet = scope.offline or (locked is not None and locked.strict)
    replies = Replies(
        None if raw is None else raw / ANSWERS,
        keep=not scope.dry, offline=quiet, renew=scope.renew, heard=scope.heard,
    )  # fmt: skip
    wanted = criteria.of_recipe(
        scope.targets,
        scope.selection or (lambda _detector, _filter: {}),
        radius_arcsec=params.radius.to("arcsec"),
        intents=tuple(params.intents),
        exclude=tuple(params.exclude),
    )
    with scope.waiting():
        answer = pinned.obeyed(
            lambda: mast.search(wanted, Portal(endpoints.mast(), replies)),
            locked.products if locked is not None else [],
            rules=locked is not None and locked.rules,
            strict=locked is not None and locked.strict,
            tell=scope.tell,
        )
    if not answer.exposures:
        raise InputError(
            f"MAST has no exposure of these targets that fits{mast.why_not(answer)}",
            hint="`hst123r query RECIPE` lists what was left out, and why",
        )
    archive = shared_folder(params.archive, Path(scope.recipe_folder))
    ask = not (scope.dry or scope.offline)
    with scope.waiting():
        closed = exclusive.closed(answer.exposures, raw, archive, ask=ask)
    asked, run = {"queries": replies.queries()}, str(time.time_ns())
    for exposure in answer.exposures:
        if exposure.root not in closed:
            # what an update asks for anew is not what others have fetched before
            folder = None if archive is None or scope.renew else str(archive)
            yield _job(exposure, {"archive": folder, "run": run, **asked})
            asked = {}
    if closed:
        listed = [
            row for item in answer.exposures if item.root in closed for row in pinned.rows_of(item)
        ]
        arguments = {WITHHELD: [[*entry] for entry in closed.values()]}
        yield Job(WITHHELD, arguments=arguments, notes={"listed": listed, **asked})
    if answer.left_out:
        left = [[entry.subject, entry.code, entry.reason] for entry in answer.left_out]
        yield Job("left-out", arguments={"left_out": left})


def _job(exposure: Chosen, more: dict[str, Any]) -> Job:
    from hst123r.archives.pinned import files_of, notes_of

    arguments, notes = {"files": files_of(exposure)}, {**notes_of(exposure), **more}
    return Job(exposure.root, {"exposure": exposure.root}, {}, arguments, notes)


def _withheld(rejects: list[Reject]) -> Outcome:
    """Exclusive exposures: the run goes on without them, and does not end as if all were well."""
    number = Measurement("withheld_exposures", len(rejects), high=0)
    return Outcome(measurements=[number], rejects=rejects)


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


def _download(job: Job, params: FetchParams, context: Context) -> Outcome:
    from hst123r.archives import cloud_path, mast_token
    from hst123r.archives.delivery import Delivery
    from hst123r.archives.shared import Shared
    from hst123r.archives.wanted import Status
    from hst123r.files.references import reference_files

    public, notes, folder = job.notes["public"], job.notes, job.notes["archive"]
    shared = None if folder is None else Shared(Path(folder), notes["cell"])
    incoming = (context.home or context.scratch) / INCOMING
    wanted = Delivery(
        job.label, job.arguments["files"], notes["sizes"], notes["sha256"], public,
        params.source, shared, context.report, _here(job, context),
        silence=cloud_path.Silence(incoming / SILENCE, notes["run"]),
    )  # fmt: skip
    token = None if public or context.offline else mast_token.find()
    fetched = wanted.fetch(incoming, token, offline=context.offline)
    if any(found.status is Status.EXCLUSIVE for found in fetched.values()):
        # what the archive says now counts, whatever its list said
        how = "with your token" if token is not None else "without a token"
        reason = f"{job.notes['withheld']}; MAST refused it {how}"
        if public:
            raise ArchiveError(reason, where=job.label, hint="Try again later")
        outcome = _withheld([Reject(job.label, "exclusive", reason, dict(job.labels))])
        outcome.incomplete = f"MAST refused {job.label} {how}"
        return outcome
    failed = [found.error for found in fetched.values() if found.error is not None]
    if failed:
        # all of them, so that one run is enough to know what is missing
        raise failed[0] if len(failed) == 1 else ArchiveError("; ".join(map(str, failed)))
    product = Product("file", job.label, dict(job.labels))
    downloads = []
    for role, found in fetched.items():
        uri = job.arguments["files"][role]["uri"]
        downloads.append({"uri": uri, **_taken(found, role, product, context)})
    return Outcome(
        [product],
        references=reference_files(product.files.values()),
        downloads=downloads,
        told=wanted.told,
    )


def _here(job: Job, context: Context) -> dict[str, Intact]:
    """Return the files of a job that may stand in ``raw/`` already, by role."""
    from hst123r.archives.intact import Intact

    raw, files = context.home, job.arguments["files"]
    return {
        role: Intact(
            raw / files[role]["name"],
            known["sha256"],
            {name: known["facts"].get(f"{name}_{role}", "") for name in ABOUT},
        )
        for role, known in job.notes.get("here", {}).items()
        if raw is not None and role in files
    }


def _taken(found: Fetched, role: str, product: Product, context: Context) -> dict[str, Any]:
    """Hand a file that has arrived over to the engine; return what is recorded of it."""
    from hst123r.archives import arrived

    place = found.wanted.destination
    path = context.product(place.name)
    arrived.hand_over(place, path)
    product.files[role] = str(path)
    product.facts[f"checksums_{role}"] = found.checksums
    for name in ABOUT:
        product.facts[f"{name}_{role}"] = getattr(found, name)
    for note in found.notes:
        context.logger.info("%s: %s", place.name, note)
    return {
        "path": f"raw/{place.name}", "size": found.size,
        "status": found.status.value, "retrieved": found.retrieved,
    }  # fmt: skip


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
