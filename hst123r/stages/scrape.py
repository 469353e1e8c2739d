"""Take the photometry of each target out of the catalogues: its light curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from hst123r.errors import StageError
from hst123r.records.amount import Amount
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product
from hst123r.records.params import Params, PositiveAngle
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage

if TYPE_CHECKING:
    from hst123r.products.light_curve import Found

BYTES = ("bytes",)


class ScrapeParams(Params):
    """Parameters of the stage `scrape`."""

    radius: PositiveAngle = Field(
        Amount(0.3, "arcsec"), description="How far from the target its source may be"
    )
    source: Literal["nearest", "brightest", "target"] = Field(
        "nearest",
        description="Which source within the radius; target: the place itself, found or not",
    )
    limit_snr: float = Field(
        3.0, gt=0, le=10, description="Below this S/N there is a limit instead of a magnitude"
    )


class Scrape(Stage[ScrapeParams]):
    """Take the photometry of each target out of the catalogues: its light curve."""

    name = "scrape"
    params = ScrapeParams
    version = 3
    needs = (
        Need("photometry", facets=BYTES),
        Need("exposure", facets=(), facts=("epoch_number",)),
    )
    makes = ("light curve",)
    per = "target"
    tools = ("astropy",)
    preload = (*ASTROPY, "matplotlib.figure")

    def divide(
        self, inputs: dict[str, list[Product]], params: ScrapeParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each target that is on a measured exposure."""
        del params
        fields = {
            name: product.labels["field"]
            for product in reversed(inputs["photometry"])
            for name in product.facts["targets"]
        }
        for target in scope.targets:
            field = fields.get(target.name)
            if field is None:
                continue
            measured = [p for p in inputs["photometry"] if p.labels["field"] == field]
            exposures = [p for p in inputs["exposure"] if p.labels["field"] == field]
            labels = {"field": field, "target": target.name}
            given = {"photometry": measured, "exposure": exposures}
            arguments = {
                "position": [target.position.ra_deg, target.position.dec_deg],
                "visits": {p.name: p.labels["visit"] for p in exposures},
                "epochs": {p.name: p.labels["epoch"] for p in exposures},
            }
            yield Job(target.name, labels, given, arguments)

    def run(self, job: Job, params: ScrapeParams, context: Context) -> Outcome:
        """Find the source of one target, and write its light curve."""
        from hst123r.products.light_curve import find_source, light_curve, write_light_curve
        from hst123r.products.measured_sources import measured_sources
        from hst123r.products.plots import light_curve as plot

        sources = measured_sources([p.files["catalog"] for p in job.inputs["photometry"]])
        ra, dec = job.arguments["position"]
        radius = params.radius.to("arcsec")
        found = find_source(sources, ra, dec, radius, params.source, job.label)
        if found is None:
            raise StageError(
                "the target was not measured",
                where=job.label,
                hint="Nothing was found within `radius`, and the place itself was not measured: "
                "raise `radius`, or for `engine: dolphot` keep `forced`",
            )
        rows = light_curve(
            found.source,
            job.inputs["photometry"],
            job.arguments["visits"],
            job.arguments["epochs"],
            params.limit_snr,
        )
        caveats = _caveats(job, found)
        table = context.product(f"{job.label}_light_curve.ecsv")
        picture = context.product(f"{job.label}_light_curve.png")
        codes = sorted({caveat.code for caveat in caveats})
        meta = {"target": job.label, "limit_snr": params.limit_snr, **found.as_json()}
        write_light_curve(table, rows, {**meta, "caveats": codes})
        epochs = [row for row in rows if row["level"] == "epoch"]
        plot(picture, epochs, title=f"{job.label}, one point per epoch and filter")
        files = {"table": str(table), "plot": str(picture)}
        facts = {**found.as_json(), "rows": rows, "limit_snr": params.limit_snr}
        product = Product("light curve", job.label, dict(job.labels), files, facts)
        measured = [Measurement("separation", found.separation_arcsec, "arcsec", high=radius)]
        return Outcome([product], measured, caveats, photometry=_stored(job, rows, codes))


def _caveats(job: Job, found: Found) -> list[Caveat]:
    caveats = {
        (caveat.code, caveat.text): caveat
        for product in (*job.inputs["photometry"], *job.inputs["exposure"])
        for caveat in product.caveats
    }
    own = []
    if not found.detected:
        text = (
            "no source within the radius; fluxes are those at the recipe's position, in a frame "
            "that stands where the reference visit's headers put it"
        )
        own.append(Caveat("target_unseen", text))
    if found.others:
        text = f"{found.others} more source{'s' if found.others > 1 else ''} within the radius"
        own.append(Caveat("several_sources", text))
    return [*own, *caveats.values()]


def _stored(job: Job, rows: list[dict[str, Any]], codes: list[str]) -> list[dict[str, Any]]:
    """The rows as the store's table of photometry has them."""
    return [
        {**row, "target": job.label, "source": str(row["source"]), "caveats": ",".join(codes)}
        for row in rows
    ]
