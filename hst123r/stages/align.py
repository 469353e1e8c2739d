"""Bring the exposures of each visit onto the frame of the reference, and measure how well."""

from __future__ import annotations

from collections.abc import Iterator

from hst123r import instruments
from hst123r.alignment.measured import all_measured
from hst123r.alignment.params import COSMIC_RAYS, AlignParams
from hst123r.errors import InputError
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Outcome, Product
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, PIXELS, TABLE, Job, Need, Scope, Stage


class Align(Stage[AlignParams]):
    """Bring the exposures of each visit onto the frame of the reference, and measure how well."""

    name = "align"
    params = AlignParams
    version = 7
    needs = (
        Need("exposure", facets=IMAGE),
        Need("stars", facets=TABLE),
        Need(COSMIC_RAYS, facets=(PIXELS,), optional=True),
        Need("reference", facets=("bytes",), facts=("exposures",)),
    )
    makes = ("exposure", "alignment")
    per = "visit"
    varies_by = ("detector",)
    tools = ("drizzlepac", "tweakwcs", "stwcs", "astropy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: AlignParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each field, visit and detector."""
        references = {product.labels["field"]: product for product in inputs["reference"]}
        groups: dict[tuple[str, str, str], list[Product]] = {}
        for product in inputs["exposure"]:
            labels = product.labels
            key = (labels["field"], labels["visit"], labels["detector"])
            groups.setdefault(key, []).append(product)
        targets = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        for (field, visit, detector), members in sorted(groups.items()):
            if field not in references:
                continue
            members.sort(key=lambda p: (p.facts["start_mjd"], p.name))
            labels = {"field": field, "visit": visit, "detector": detector}
            slug = instruments.get(detector).slug
            names = {p.name for p in members}
            given = {
                "exposure": members,
                **{kind: _of(names, inputs[kind]) for kind in ("stars", COSMIC_RAYS)},
                "reference": [references[field]],
            }
            arguments = {"targets": targets, **_apart(params, detector, scope)}
            yield Job(f"{field}-{visit}-{slug}", labels, given, arguments)

    def memory_mb(self, job: Job, params: AlignParams) -> float:
        """Estimate: headers and tables, and one plane of data quality."""
        del params
        exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
        largest = max(chip.pixels for exposure in exposures for chip in exposure.chips)
        return 500.0 + 10e-6 * largest

    def run(self, job: Job, params: AlignParams, context: Context) -> Outcome:
        """Align the exposures of one visit."""
        from hst123r.alignment.handover import outcome
        from hst123r.alignment.solve import solve
        from hst123r.alignment.visit import Visit

        all_measured(job)
        if params.write_dq and instruments.get(job.labels["detector"]).noise.cosmic_rays:
            masks = {product.name for product in job.inputs[COSMIC_RAYS]}
            without = [p.name for p in job.inputs["exposure"] if p.name not in masks]
            if without:
                raise InputError(
                    "there are no cosmic rays to flag",
                    where=", ".join(without),
                    hint="`write_dq` wants `stars: {find_cosmic_rays: true}` before it",
                )
        visit = Visit(job, params, context)
        return outcome(visit, solve(visit))


def _of(names: set[str], products: list[Product]) -> list[Product]:
    """Return the products of some exposures, in the order of their names."""
    return sorted((p for p in products if p.name in names), key=lambda p: p.name)


def _apart(params: AlignParams, detector: str, scope: Scope) -> dict[str, str]:
    """Return the versions of a method that is installed apart, which decide about results too."""
    own = params if scope.varied is None else scope.varied(detector, "")
    if not isinstance(own, AlignParams) or own.method != "jhat":
        return {}
    from hst123r.external.jhat import version

    return {"jhat": version()}
