"""Write the report: one page that shows what was done and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from hst123r.errors import InputError
from hst123r.products.anchors import ORIGINS
from hst123r.records.outcome import Outcome, Product
from hst123r.records.params import Params
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage

BYTES = ("bytes",)


class ReportParams(Params):
    """Parameters of the stage `report`."""

    measurements: bool = Field(True, description="Show the measurements of every stage")


class Report(Stage[ReportParams]):
    """Write the report: one page that shows what was done and what came out."""

    name = "report"
    params = ReportParams
    version = 5
    needs = (
        Need("exposure table", facets=BYTES),
        Need("reference", facets=BYTES, facts=("*",), optional=True),
        Need("alignment", facets=BYTES, facts=("*",), optional=True, every=True),
        Need("stack", facets=("pixels",), facts=("*",), optional=True, every=True),
        Need("photometry", facets=BYTES, facts=("*",), optional=True),
        Need("light curve", facets=BYTES, facts=("*",), optional=True),
        # told of like every job, and not read: an HDF5 file names the run that made it
        Need("export", facets=(), optional=True),
    )
    makes = ("report",)
    per = "recipe"
    preload = ASTROPY
    home: ClassVar[Literal["products", "raw", "top"]] = "top"
    wants_summaries = True

    def divide(
        self, inputs: dict[str, list[Product]], params: ReportParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for the recipe; what is known of all earlier jobs goes into its arguments.

        Raises
        ------
        InputError
            If the page would have the name of the one that it leads to.
        """
        del params
        if f"{scope.instance}.html" == ORIGINS:
            raise InputError(
                f"a report cannot be named {scope.instance}, since {ORIGINS} is the page that "
                "reports lead to",
                hint="Give the stage another `name`",
            )
        arguments = {
            "recipe_name": scope.recipe_name,
            "recipe_text": scope.recipe_text,
            "targets": [
                {
                    "name": target.name,
                    "sexagesimal": target.position.sexagesimal,
                    "degrees": target.position.decimal,
                }
                for target in scope.targets
            ],
            "software": scope.software,
            # where a value was written decides nothing, and depends on how the recipe was named
            "parameters": [
                {key: value for key, value in item.items() if key != "origin"}
                for item in scope.parameters
            ],
            # numbers of jobs change from run to run and would make the page anew
            "jobs": [
                {key: value for key, value in job.items() if key != "job_id"}
                for job in scope.upstream
            ],
            "failures": scope.failures,
        }
        notes = {"origins": [item["origin"] for item in scope.parameters]}
        yield Job(scope.instance, {}, dict(inputs), arguments, notes)

    def run(self, job: Job, params: ReportParams, context: Context) -> Outcome:
        """Write the page."""
        from hst123r.products.report import page

        path = context.product(f"{job.label}.html")
        origins = zip(job.arguments["parameters"], job.notes["origins"], strict=True)
        parameters = [{**item, "origin": origin} for item, origin in origins]
        about = {**job.arguments, "parameters": parameters}
        text = page(about, job.inputs, measurements=params.measurements)
        path.write_text(text, encoding="utf-8")
        return Outcome([Product("report", "report", {}, {"page": str(path)})])
