"""Say of every source which quality cuts it passes; no row is deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from hst123r import instruments
from hst123r.errors import did_you_mean
from hst123r.instruments import quality_cuts
from hst123r.records.expression import parse
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product
from hst123r.records.params import Misfit, Params
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage

NAME = "[a-z][a-z0-9-]{0,30}"


class QualityParams(Params):
    """Parameters of the stage `quality`."""

    cuts: list[str] = Field(
        [],
        description="Named cuts: hst123, phat-st, phat-gst, angst, ers; see the docs of photometry",
    )
    custom: dict[str, str] = Field(
        {}, description="Cuts of your own: a name, and a condition over the columns of a catalogue"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say which cuts are not known, and which conditions are none."""
        del targets
        known = quality_cuts.names()
        for number, name in enumerate(self.cuts):
            if name not in known:
                yield ("cuts", number), f"there is no cut {name!r}, {did_you_mean(name, known)}"
        for name, text in self.custom.items():
            if not re.fullmatch(NAME, name) or name in known:
                yield (
                    ("custom", name),
                    f"{name!r} is no name for a cut of your own, such as sharp-5",
                )
            elif problem := _problem(text):
                yield ("custom", name), problem


def _problem(text: str) -> str:
    """Return what is wrong with a condition, empty where nothing is."""
    from hst123r.products.quality_flags import known_columns

    try:
        expression = parse(text)
    except ValueError as error:
        return str(error)
    columns = known_columns()
    for name, at in expression.names.items():
        if name not in columns:
            return f"character {at}: there is no column {name!r}, {did_you_mean(name, columns)}"
    return ""


class QualityStage(Stage[QualityParams]):
    """Say of every source which quality cuts it passes; no row is deleted."""

    name = "quality"
    params = QualityParams
    version = 1
    needs = (Need("photometry", facets=("bytes",), facts=("*",)),)
    makes = ("photometry",)
    per = "group"
    tools = ("astropy",)
    preload = ASTROPY

    def divide(
        self, inputs: dict[str, list[Product]], params: QualityParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each field and detector: some cuts are about two filters."""
        del params, scope
        groups: dict[tuple[str, str], list[Product]] = {}
        for product in sorted(inputs["photometry"], key=lambda p: p.name):
            key = product.labels["field"], product.labels["detector"]
            groups.setdefault(key, []).append(product)
        for (field, detector), members in sorted(groups.items()):
            label = f"{field}-{instruments.get(detector).slug}"
            yield Job(label, {"field": field, "detector": detector}, {"photometry": members})

    def run(self, job: Job, params: QualityParams, context: Context) -> Outcome:
        """Add the columns to the catalogues."""
        from hst123r.products.quality_flags import Flagged, sources_of

        members = {product.labels["filter"]: product for product in job.inputs["photometry"]}
        files = {name: product.files for name, product in members.items()}
        flagged = Flagged(files, job.labels["detector"])
        outcome = Outcome([])
        for name, product in members.items():
            applied = [flagged.named(name, cut) for cut in dict.fromkeys(params.cuts)]
            applied += [flagged.custom(name, *item) for item in sorted(params.custom.items())]
            meta: dict[str, Any] = {
                "cuts": sources_of(params.cuts),
                "custom_cuts": dict(sorted(params.custom.items())),
                "cuts_not_applied": {one.name: one.problem for one in applied if one.problem},
            }
            flagged.tables[name].meta.update(meta)
            path = context.product(f"{product.name}_catalog.ecsv")
            flagged.write(name, path)
            made = Product(
                "photometry", product.name, dict(product.labels),
                {**product.files, "catalog": str(path)}, dict(product.facts),
            )  # fmt: skip
            outcome.products.append(made)
            for one in applied:
                if one.passed is None:
                    text = f"not applied to {name}: {one.problem}"
                    outcome.caveats.append(Caveat("cut_not_applied", text, name))
                else:
                    number = Measurement(f"passed_{one.name}", one.passed, subject=name)
                    outcome.measurements.append(number)
            outcome.caveats += product.caveats
        return outcome
