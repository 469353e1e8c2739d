"""Bring the exposures into ``raw/``, read-only and verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from hst123r.errors import InputError
from hst123r.records.outcome import Outcome, Product, Reject
from hst123r.records.params import Params
from hst123r.stage.context import Context
from hst123r.stage.contract import DQ, PIXELS, SCIENCE, WCS, Job, Need, Scope, Stage


class FetchParams(Params):
    """Parameters of the stage `fetch`."""

    from_: Literal["directory"] = Field(alias="from", description="The archive")
    path: str | None = Field(
        None, description="For `directory`: the folder, relative to the recipe"
    )
    recursive: bool = Field(False, description="For `directory`: look into subfolders too")


class Fetch(Stage[FetchParams]):
    """Bring the exposures into ``raw/``, read-only and verified."""

    name = "fetch"
    params = FetchParams
    version = 1
    needs = (Need("user file", facets=(PIXELS, DQ, WCS, SCIENCE, "alternates"), optional=True),)
    makes = ("file",)
    per = "exposure"
    home: ClassVar[Literal["products", "raw", "top"]] = "raw"
    stamped = False

    def divide(
        self, inputs: dict[str, list[Product]], params: FetchParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each exposure, and one that says what was left out."""
        del inputs
        from hst123r.archives.directory import list_folder

        if params.path is None:
            raise InputError("`from: directory` needs `path`, the folder", where="fetch")
        folder = Path(scope.recipe_folder) / Path(params.path).expanduser()
        listing = list_folder(folder, recursive=params.recursive)
        for found in listing.exposures:
            labels = {"exposure": found.root}
            product = Product("user file", found.root, labels, dict(found.files))
            yield Job(found.root, labels, {"user file": [product]})
        if listing.left_out:
            yield Job("left-out", arguments={"left_out": listing.left_out})

    def run(self, job: Job, params: FetchParams, context: Context) -> Outcome:
        """Copy and verify the files of one exposure."""
        del params
        if "left_out" in job.arguments:
            rejects = [Reject(*entry) for entry in job.arguments["left_out"]]
            return Outcome(rejects=rejects)
        from hst123r.files.publish import READ_ONLY, copy
        from hst123r.files.verify import verify_exposure

        (source,) = job.inputs["user file"]
        product = Product("file", job.label, dict(job.labels))
        for role, path in source.files.items():
            destination = context.product(Path(path).name)
            context.looked[path] = copy(Path(path), destination)
            checksums = verify_exposure(destination, job.label)
            destination.chmod(READ_ONLY)
            product.files[role] = str(destination)
            product.facts[f"checksums_{role}"] = checksums
        return Outcome([product])
