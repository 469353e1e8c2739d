"""Find the sources of each field in its stacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from hst123r import instruments
from hst123r.records.exposure import band
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality
from hst123r.records.params import Params
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, Job, Need, Scope, Stage

if TYPE_CHECKING:
    from hst123r.sources.stacked import StackImage

FACTS = (
    "zeropoint_ab", "exposure_time_s", "scale_arcsec", "exposures", "unit", "compared", "scaled",
)  # fmt: skip
SKY_CUT = "more than half of the sky has one value, so its noise and the threshold are guesses"
SAME_FWHM = 0.7
"""Sources of two stacks closer than this many FWHM are one."""
SAME_PIX = 1.4
"""So are those closer than this many pixels, the distance of pixels that meet at a corner."""


class DetectParams(Params):
    """Parameters of the stage `detect`."""

    threshold: float = Field(5.0, ge=2, le=100, description="Detection threshold, sigma")
    min_compared: int = Field(
        2,
        ge=1,
        description="Where fewer exposures were compared to find cosmic rays, as at the edges of "
        "a dither, a stack is not searched; 1 searches everywhere",
    )
    min_sources: int = Field(1, ge=0, description="Fewer sources than this are a caveat")


class Detect(Stage[DetectParams]):
    """Find the sources of each field in its stacks."""

    name = "detect"
    params = DetectParams
    version = 3
    needs = (Need("stack", facets=IMAGE, facts=FACTS),)
    makes = ("sources",)
    implied = True
    per = "field"
    tools = ("photutils", "astropy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: DetectParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each field, its stacks in the order of depth."""
        from hst123r.products.stacks import depth

        del params
        fields: dict[str, list[Product]] = {}
        targets: dict[str, dict[str, list[float]]] = {}
        for product in inputs["stack"]:
            fields.setdefault(product.labels["field"], []).append(product)
            targets.setdefault(product.labels["field"], {})
        for target in scope.targets:
            place = [target.position.ra_deg, target.position.dec_deg]
            for field, members in fields.items():
                if any(target.name in p.facts["targets"] for p in members):
                    targets[field][target.name] = place
        for field, members in sorted(fields.items()):
            members.sort(key=lambda p: (-depth(p.facts), p.name))
            labels = {"field": field}
            yield Job(field, labels, {"stack": members}, {"targets": targets[field]})

    def memory_mb(self, job: Job, params: DetectParams) -> float:
        """Estimate from the largest stack: about 80 bytes a pixel."""
        del params
        shapes = [product.facts["shape"] for product in job.inputs["stack"]]
        largest: int = max(rows * columns for rows, columns in shapes)
        return 500.0 + 80e-6 * largest

    def run(self, job: Job, params: DetectParams, context: Context) -> Outcome:
        """Search the stacks of one field, and add its targets where nothing was found."""
        import numpy as np

        from hst123r.products.source_table import write_sources
        from hst123r.sources.stacked import find_sources, merge_sources, nearest_arcsec

        lists, radii = [], []
        measured: list[Measurement] = []
        caveats: list[Caveat] = []
        for number, product in enumerate(job.inputs["stack"]):
            image = _image(product)
            search = find_sources(image, params.threshold, number, params.min_compared)
            context.logger.info("%s: %d sources", product.name, search.sources.count)
            lists.append(search.sources)
            unit = str(product.facts["unit"]).lower()
            measured.append(Measurement("noise", search.noise, unit, subject=product.name))
            measured.append(
                Measurement("correlated_noise", search.growth, "1", subject=product.name)
            )
            if search.sky_cut:
                caveats.append(Caveat("sky_cut", SKY_CUT, product.name))
            radii.append(max(SAME_FWHM * image.fwhm_arcsec, SAME_PIX * image.scale_arcsec))
        sources = merge_sources(lists, radii)
        unseen = {
            name: (ra, dec)
            for name, (ra, dec) in job.arguments["targets"].items()
            if nearest_arcsec(np.array([ra]), np.array([dec]), sources)[0] > radii[0]
        }
        names = [product.name for product in job.inputs["stack"]]
        path = context.product(f"{job.label}_sources.ecsv")
        rows = write_sources(sources, names, unseen, path, {"stacks": names})
        facts = {
            "sources": sources.count,
            "rows": rows,
            "unseen": sorted(unseen),
            "targets": job.arguments["targets"],
        }
        product = Product("sources", job.label, dict(job.labels), {"catalog": str(path)}, facts)
        least = params.min_sources
        measured.append(Measurement("sources", sources.count, low=least, fails=Quality.CAVEAT))
        return Outcome([product], measured, caveats)


def _image(product: Product) -> StackImage:
    from hst123r.algorithms.context import most_in_one_group
    from hst123r.optics.telescope import effective_psf
    from hst123r.products.stacks import read_stack
    from hst123r.sources.stacked import StackImage
    from hst123r.sources.wings import Wings

    detector = instruments.get(product.labels["detector"])
    # most of WFPC2 has pixels twice as large as its first chip; the core of a star seen by
    # small pixels would be too sharp there, and its wings be taken for sources
    chip = detector.coarsest_chip
    psf = effective_psf(detector, band(product.labels["filter"]), chip=chip.number)
    stack = read_stack(product.files["science"])
    groups = product.facts["compared"]
    scale, native = product.facts["scale_arcsec"], chip.pixel_arcsec
    number = len(product.facts["exposures"])
    time = float(product.facts["exposure_time_s"] or 1.0) / number
    # of a stack in electrons, the pixels are sums over the exposures
    per_second = "/" in product.facts["unit"]
    full = detector.noise.full_well.value * (1.0 / time if per_second else number)
    return StackImage(
        science=stack.science,
        weight=stack.weight,
        compared=most_in_one_group(stack.context, groups) if groups else None,
        wcs=stack.wcs,
        scale_arcsec=scale,
        fwhm_arcsec=psf.fwhm_pix * native,
        wings=Wings.of(psf, native),
        full=full * (scale / native) ** 2 * product.facts["scaled"],
    )
