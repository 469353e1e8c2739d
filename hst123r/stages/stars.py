"""Measure the stars of each exposure, once for all stages that compare exposures by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from hst123r import instruments
from hst123r.records.amount import Amount
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Measurement, Outcome, Product
from hst123r.records.params import Params, PositivePixels
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, Job, Need, Scope, Stage


class StarsParams(Params):
    """Parameters of the stage `stars`."""

    threshold: float = Field(5.0, ge=2, le=100, description="Detection threshold, sigma")
    min_snr: float = Field(10.0, ge=3, description="Lowest S/N of a star that is kept")
    sources: Literal["stars", "all", "auto"] = Field(
        "auto",
        description="What is kept: stars, all (compact galaxies too), or auto: all where an "
        "exposure has fewer than 100 stars",
    )
    brightest: int = Field(1000, ge=10, le=20000, description="Most stars of a chip, by flux")
    fit_radius: PositivePixels = Field(Amount(3.0, "pix"), description="Radius of the PSF fit")
    find_cosmic_rays: bool = Field(
        False, description="Find cosmic rays with astroscrappy and leave them out"
    )
    cosmic_ray_sigma: float = Field(
        4.5, ge=2, le=50, description="Threshold of astroscrappy over the noise, its `sigclip`"
    )
    cosmic_ray_contrast: float = Field(
        10.0,
        ge=1,
        le=50,
        description="How much sharper than a star they are, its `objlim`; 5 takes a third of the "
        "stars of Hubble for cosmic rays",
    )


class Stars(Stage[StarsParams]):
    """Measure the stars of each exposure, once for all stages that compare exposures by them.

    They are fitted with the PSF of the detector and filter, without saturated and flagged pixels;
    cosmic rays, hot pixels and galaxies are told by their width. `reference` makes a catalogue of
    them and `align` matches them.
    """

    name = "stars"
    params = StarsParams
    version = 2
    needs = (Need("exposure", facets=IMAGE),)
    makes = ("stars", "cosmic rays")
    implied = True
    per = "exposure"
    varies_by = ("detector", "filter")
    tools = ("astropy", "photutils", "astroscrappy")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: StarsParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each exposure."""
        del params, scope
        for product in sorted(inputs["exposure"], key=lambda p: p.name):
            yield Job(product.name, dict(product.labels), {"exposure": [product]})

    def memory_mb(self, job: Job, params: StarsParams) -> float:
        """Estimate from the largest chip: measuring stars takes about 60 bytes a pixel."""
        del params
        (source,) = job.inputs["exposure"]
        return 500.0 + 60e-6 * max(chip.pixels for chip in Exposure.own(source.facts).chips)

    def run(self, job: Job, params: StarsParams, context: Context) -> Outcome:
        """Measure one exposure."""
        from hst123r.products.star_lists import measure_stars, write_stars

        (source,) = job.inputs["exposure"]
        exposure = Exposure.own(source.facts)
        hits = _cosmic_rays(source, exposure, params, context)
        found = measure_stars(
            source.files,
            exposure,
            threshold_sigma=params.threshold,
            min_snr=params.min_snr,
            brightest=params.brightest,
            fit_radius_pix=params.fit_radius.to("pix"),
            sources=params.sources,
            cosmic_rays=hits.files["mask"] if hits else None,
        )
        path = context.product(f"{exposure.root}_stars.fits")
        write_stars(found, path, exposure.root)
        number = sum(len(chip) for chip in found.values())
        stars = Product(
            "stars", source.name, dict(source.labels), {"stars": str(path)}, {"stars": number}
        )
        measured = [Measurement("stars", number, subject=exposure.root)]
        if hits is None:
            return Outcome([stars], measured)
        measured.append(Measurement("cosmic_rays", hits.facts["share"], subject=exposure.root))
        return Outcome([stars, hits], measured)


def _cosmic_rays(
    source: Product, exposure: Exposure, params: StarsParams, context: Context
) -> Product | None:
    """Find the cosmic rays of an exposure, if that is wanted and the detector keeps them."""
    import numpy as np

    from hst123r.external.lacosmic import find_cosmic_rays
    from hst123r.products.frames import read_frames
    from hst123r.products.quality import write_mask

    if not params.find_cosmic_rays:
        return None
    if instruments.get(exposure.detector).noise.cosmic_rays is None:
        return None
    masks = {}
    for chip, frame in zip(exposure.chips, read_frames(source.files, exposure), strict=True):
        masks[chip.extver] = find_cosmic_rays(
            np.asarray(frame.data, np.float32),
            frame.bad,
            frame.read_noise_e,
            sigma=params.cosmic_ray_sigma,
            contrast=params.cosmic_ray_contrast,
        )
    path = context.product(f"{exposure.root}_crmask.fits")
    write_mask(masks, path, "CRMASK")
    share = sum(int(m.sum()) for m in masks.values()) / sum(m.size for m in masks.values())
    return Product(
        "cosmic rays", source.name, dict(source.labels), {"mask": str(path)}, {"share": share}
    )
