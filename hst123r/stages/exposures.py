"""Make the table of exposures, with epochs, visits and fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from hst123r.errors import InputError
from hst123r.records.amount import Amount
from hst123r.records.dates import iso
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Outcome, Product
from hst123r.records.params import Duration, Params
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage


class ExposuresParams(Params):
    """Parameters of the stage `exposures`."""

    epoch_gap: Duration = Field(
        Amount(1.0, "day"),
        description="Exposures of one detector and filter closer in time than this, directly or "
        "through others, are one epoch",
    )


class Exposures(Stage[ExposuresParams]):
    """Make the table of exposures, with epochs, visits and fields."""

    name = "exposures"
    params = ExposuresParams
    version = 1
    needs = (Need("selected", facets=(), facts=("*",)),)
    makes = ("exposure", "exposure table")
    implied = True
    per = "recipe"
    preload = ASTROPY

    def divide(
        self, inputs: dict[str, list[Product]], params: ExposuresParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for the recipe: epochs and fields are about all exposures together."""
        del params
        if not inputs["selected"]:
            raise InputError(
                "no exposure is left after the selection",
                hint="`hst123r exposures RECIPE` lists every exposure with the reason",
            )
        found = sorted(inputs["selected"], key=lambda p: (p.facts["start_mjd"], p.name))
        names = [target.name for target in scope.targets]
        yield Job("all", {}, {"selected": found}, {"targets": names})

    def run(self, job: Job, params: ExposuresParams, context: Context) -> Outcome:
        """Assign epochs and fields, and write the table."""
        from hst123r.algorithms.fields import group_targets
        from hst123r.products import tables
        from hst123r.products.exposure_table import COLUMNS, row

        products = job.inputs["selected"]
        exposures = [Exposure.own(product.facts) for product in products]
        fields = group_targets(
            job.arguments["targets"], [exposure.targets for exposure in exposures]
        )
        field_of = [fields[exposure.targets[0]] for exposure in exposures]
        epochs = _epochs(exposures, field_of, params.epoch_gap.to("day"))
        made = []
        rows: list[dict[str, Any]] = []
        for number, (product, exposure) in enumerate(zip(products, exposures, strict=True), 1):
            epoch, epoch_name = epochs[number - 1]
            labels = {
                **product.labels,
                "field": field_of[number - 1],
                "visit": f"{exposure.proposal}_{exposure.visit}",
                "epoch": epoch_name,
            }
            facts = {**product.facts, "number": number, "epoch_number": epoch}
            made.append(Product("exposure", product.name, labels, dict(product.files), facts))
            rows.append(row(exposure, number, epoch, labels))
        path = context.product("exposures.ecsv")
        meta = {"epoch_gap": str(params.epoch_gap), "fields": fields}
        tables.write(tables.build(COLUMNS, rows, meta), path)
        table = Product("exposure table", "exposures", {}, {"table": str(path)})
        seen = {name for exposure in exposures for name in exposure.targets}
        caveats = [
            Caveat("target_not_covered", "no exposure in use has it on a chip", name)
            for name in job.arguments["targets"]
            if name not in seen
        ]
        return Outcome([*made, table], caveats=caveats)


def _epochs(
    exposures: Sequence[Exposure], field_of: Sequence[str], gap_days: float
) -> list[tuple[int, str]]:
    """Number and name of each exposure's epoch, per field, detector and filter."""
    from hst123r.algorithms.epochs import link

    groups: dict[tuple[str, str, str], list[int]] = {}
    for index, exposure in enumerate(exposures):
        key = (field_of[index], exposure.detector, exposure.filter)
        groups.setdefault(key, []).append(index)
    found: dict[int, tuple[int, str]] = {}
    for members in groups.values():
        starts = [exposures[index].start_mjd for index in members]
        numbers = [int(number) for number in link(starts, gap_days)]
        first = {n: min(s for s, m in zip(starts, numbers, strict=True) if m == n) for n in numbers}
        names = _epoch_names(first)
        for index, number in zip(members, numbers, strict=True):
            found[index] = (number, names[number])
    return [found[index] for index in range(len(exposures))]


def _epoch_names(first: dict[int, float]) -> dict[int, str]:
    """Name epochs by the day they began, and by the minute where a day has several."""
    days = {number: iso(mjd, day=True).replace("-", "") for number, mjd in first.items()}
    return {
        number: day
        if list(days.values()).count(day) == 1
        else iso(first[number]).replace("-", "").replace(":", "")[:13]
        for number, day in days.items()
    }
