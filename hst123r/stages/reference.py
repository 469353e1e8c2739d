"""Choose the visit that all others are aligned to, and make its star catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r.alignment.absolute_stars import CATALOGUE, downloads, named, of_gaia, questions, to_ask
from hst123r.alignment.measured import all_measured
from hst123r.errors import InputError
from hst123r.records.boxes import in_degrees
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product
from hst123r.sources.reference_params import ReferenceParams
from hst123r.stage.context import Context
from hst123r.stage.contract import BYTES, HEAVY, SCIENCE, TABLE, WCS, Job, Need, Scope, Stage

if TYPE_CHECKING:
    from hst123r.algorithms.merge import Catalogue
    from hst123r.sources.absolute import AbsoluteStars, Tie
    from hst123r.sources.apart import Part

GAIA_DR3_EPOCH: Final = 2016.0
USER_FILE: Final = "user file"
"""Kind of a reference of the user's."""


class Reference(Stage[ReferenceParams]):
    """Choose the visit that all others are aligned to, and make its star catalogue.

    Where it does not reach an exposure, visits in between are fitted to the catalogue one by one
    and add their stars, so that what is connected at all is on one frame; see `chain`. Where a fit
    fails another visit that reaches as far is tried. Exposures that nothing connects with it make
    groups of their own in the same catalogue, each on its frame.
    Or take a `file`, an image or a catalogue of yours; it has to have stars on the exposures.
    With `absolute` the catalogue is moved, once, to the frame of Gaia or of another catalogue at
    the time of the visit, each group by itself, and all exposures follow when they are aligned.
    Where that cannot be trusted the frame of the headers stays, with a caveat. Without a file the
    archive of Gaia is asked for stars, once, and its answer is kept in ``raw/gaia/``.
    """

    name = "reference"
    params = ReferenceParams
    version = 7
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
        from hst123r.sources.apart_plan import groups_apart, rooted
        from hst123r.sources.chain_spares import chained
        from hst123r.sources.chain_spares import rooted as of_links
        from hst123r.sources.reference_choice import apart, score

        fields: dict[str, list[Product]] = {}
        for product in inputs["exposure"]:
            fields.setdefault(product.labels["field"], []).append(product)
        positions = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        catalogues = named(params.absolute, scope)
        asked = params.absolute if params.absolute and params.absolute.asked else None
        stars = {product.name: product for product in inputs["stars"]}
        own = [] if params.file is None else [_user_file(params.file, scope)]
        for field, members in sorted(fields.items()):
            if own:
                arguments = {"centre": positions[field], "scores": [], **_about(members)}
                yield Job(field, {"field": field}, {"exposure": [], USER_FILE: own}, arguments)
                continue
            wanted: dict[str, Any] = {
                "filter_name": params.filter, "detector": params.detector, "avoid": params.avoid,
            }  # fmt: skip
            scores = score(members, field, **wanted)
            best = scores[0]
            chosen = sorted(
                (p for p in members if best.holds(p)),
                key=lambda p: (p.facts["start_mjd"], p.name),
            )
            cover = params.chain.cover
            links, reached = chained(members, chosen, field, cover=cover)
            everything = [*chosen, *reached]
            groups = groups_apart(members, everything, field, cover=cover, **wanted)
            # a group takes in all that is apart
            alone = [] if groups else apart(members, everything)
            by_name = {product.name: product for product in members}
            there = {product.name for product in everything}
            more = dict.fromkeys([*rooted(groups), *of_links(links)])
            everything += [by_name[root] for root in more if root not in there]
            arguments = {
                "centre": positions[field],
                "scores": [entry.as_json() for entry in scores],
                "apart": alone,
                "links": links,
                "groups": groups,
            }
            measured = [stars[p.name] for p in everything if p.name in stars]
            if asked is not None:
                catalogues = [of_gaia(asked, everything, scope)]
            given = {"exposure": everything, "stars": measured, CATALOGUE: catalogues}
            notes = {"queries": questions(catalogues), "asks": to_ask(catalogues)}
            yield Job(field, {"field": field}, given, arguments, notes)

    def run(self, job: Job, params: ReferenceParams, context: Context) -> Outcome:
        """Measure the stars of the chosen visit and merge them into a catalogue."""
        if job.inputs.get(USER_FILE):
            return _from_file(job, params, context)
        from hst123r.algorithms.boxes import outside
        from hst123r.products.exposures import open_chips
        from hst123r.products.star_lists import read_stars
        from hst123r.sources.apart import grown, with_lost
        from hst123r.sources.epochs import carrier
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
        by_root = {found.label: found for found in lists}
        radius, chain = params.match_radius.to("arcsec"), params.chain.options()
        known = _absolute_stars(job, params)
        carry = None
        if known is not None and params.absolute is not None and known.motions is not None:
            carry = carrier(known, params.absolute.options())
        years = {p.name: _year(job, [p.name]) for p in job.inputs["exposure"]}
        parts = [grown(plan, by_root, radius, chain, years, carry) for plan in _plans(job)]
        parts = with_lost(parts, chain, carry)
        tie = _tying(job, params, known)
        if tie is not None:
            parts = [replace(part, tied=tie(part)) for part in parts]
        return _outcome(job, params, context, parts)


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
    from hst123r.sources.reference_verdict import STANDSTILL_MAS

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


def _absolute_stars(job: Job, params: ReferenceParams) -> AbsoluteStars | None:
    """Return the stars of the absolute catalogue, if one is wanted."""
    from hst123r.products.star_catalogue import read_star_catalogue

    if params.absolute is None:
        return None
    given = params.absolute
    (source,) = job.inputs[CATALOGUE]
    error = None if given.position_error is None else given.position_error.to("mas")
    epoch = given.epoch
    if epoch is None and given.catalog == "gaia-dr3":
        epoch = GAIA_DR3_EPOCH
    return read_star_catalogue(source.files["catalog"], error_mas=error, epoch=epoch)


def _tying(
    job: Job, params: ReferenceParams, stars: AbsoluteStars | None
) -> Callable[[Part], Tie] | None:
    """Return what moves a group to the absolute frame, if one is wanted."""
    from hst123r.sources.absolute import tie

    if params.absolute is None or stars is None:
        return None
    options = params.absolute.options()

    def tied(part: Part) -> Tie:
        return tie(part.catalogue, stars, _year(job, part.exposures), options)

    return tied


def _plans(job: Job) -> list[dict[str, Any]]:
    """Return the reference and what is added to it, and the groups apart, in the same form."""
    from hst123r.sources.apart_plan import rooted
    from hst123r.sources.chain_spares import rooted as of_links

    links, groups = job.arguments["links"], job.arguments["groups"]
    added = {*of_links(links), *rooted(groups)}
    chosen = [p.name for p in job.inputs["exposure"] if p.name not in added]
    first = {"group": 0, "label": "the reference", "exposures": chosen, "links": links}
    return [{**first, "members": []}, *groups]


def _middle_mjd(job: Job, roots: Sequence[str]) -> float:
    """Return the mean time of some exposures, weighted by their length."""
    exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"] if p.name in roots]
    seconds = sum(exposure.exposure_time_s for exposure in exposures)
    return sum(e.middle_mjd * e.exposure_time_s for e in exposures) / seconds


def _year(job: Job, roots: Sequence[str]) -> float:
    """Return that time as a Julian year."""
    from hst123r.algorithms.proper_motion import julian_year

    return julian_year(_middle_mjd(job, roots))


def _absolute(job: Job, params: ReferenceParams) -> str:
    """Name the absolute catalogue, empty without one."""
    if params.absolute is None:
        return ""
    catalog = params.absolute.catalog
    return job.inputs[CATALOGUE][0].name if catalog == "file" else catalog


def _outcome(job: Job, params: ReferenceParams, context: Context, parts: Sequence[Part]) -> Outcome:
    from hst123r.products.reference_table import group_meta, write_choice, write_reference
    from hst123r.sources.apart import joined
    from hst123r.sources.reference_choice import explain

    first, *others = parts
    absolute = _absolute(job, params)
    catalogue = joined(parts, params.match_radius.to("arcsec"))
    frames = [part.frame_beside(first, absolute) for part in others]
    best = job.arguments["scores"][0]
    # the scores change with every new exposure and are not in the file that is aligned to
    meta = {
        "centre": job.arguments["centre"],
        "frame": absolute if first.is_absolute else "header",
        "moved_arcsec": first.moved_arcsec,
        "mjd": _middle_mjd(job, first.exposures),
        **group_meta(frames),
    }
    path = context.product(f"{job.label}_reference.ecsv")
    write_reference(catalogue, path, meta)
    facts = {
        "stars": int(first.catalogue.ra_deg.size),
        "exposures": list(first.exposures),
        "links": [link.as_json() for link in first.links],
        "groups": [p.as_json(frame) for p, frame in zip(others, frames, strict=True)],
        "scores": job.arguments["scores"],
        "why": explain(job.arguments["scores"]),
        "frame": meta["frame"],
        **{key: best[key] for key in ("detector", "filter", "visit")},
    }
    if first.tied is not None:
        facts["absolute"] = first.tied.as_json()
    product = Product("reference", job.label, dict(job.labels), {"catalog": str(path)}, facts)
    context.logger.info("%s", facts["why"])
    choice = context.product(f"{job.label}_choice.ecsv")
    write_choice(facts["scores"], choice, {"field": job.label, "why": facts["why"]})
    chosen = Product("reference choice", job.label, dict(job.labels), {"table": str(choice)})
    measured, caveats = _verdict(job, params, parts, catalogue)
    return Outcome([product, chosen], measured, caveats, downloads=downloads(job))


def _verdict(
    job: Job, params: ReferenceParams, parts: Sequence[Part], catalogue: Catalogue
) -> tuple[list[Measurement], list[Caveat]]:
    from hst123r.sources.reference_verdict import of_group, of_links, of_tie

    first, absolute = parts[0], _absolute(job, params)
    stars = int(first.catalogue.ra_deg.size)
    measured = [Measurement("stars", stars, low=params.min_stars)]
    caveats = [
        Caveat("not_registered", f"{label} stands by its header in the catalogue: {text}", label)
        for label, text in catalogue.problems.items()
    ]
    caveats += [
        Caveat("no_overlap", f"{root} does not overlap the reference, and is not tied to it", root)
        for root in job.arguments["apart"]
    ]
    if len(first.exposures) == 1:
        text = "the reference visit has one exposure, so cosmic rays can be in the catalogue"
        caveats.append(Caveat("single_exposure", text))
    for part in parts:
        numbers, told = of_links(part.links, params.chain.options())
        if part.number:
            more, said = of_group(part, part.frame_beside(first, absolute), params.min_stars)
            numbers, told = more + numbers, said + told
        measured, caveats = measured + numbers, caveats + told
        if part.tied is None or params.absolute is None:
            continue
        measured += of_tie(part.tied, params.absolute.options(), part.subject)
        if not part.tied.is_good:
            whose = f"of {part.subject} " if part.subject else ""
            text = (
                f"the frame {whose}is that of the headers, it was not moved to "
                f"{job.inputs[CATALOGUE][0].name}: {part.tied.why_not}"
            )
            caveats.append(Caveat("not_absolute", text, part.subject))
    return measured, caveats
