"""Choose the WCS that every exposure starts from: delivered, restored, or built anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from hst123r.alignment.refit_files import CHOSEN, REFERENCE, Needed, Places, supply
from hst123r.errors import InputError
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality
from hst123r.records.params import Misfit, Params
from hst123r.stage.context import Context
from hst123r.stage.contract import BYTES, HEAVY, IMAGE, Job, Need, Scope, Stage

if TYPE_CHECKING:
    from hst123r.products.wcs_solutions import Solution

MODEL_ONLY: Final = "IDC"
ASKED: Final = "ASTROMETRY"
"""In place of a keyword, for answers of the astrometry database among reference files."""
ROUND_TRIP_PIX: Final = 0.01
"""A WCS that does not find back to its pixel within this cannot carry 1 mas."""
NO_SOLUTION: Final = "`solution` is for `start: a-priori`"
NO_REFERENCES: Final = "`references` is for `start: refit`"
NO_QUESTION: Final = "`astrometry_db` is for `start: refit`"
NO_FETCH: Final = "`fetch_references` is for `start: refit`"
NO_CONTEXT: Final = "`crds_context` is for `fetch_references: true`"


class WcsParams(Params):
    """Parameters of the stage `wcs`."""

    start: Literal["archive", "a-priori", "refit"] = Field(
        "archive",
        description="`archive` keeps the WCS as delivered, `a-priori` restores a solution that "
        "the file carries, `refit` builds it from the pointing and local reference files",
    )
    solution: str = Field(
        MODEL_ONLY,
        min_length=1,
        description="For `a-priori`: name of the solution, or its end, such as GSC240; IDC is "
        "the distortion alone, without a fit",
    )
    references: str | None = Field(
        None,
        description="For `refit`: folder with the reference files, relative to the recipe; "
        "otherwise the variables jref, iref, uref and CRDS_PATH say where they are",
    )
    fetch_references: bool = Field(
        False,
        description="For `refit`: fetch reference files from CRDS into a cache, `references` or "
        "else CRDS_PATH or else raw/crds, and verify those that are there",
    )
    crds_context: str | None = Field(
        None,
        pattern=r"^hst_[0-9]{4,5}\.pmap$",
        description="For `fetch_references`: take the files that this context of CRDS chooses, not "
        "those that the header names",
    )
    astrometry_db: bool = Field(
        False,
        description="For `refit`: ask the astrometry database of MAST for a fitted solution, or "
        "where the guide stars are by Gaia; needs the network, and the answer may change",
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which parameter has no effect."""
        del targets
        if self.solution != MODEL_ONLY and self.start != "a-priori":
            yield ("solution",), NO_SOLUTION
        if self.references is not None and self.start != "refit":
            yield ("references",), NO_REFERENCES
        if self.fetch_references and self.start != "refit":
            yield ("fetch_references",), NO_FETCH
        if self.crds_context is not None and not self.fetch_references:
            yield ("crds_context",), NO_CONTEXT
        if self.astrometry_db and self.start != "refit":
            yield ("astrometry_db",), NO_QUESTION


class Wcs(Stage[WcsParams]):
    """Choose the WCS that every exposure starts from: delivered, restored, or built anew.

    A restored solution comes from a headerlet of the file, or from an alternate that has the
    same distortion as the WCS in use; `hst123r show wcs FILE` lists them. To build it anew,
    updatewcs of stwcs is called, without the network; the reference files that the header names
    have to be on this machine, and those that are not are named with the command that gets them.
    With `fetch_references` they are fetched from CRDS, and used only if their sha1 is that of CRDS.
    With `astrometry_db` it asks MAST besides, and a service that does not answer ends the job. What
    it answered is recorded by its digest among the reference files, and stands in the lock; it is
    not asked again by itself, so to learn of another answer run with `--redo wcs`.
    """

    name = "wcs"
    params = WcsParams
    version = 1
    needs = (
        Need("exposure", facets=(*IMAGE, "alternates"), facts=("*",)),
        Need(REFERENCE, facets=(BYTES,), optional=True),
    )
    makes = ("exposure",)
    per = "exposure"
    varies_by = ("detector", "filter")
    divides_by = ("references", "fetch_references", "crds_context")
    tools = ("stwcs", "astropy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: WcsParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each exposure, with the reference files its header names."""
        targets = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        needed = []
        jobs = []
        for product in sorted(inputs["exposure"], key=lambda p: (p.facts["start_mjd"], p.name)):
            job = Job(product.name, dict(product.labels), {"exposure": [product]})
            job.arguments["targets"] = targets
            own = _own(product, params, scope)
            if own.start == "refit":
                places = Places.of(own.references, scope, fetch=own.fetch_references)
                needed.append(Needed(job, places, own.crds_context))
            jobs.append(job)
        supply(needed, scope)
        yield from jobs

    def run(self, job: Job, params: WcsParams, context: Context) -> Outcome:
        """Give one exposure its WCS."""
        from hst123r.products.exposures import read_exposure
        from hst123r.products.wcs_cards import displacement, round_trip
        from hst123r.products.wcs_solutions import read_solutions

        (source,) = job.inputs["exposure"]
        exposure = Exposure.own(source.facts)
        files = dict(source.files)
        used: list[dict[str, Any]] = []
        if params.start == "a-priori":
            files = _restore(source, exposure, params.solution, context)
        elif params.start == "refit":
            files, used = _refit(job, params, context)
        now = read_solutions(files["science"])[0]
        facts = dict(source.facts)
        if params.start != "archive":
            targets = {name: (ra, dec) for name, (ra, dec) in job.arguments["targets"].items()}
            facts |= read_exposure(files["science"], targets).as_facts()
            # what was said of the agreement with a reference was said of another WCS
            facts.pop("alignment", None)
        moved = displacement(source.files["science"], files["science"], exposure)
        facts["wcs"] = {"start": params.start, "moved_arcsec": list(moved), **now.as_json()}
        root = exposure.root
        back = round_trip(files["science"], exposure)
        measured = [
            Measurement(
                "round_trip", back, "pix", high=ROUND_TRIP_PIX, fails=Quality.CAVEAT, subject=root
            ),
            Measurement("moved_east", moved[0], "arcsec", subject=root),
            Measurement("moved_north", moved[1], "arcsec", subject=root),
        ]
        product = Product("exposure", source.name, dict(source.labels), files, facts)
        return Outcome(
            [product], measured, list(solution_caveats(now, root, params)), references=used
        )


def _own(product: Product, params: WcsParams, scope: Scope) -> WcsParams:
    """Return the parameters of one exposure: with what `for:` says of its detector and filter."""
    if scope.varied is None:
        return params
    own = scope.varied(product.labels["detector"], product.labels["filter"])
    return WcsParams.model_validate(own)


def _restore(source: Product, exposure: Exposure, wanted: str, context: Context) -> dict[str, str]:
    from hst123r.external import headerlets
    from hst123r.products.wcs_solutions import read_solutions

    solutions = read_solutions(source.files["science"])
    chosen = choose(solutions, wanted, exposure.root)
    context.logger.info("taking %s, %s: %s", chosen.place, chosen.name, chosen.words)
    if chosen.in_use:
        return dict(source.files)
    files = _copies(source, context)
    if chosen.kind == "headerlet":
        headerlets.apply_headerlet(files["science"], chosen.index)
    else:
        headerlets.apply_alternate(files["science"], chosen.key)
    return _hand_over(files, context)


def choose(solutions: Sequence[Solution], wanted: str, where: str) -> Solution:
    """Choose a solution by its name.

    Parameters
    ----------
    solutions : sequence of Solution
        All of an exposure.
    wanted : str
        A whole name; its end, such as ``GSC240``; or ``IDC``, the distortion alone.
    where : str
        Root name, for the message.

    Returns
    -------
    Solution
        One that is complete: the one in use, else a headerlet, else an alternate; of several
        distortion tables that of the WCS in use.

    Raises
    ------
    InputError
        If there is none, with the names that there are.
    """
    pattern = re.compile(
        r"IDC_[^-]+" if wanted == MODEL_ONLY
        else rf"(?:.+-)?(?:FIT_)?(?:[A-Z]+_)?{re.escape(wanted)}(?:-\d+)?",
        re.IGNORECASE,
    )  # fmt: skip
    named = [item for item in solutions if pattern.fullmatch(item.name)]
    whole = [item for item in named if not item.lacks]
    rank = {"primary": 0, "headerlet": 1, "alternate": 2}
    table = solutions[0].table
    whole.sort(key=lambda s: (s.name.lower() != wanted.lower(), s.table != table, rank[s.kind]))
    if whole:
        return whole[0]
    names = ", ".join(dict.fromkeys(item.name for item in solutions if not item.lacks)) or "none"
    if named:
        lacks = "; ".join(f"{item.place} lacks {', '.join(item.lacks)}" for item in named)
        problem = f"its solution {named[0].name} is not complete: {lacks}"
    else:
        problem = f"it has no solution {wanted!r}"
    raise InputError(problem, where=where, hint=f"Complete ones are: {names}")


def _refit(
    job: Job, params: WcsParams, context: Context
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    from hst123r.external.updatewcs import name_references, refit
    from hst123r.files.content import look
    from hst123r.files.references import CONTEXT

    (source,) = job.inputs["exposure"]
    references = job.inputs.get(REFERENCE, [])
    files = _copies(source, context)
    science = Path(files["science"])
    used: list[dict[str, Any]] = []
    chosen = job.arguments.get(CHOSEN)
    if chosen is not None:
        name_references(science, chosen["files"])
        used.append({"keyword": CONTEXT, "name": chosen["context"], "digest": ""})
    paths = {item.name: item.files["reference"] for item in references}
    answers = refit(science.parent, science.name, paths, ask=params.astrometry_db)
    used += [
        {"keyword": ASKED, "name": question, "digest": f"sha256:{digest}"}
        for question, digest in sorted(answers.items())
    ]
    used += [
        {"keyword": item.facts["keyword"], "name": item.facts["name"],
         "digest": look(Path(item.files["reference"])).digest}
        for item in references
    ]  # fmt: skip
    return _hand_over(files, context), used


def _copies(source: Product, context: Context) -> dict[str, str]:
    from hst123r.products.working_copy import working_copy

    return working_copy(source.files, context.folder("wcs"))


def _hand_over(files: dict[str, str], context: Context) -> dict[str, str]:
    """Give the companion the same WCS, and put all files where products go."""
    from hst123r.products.wcs_cards import renew_wcs

    if "dq" in files:
        renew_wcs(files["science"], files["dq"])
    return {
        role: str(Path(path).replace(context.product(Path(path).name)))
        for role, path in files.items()
    }


def solution_caveats(solution: Solution, root: str, params: WcsParams) -> Iterator[Caveat]:
    """Say what a user should know of the solution of an exposure.

    Parameters
    ----------
    solution : Solution
        The one in use.
    root : str
        Root name of the exposure.
    params : WcsParams
        How it was chosen.

    Yields
    ------
    Caveat
        Each with its sentence.
    """
    if params.astrometry_db and not solution.catalogue:
        text = f"the astrometry database has no solution for it, its WCS is {solution.name}"
        yield Caveat("no_solution", text, root)
    if solution.lacks:
        text = f"its WCS {solution.name or 'without a name'} lacks {', '.join(solution.lacks)}"
        yield Caveat("incomplete_wcs", text, root)
