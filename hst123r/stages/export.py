"""Put exposures, catalogues and light curves into the files people publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from hst123r.records.outcome import Outcome, Product
from hst123r.records.params import Params
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage

BYTES = ("bytes",)


class ExportParams(Params):
    """Parameters of the stage `export`."""

    formats: list[Literal["ecsv", "hdf5"]] = Field(
        ["ecsv", "hdf5"],
        min_length=1,
        description="ecsv: one table of all light curves; hdf5: one file with everything",
    )


class Export(Stage[ExportParams]):
    """Put exposures, catalogues and light curves into the files people publish."""

    name = "export"
    params = ExportParams
    version = 1
    needs = (
        Need("light curve", facets=BYTES),
        Need("photometry", facets=BYTES),
        Need("exposure table", facets=BYTES),
    )
    makes = ("export",)
    per = "recipe"
    tools = ("astropy", "h5py")
    preload = ASTROPY

    def divide(
        self, inputs: dict[str, list[Product]], params: ExportParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for the recipe."""
        del params
        given = {need.kind: sorted(inputs[need.kind], key=lambda p: p.name) for need in self.needs}
        yield Job("all", {}, given, {"recipe": scope.recipe_name})

    def run(self, job: Job, params: ExportParams, context: Context) -> Outcome:
        """Write the files."""
        from hst123r.products.exports import write_hdf5, write_light_curves

        recipe = job.arguments["recipe"]
        files: dict[str, str] = {}
        curves = {product.name: product.files["table"] for product in job.inputs["light curve"]}
        if "ecsv" in params.formats:
            path = context.product(f"{recipe}_light_curves.ecsv")
            write_light_curves(path, curves)
            files["light_curves"] = str(path)
        if "hdf5" in params.formats:
            path = context.product(f"{recipe}.h5")
            catalogues = {product.name: product.files for product in job.inputs["photometry"]}
            (table,) = job.inputs["exposure table"]
            write_hdf5(path, recipe, table.files["table"], catalogues, curves)
            files["hdf5"] = str(path)
        return Outcome([Product("export", "all", {}, files)])
