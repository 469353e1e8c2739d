"""Measure the sources of a field in every exposure."""

from __future__ import annotations

from collections.abc import Iterator

from hst123r.photometers.engines import ENGINES, one_engine
from hst123r.photometers.params import PhotometryParams
from hst123r.records.outcome import Outcome, Product
from hst123r.stage.context import Context
from hst123r.stage.contract import (
    DOLPHOT_FILE,
    HEAVY,
    IMAGE,
    PIXELS,
    PSF_GRID,
    SCIENCE,
    Job,
    Need,
    Scope,
    Stage,
)
from hst123r.stage.resources import Cores


class Photometry(Stage[PhotometryParams]):
    """Measure the sources of a field in every exposure."""

    name = "photometry"
    params = PhotometryParams
    version = 9
    needs = (
        Need("sources", facets=("bytes",), facts=("targets",)),
        Need("exposure", facets=IMAGE),
        Need("cosmic-ray mask", facets=("pixels",), facts=("epochs",), optional=True, every=True),
        Need("stack", facets=IMAGE, optional=True),
        Need(PSF_GRID, facets=(PIXELS, SCIENCE), optional=True),
        Need(DOLPHOT_FILE, facets=("bytes",), optional=True),
    )
    makes = (
        "photometry", "dolphot run", "artificial stars", "residual image", "target alone",
    )  # fmt: skip
    per = "group"
    varies_by = ("detector", "filter")
    # where the bytes come from is no part of what they are
    divides_by = ("psf_grids", "fetch_psf_grids")
    tools = ("astropy", "photutils", "scipy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: PhotometryParams, scope: Scope
    ) -> Iterator[Job]:
        """Jobs of the engine: for each field, detector and filter, or for each field."""
        one_engine(inputs, params, scope)
        yield from ENGINES[params.engine].divide(inputs, params, scope)

    def memory_mb(self, job: Job, params: PhotometryParams) -> float:
        """Estimate of the engine."""
        return ENGINES[params.engine].memory_mb(job, params)

    def cores(self, job: Job, params: PhotometryParams) -> Cores:
        """As many as the engine can use."""
        return ENGINES[params.engine].cores(job, params)

    def run(self, job: Job, params: PhotometryParams, context: Context) -> Outcome:
        """Measure."""
        return ENGINES[params.engine].run(job, params, context)
