"""Put exposures, catalogues and light curves into the files people publish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field

from hst123r.records.outcome import Outcome, Product
from hst123r.records.params import Params
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage

BYTES = ("bytes",)
ARTIFICIAL: Final = "artificial stars"
"""Kind of the products with what became of artificial stars, of a field, detector and filter."""


class ExportParams(Params):
    """Parameters of the stage `export`."""

    formats: list[Literal["ecsv", "hdf5", "phot", "snana"]] = Field(
        ["ecsv", "hdf5"],
        min_length=1,
        description="ecsv: one table of all light curves; hdf5: one file with everything; phot: a "
        "light curve in hst123's layout for each target; snana: one for SNANA",
    )


class Export(Stage[ExportParams]):
    """Put exposures, catalogues and light curves into the files people publish."""

    name = "export"
    params = ExportParams
    version = 3
    needs = (
        Need("light curve", facets=BYTES),
        Need("photometry", facets=BYTES),
        Need(ARTIFICIAL, facets=BYTES, optional=True, every=True),
        Need("exposure table", facets=BYTES),
        Need("alignment", facets=(), facts=("exposures",), optional=True, every=True),
    )
    makes = ("export",)
    per = "recipe"
    tools = ("astropy", "h5py")
    preload = ASTROPY
    wants_parameters = True

    def divide(
        self, inputs: dict[str, list[Product]], params: ExportParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for the recipe."""
        del params
        given = {
            need.kind: sorted(inputs.get(need.kind, []), key=lambda p: p.name)
            for need in self.needs
        }
        names = [item["stage"] for item in scope.parameters]
        # later stages have no part in what is exported
        last = max((i for i, name in enumerate(names) if name == scope.instance), default=-1)
        parameters = [
            {name: item[name] for name in ("stage", "name", "value")}
            for item in scope.parameters[: last + 1]
        ]
        arguments = {
            "recipe": scope.recipe_name, "parameters": parameters, "software": scope.software,
        }  # fmt: skip
        yield Job("all", {}, given, arguments)

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
            (table,) = job.inputs["exposure table"]
            write_hdf5(
                path,
                {"recipe": recipe, "software": job.arguments["software"]},
                table.files["table"],
                tables_of(job.inputs["photometry"], job.inputs.get(ARTIFICIAL, [])),
                curves,
                {p.name: p.facts["exposures"] for p in job.inputs.get("alignment", [])},
                job.arguments["parameters"],
            )
            files["hdf5"] = str(path)
        files |= _texts(params, context, curves)
        return Outcome([Product("export", "all", {}, files)])


def tables_of(
    photometry: Sequence[Product], artificial: Sequence[Product]
) -> dict[str, dict[str, str]]:
    """Return the tables of each field, detector and filter.

    Parameters
    ----------
    photometry, artificial : sequence of Product
        Products with the same names belong together.

    Returns
    -------
    dict of str to dict of str to str
        Path by role; those of artificial stars are ``completeness`` and ``artificial_stars``.
    """
    result = {product.name: dict(product.files) for product in photometry}
    for product in artificial:
        result.setdefault(product.name, {}).update(
            completeness=product.files["table"], artificial_stars=product.files["stars"]
        )
    return result


def _texts(params: ExportParams, context: Context, curves: dict[str, str]) -> dict[str, str]:
    """Write light curves for other programs, one file for each source."""
    from hst123r.products.text_light_curves import sources_in, write_phot, write_snana

    files = {}
    for ending, write in (("phot", write_phot), ("snana", write_snana)):
        if ending not in params.formats:
            continue
        for target, curve in curves.items():
            numbers = sources_in(curve)
            for number in numbers:
                name = target if len(numbers) == 1 else f"{target}_{number}"
                path = context.product(f"{name}.{ending}")
                write(path, curve, target, number)
                files[f"{ending}:{name}"] = str(path)
    return files
