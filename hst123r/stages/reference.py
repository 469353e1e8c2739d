"""Choose the visit that all others are aligned to, and make its star catalogue."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.alignment.measured import all_measured
from hst123r.errors import InputError
from hst123r.records.boxes import in_degrees
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product
from hst123r.sources.reference_params import ReferenceParams
from hst123r.stage.context import Context
from hst123r.stage.contract import BYTES, HEAVY, SCIENCE, TABLE, WCS, Job, Need, Scope, Stage

if TYPE_CHECKING:
    from hst123r.algorithms.merge import Catalogue, StarList
    from hst123r.sources.absolute import Tie
    from hst123r.sources.chain import Link

CATALOGUE: Final = "catalogue file"
"""Kind of an absolute catalogue of the user's."""
GAIA_DR3_EPOCH: Final = 2016.0
USER_FILE: Final = "user file"
"""Kind of a reference of the user's."""
STANDSTILL_MAS: Final = 5.0
"""A tenth of a pixel of 50 mas: what an alignment may be uncertain by, `align.max_error`."""


class Reference(Stage[ReferenceParams]):
    """Choose the visit that all others are aligned to, and make its star catalogue.

    Where it does not reach an exposure, visits in between are fitted to the catalogue one by one
    and add their stars, so that what is connected at all is on one frame; see `chain`.
    Or take a `file`, an image or a catalogue of yours; it has to have stars on the exposures.
    With `absolute` the catalogue is moved, once, to the frame of Gaia or of another catalogue at
    the time of the visit, and all exposures follow when they are aligned. Where that cannot be
    trusted the frame of the headers stays, with a caveat.
    """

    name = "reference"
    params = ReferenceParams
    version = 5
    needs = (
        Need("exposure", facets=(WCS, SCIENCE)),
        Need("stars", facets=TABLE),
        Need(CATALOGUE, facets=(BYTES,), optional=True),
        Need(USER_FILE, facets=(BYTES,), optional=True),
    )
    makes = ("reference", "reference choice")
    implied = True
    per = "field"
    tools = ("astropy", "photutils")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: ReferenceParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each field; the choice is made here, from the exposures' records."""
        from hst123r.sources.chain_plan import connect, labels
        from hst123r.sources.reference_choice import apart, score

        fields: dict[str, list[Product]] = {}
        for product in inputs["exposure"]:
            fields.setdefault(product.labels["field"], []).append(product)
        positions = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        catalogues = _catalogues(params, scope)
        stars = {product.name: product for product in inputs["stars"]}
        own = [] if params.file is None else [_user_file(params.file, scope)]
        for field, members in sorted(fields.items()):
            if own:
                arguments = {"centre": positions[field], "scores": [], **_about(members)}
                yield Job(field, {"field": field}, {"exposure": [], USER_FILE: own}, arguments)
                continue
            scores = score(
                members,
                field,
                filter_name=params.filter,
                detector=params.detector,
                avoid=params.avoid,
            )
            best = scores[0]
            chosen = sorted(
                (p for p in members if best.holds(p)),
                key=lambda p: (p.facts["start_mjd"], p.name),
            )
            links = connect(members, chosen, field, cover=params.chain.cover)
            everything = [*chosen, *(product for link in links for product in link)]
            arguments = {
                "centre": positions[field],
                "scores": [entry.as_json() for entry in scores],
                "apart": apart(members, everything),
                "links": labels(links),
            }
            measured = [stars[p.name] for p in everything if p.name in stars]
            given = {"exposure": everything, "stars": measured, CATALOGUE: catalogues}
            yield Job(field, {"field": field}, given, arguments)

    def run(self, job: Job, params: ReferenceParams, context: Context) -> Outcome:
        """Measure the stars of the chosen visit and merge them into a catalogue."""
        if job.inputs.get(USER_FILE):
            return _from_file(job, params, context)
        from hst123r.algorithms.boxes import outside
        from hst123r.products.exposures import open_chips
        from hst123r.products.star_lists import read_stars
        from hst123r.sources.stars import by_wcs, star_list

        all_measured(job)
        measured = {product.name: product.files["stars"] for product in job.inputs["stars"]}
        lists = []
        for product in job.inputs["exposure"]:
            exposure, stars = Exposure.own(product.facts), read_stars(measured[product.name])
            wcs = open_chips(product.files["science"], exposure)
            # the stars may have been measured before the exposure got the WCS it has now
            now = [by_wcs(stars[c.extver], wcs[c.extver], c.shape) for c in exposure.chips]
            lists.append(star_list(now, exposure.root))
        for found in lists:
            context.logger.info("%s: %d stars", found.label, found.ra_deg.size)
        boxes = in_degrees(params.mask)
        lists = [outside(found, boxes) for found in lists]
        catalogue, links = _grown(job, params, lists)
        tied = _tie(job, params, catalogue)
        return _outcome(job, params, context, tied.catalogue if tied else catalogue, tied, links)


def _catalogues(params: ReferenceParams, scope: Scope) -> list[Product]:
    """Return the file of the absolute catalogue, if one is wanted."""
    if params.absolute is None or params.absolute.file is None:
        return []
    path = Path(scope.recipe_folder) / Path(params.absolute.file).expanduser()
    if not path.is_file():
        raise InputError(
            f"there is no catalogue {path.name}",
            where=str(path.parent),
            hint="`reference.absolute.file` is relative to the recipe",
        )
    return [Product(CATALOGUE, path.stem, {}, {"catalog": str(path)})]


def _user_file(name: str, scope: Scope) -> Product:
    """Return the reference of the user's."""
    from hst123r.provenance.around import recipes_around

    path = Path(scope.recipe_folder) / Path(name).expanduser()
    if not path.is_file():
        raise InputError(
            f"there is no reference {path.name}",
            where=str(path.parent),
            hint="`reference.file` is relative to the recipe; without it a visit is chosen",
        )
    if scope.recipe_name in recipes_around(path):
        raise InputError(
            f"the reference {path.name} is a product of this recipe, which may be made again",
            where=str(path.parent),
            hint="Copy it to a place of its own",
        )
    return Product(USER_FILE, path.name, {}, {"file": str(path)})


def _about(members: Sequence[Product]) -> dict[str, Any]:
    """Return how long the exposures of a field span, and where they are on the sky."""
    exposures = [Exposure.own(product.facts) for product in members]
    ends = [exposure.start_mjd for exposure in exposures]
    return {
        "years": round((max(ends) - min(ends)) / 365.25, 3),
        "footprints": {e.root: [chip.corners for chip in e.chips] for e in exposures},
    }


def _from_file(job: Job, params: ReferenceParams, context: Context) -> Outcome:
    """Make the catalogue of a reference of the user's."""
    from hst123r.algorithms.boxes import outside
    from hst123r.algorithms.proper_motion import UNKNOWN_MAS_YR, modified_julian_date
    from hst123r.products.reference_table import write_reference
    from hst123r.products.user_reference import read_user_reference, stars_on

    (source,) = job.inputs[USER_FILE]
    catalogue = read_user_reference(
        source.files["file"],
        fwhm_arcsec=params.file_fwhm.to("arcsec"),
        threshold_sigma=params.file_threshold,
        brightest=params.file_brightest,
        error_mas=None if params.file_error is None else params.file_error.to("mas"),
        epoch=params.file_epoch,
    )
    catalogue = outside(catalogue, in_degrees(params.mask))
    number = int(catalogue.ra_deg.size)
    on = stars_on(catalogue, job.arguments["footprints"])
    if not any(on.values()):
        raise InputError(
            f"the reference has {number} stars, and none on an exposure of {job.label}",
            where=source.name,
            hint="Look at its WCS: the extension SCI of an image of MAST has it",
        )
    path = context.product(f"{job.label}_reference.ecsv")
    # nothing of the exposures, or each new one would have all others aligned again
    meta = {"centre": job.arguments["centre"], "frame": source.name, "moved_arcsec": 0.0}
    if catalogue.motions is not None:
        meta["mjd"] = modified_julian_date(catalogue.motions.middle_year)
    write_reference(catalogue, path, meta)
    facts = {
        "stars": number,
        "exposures": [],
        "scores": [],
        "why": f"{source.name} is the file that the recipe names",
        "frame": source.name,
        **dict.fromkeys(("detector", "filter", "visit"), ""),
    }
    product = Product("reference", job.label, dict(job.labels), {"catalog": str(path)}, facts)
    caveats = [
        Caveat("not_covered", f"{source.name} has no star on {root}", root)
        for root, stars in on.items()
        if not stars
    ]
    apart = UNKNOWN_MAS_YR * job.arguments["years"]
    if catalogue.motions is None and apart > STANDSTILL_MAS:
        text = (
            f"{source.name} has no epoch, so its stars are taken to stand still; from the first to "
            f"the last exposure one at {UNKNOWN_MAS_YR:g} mas a year moves by {apart:.0f} mas"
        )
        caveats.append(Caveat("no_epoch", text))
    return Outcome([product], [Measurement("stars", number, low=params.min_stars)], caveats)


def _tie(job: Job, params: ReferenceParams, catalogue: Catalogue) -> Tie | None:
    """Move the catalogue to the absolute frame, if one is wanted."""
    from hst123r.algorithms.proper_motion import julian_year
    from hst123r.products.star_catalogue import read_star_catalogue
    from hst123r.sources.absolute import tie

    if params.absolute is None:
        return None
    given = params.absolute
    (source,) = job.inputs[CATALOGUE]
    error = None if given.position_error is None else given.position_error.to("mas")
    epoch = given.epoch
    if epoch is None and given.catalog == "gaia-dr3":
        epoch = GAIA_DR3_EPOCH
    stars = read_star_catalogue(source.files["catalog"], error_mas=error, epoch=epoch)
    return tie(catalogue, stars, julian_year(_middle_mjd(job)), given.options())


def _grown(
    job: Job, params: ReferenceParams, lists: Sequence[StarList]
) -> tuple[Catalogue, list[Link]]:
    """Merge the stars of the reference, and add the visits that reach further."""
    from hst123r.sources.chain import group, groups, grow

    by_root = {found.label: found for found in lists}
    radius = params.match_radius.to("arcsec")
    names = [product.name for product in _chosen(job)]
    first = group([by_root[root] for root in names], radius, "the reference")
    others = [
        part
        for link in job.arguments["links"]
        for part in groups([by_root[root] for root in link["exposures"]], radius, link["label"])
    ]
    return grow(first, others, params.chain.options())


def _chosen(job: Job) -> list[Product]:
    """Return the exposures of the reference without those of the visits that are added."""
    added = {root for link in job.arguments["links"] for root in link["exposures"]}
    return [product for product in job.inputs["exposure"] if product.name not in added]


def _middle_mjd(job: Job) -> float:
    """Return the mean time of the exposures, weighted by their length."""
    exposures = [Exposure.own(product.facts) for product in _chosen(job)]
    seconds = sum(exposure.exposure_time_s for exposure in exposures)
    return sum(e.middle_mjd * e.exposure_time_s for e in exposures) / seconds


def _frame(job: Job, params: ReferenceParams, tied: Tie | None) -> str:
    """Name the frame that the catalogue is in."""
    if tied is None or not tied.is_good or params.absolute is None:
        return "header"
    catalog = params.absolute.catalog
    return job.inputs[CATALOGUE][0].name if catalog == "file" else catalog


def _meta(
    job: Job, params: ReferenceParams, tied: Tie | None, links: Sequence[Link]
) -> dict[str, Any]:
    """Return what is said in the table; the scores, which each new exposure changes, are not."""
    moved = max((math.hypot(*link.moved_arcsec) for link in links if not link.why_not), default=0.0)
    return {
        "centre": job.arguments["centre"],
        "frame": _frame(job, params, tied),
        # how much further than their headers are wrong exposures may be from the catalogue
        "moved_arcsec": moved + (0.0 if tied is None else tied.reach_arcsec),
        "mjd": _middle_mjd(job),
    }


def _outcome(
    job: Job,
    params: ReferenceParams,
    context: Context,
    catalogue: Catalogue,
    tied: Tie | None,
    links: Sequence[Link],
) -> Outcome:
    from hst123r.products.reference_table import write_choice, write_reference
    from hst123r.sources.reference_choice import explain
    from hst123r.sources.reference_verdict import of_links, of_tie

    best = job.arguments["scores"][0]
    meta = _meta(job, params, tied, links)
    path = context.product(f"{job.label}_reference.ecsv")
    write_reference(catalogue, path, meta)
    facts = {
        "stars": int(catalogue.ra_deg.size),
        "exposures": [product.name for product in _chosen(job)],
        "links": [link.as_json() for link in links],
        "scores": job.arguments["scores"],
        "why": explain(job.arguments["scores"]),
        "frame": meta["frame"],
        **{key: best[key] for key in ("detector", "filter", "visit")},
    }
    if tied is not None:
        facts["absolute"] = tied.as_json()
    product = Product("reference", job.label, dict(job.labels), {"catalog": str(path)}, facts)
    context.logger.info("%s", facts["why"])
    choice = context.product(f"{job.label}_choice.ecsv")
    write_choice(facts["scores"], choice, {"field": job.label, "why": facts["why"]})
    chosen = Product("reference choice", job.label, dict(job.labels), {"table": str(choice)})
    measured, caveats = of_links(links, params.chain.options())
    measured.insert(0, Measurement("stars", facts["stars"], low=params.min_stars))
    caveats += [
        Caveat("not_registered", f"{label} stands by its header in the catalogue: {text}", label)
        for label, text in catalogue.problems.items()
    ]
    caveats += [
        Caveat("no_overlap", f"{root} does not overlap the reference, and is not tied to it", root)
        for root in job.arguments["apart"]
    ]
    if len(facts["exposures"]) == 1:
        text = "the reference visit has one exposure, so cosmic rays can be in the catalogue"
        caveats.append(Caveat("single_exposure", text))
    if tied is not None and params.absolute is not None:
        measured += of_tie(tied, params.absolute.options())
        if not tied.is_good:
            text = (
                f"the frame is that of the headers, it was not moved to "
                f"{job.inputs[CATALOGUE][0].name}: {tied.why_not}"
            )
            caveats.append(Caveat("not_absolute", text))
    return Outcome([product, chosen], measured, caveats)
