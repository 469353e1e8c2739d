"""Bring the exposures of each visit onto the frame of the reference, and measure how well."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from hst123r import instruments
from hst123r.records.amount import Amount
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality
from hst123r.records.params import Params, Pixels, PositivePixels
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, Job, Need, Scope, Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.external.tweakreg import Shift
    from hst123r.sources.alignment import Residual
    from hst123r.sources.stars import ChipStars


class AlignParams(Params):
    """Parameters of the stage `align`."""

    method: Literal["tweakreg", "tweakwcs", "none"] = Field(
        "tweakwcs",
        description="Who matches and fits: TweakReg, or hst123r with the corrections of tweakwcs",
    )
    geometry: Literal["shift", "rshift", "rscale", "general"] = Field(
        "rscale",
        description="What is fitted: shift, with rotation, with scale, or all linear terms",
    )
    search_radius: Pixels = Field(
        Amount(20.0, "pix"),
        description="How far a star may be from where the header puts it; whole pixels",
    )
    tolerance: Pixels = Field(
        Amount(1.0, "pix"), description="How far matched stars may be apart, at least 1 pix"
    )
    separation: Pixels = Field(
        Amount(0.5, "pix"), description="TweakReg: stars closer together are not matched"
    )
    threshold: float = Field(5.0, ge=2, le=100, description="Detection threshold, sigma")
    min_snr: float = Field(10.0, ge=3, description="Lowest S/N of a star that is used")
    sources: Literal["stars", "all", "auto"] = Field(
        "auto",
        description="What is matched: stars, all (compact galaxies too), or auto: all where an "
        "exposure has fewer than 100 stars",
    )
    brightest: int = Field(500, ge=10, le=5000, description="Most stars of a chip, by flux")
    fit_radius: PositivePixels = Field(Amount(3.0, "pix"), description="Radius of the PSF fit")
    min_matches: int = Field(10, ge=3, description="Fewer matched stars than this are bad")
    clip: int = Field(3, ge=0, le=20, description="TweakReg: rounds of clipping")
    sigma: float = Field(3.0, gt=0, description="TweakReg: clipping threshold")
    max_rms: PositivePixels = Field(
        Amount(0.5, "pix"), description="A residual rms above this, along either axis, is bad"
    )
    max_error: PositivePixels = Field(
        Amount(0.1, "pix"), description="A solution less certain than this is bad"
    )

    @field_validator("geometry")
    @classmethod
    def _known_to_tweakreg(cls, value: str, info: ValidationInfo) -> str:
        if value == "rshift" and info.data.get("method") == "tweakreg":
            raise ValueError(
                "TweakReg knows shift, rscale and general; take one, or method: tweakwcs"
            )
        return value

    @field_validator("search_radius")
    @classmethod
    def _whole(cls, value: Amount) -> Amount:
        if value.value < 1 or value.value != round(value.value):
            raise ValueError(f"{value} is no whole number of pixels of at least 1")
        return value

    @field_validator("tolerance")
    @classmethod
    def _at_least_one(cls, value: Amount) -> Amount:
        if value.value < 1:
            raise ValueError(f"{value} is below 1 pix, which loses most matches")
        return value


class Align(Stage[AlignParams]):
    """Bring the exposures of each visit onto the frame of the reference, and measure how well."""

    name = "align"
    params = AlignParams
    version = 3
    needs = (
        Need("exposure", facets=IMAGE),
        Need("reference", facets=("bytes",), facts=("exposures",)),
    )
    makes = ("exposure", "alignment")
    per = "visit"
    varies_by = ("detector",)
    tools = ("drizzlepac", "tweakwcs", "stwcs", "astropy", "photutils")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: AlignParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each field, visit and detector."""
        del params
        references = {product.labels["field"]: product for product in inputs["reference"]}
        groups: dict[tuple[str, str, str], list[Product]] = {}
        for product in inputs["exposure"]:
            labels = product.labels
            key = (labels["field"], labels["visit"], labels["detector"])
            groups.setdefault(key, []).append(product)
        targets = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        for (field, visit, detector), members in sorted(groups.items()):
            if field not in references:
                continue
            members.sort(key=lambda p: (p.facts["start_mjd"], p.name))
            labels = {"field": field, "visit": visit, "detector": detector}
            slug = instruments.get(detector).slug
            given = {"exposure": members, "reference": [references[field]]}
            yield Job(f"{field}-{visit}-{slug}", labels, given, {"targets": targets})

    def memory_mb(self, job: Job, params: AlignParams) -> float:
        """Estimate from the largest chip: measuring stars takes about 60 bytes a pixel."""
        del params
        exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
        largest = max(chip.pixels for exposure in exposures for chip in exposure.chips)
        return 500.0 + 60e-6 * largest

    def run(self, job: Job, params: AlignParams, context: Context) -> Outcome:
        """Align the exposures of one visit."""
        work = _Visit(job, params, context)
        work.measure()
        work.solve()
        return work.outcome()


class _Visit:
    """The exposures of one visit and detector on their way to the reference frame."""

    def __init__(self, job: Job, params: AlignParams, context: Context) -> None:
        from hst123r.products.reference_table import read_reference
        from hst123r.products.working_copy import working_copy
        from hst123r.sources.alignment import Frame

        self.job = job
        self.params = params
        self.context = context
        (reference,) = job.inputs["reference"]
        self.reference = read_reference(reference.files["catalog"])
        self.scale = instruments.get(job.labels["detector"]).pixel_scale.value
        self.frame = Frame(
            scale_arcsec=self.scale,
            search_pix=params.search_radius.to("pix"),
            tolerance_pix=params.tolerance.to("pix"),
            geometry=params.geometry,
        )
        self.exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
        # TweakReg leaves files of its own beside those it works on
        self.folder = context.folder("align")
        self.files = [working_copy(p.files, self.folder) for p in job.inputs["exposure"]]
        self.stars: list[dict[int, ChipStars]] = []
        self.shifts: dict[str, Shift | None] = {}
        self.unchanged: set[str] = set()
        # rows of the stars that were left out of a fit, to check it
        self.check: dict[str, NDArray[np.int64]] = {}

    def measure(self) -> None:
        """Find the stars of every exposure."""
        from hst123r.products.star_lists import read_chip_stars

        params = self.params
        for files, exposure in zip(self.files, self.exposures, strict=True):
            found = read_chip_stars(
                files,
                exposure,
                threshold_sigma=params.threshold,
                min_snr=params.min_snr,
                brightest=params.brightest,
                fit_radius_pix=params.fit_radius.to("pix"),
                sources=params.sources,
            )
            self.stars.append(found)

    def solve(self) -> None:
        """Fit the exposures whose WCS is not right already."""
        if self.params.method == "none":
            return
        moving: dict[int, Residual] = {}
        for number, exposure in enumerate(self.exposures):
            before = self._residual(number)
            if before.is_aligned:
                self.unchanged.add(exposure.root)
            else:
                moving[number] = before
        if moving and self.params.method == "tweakreg":
            self._tweak(list(moving))
        elif moving:
            self._fit(moving)

    def _fit(self, moving: dict[int, Residual]) -> None:
        from hst123r.products.own_alignment import align_exposure

        for number, before in moving.items():
            if before.pairs < self.params.min_matches:
                continue
            exposure = self.exposures[number]
            found = align_exposure(self.files[number], exposure, before, self.frame)
            if found is not None:
                self.check[exposure.root] = before.star[found.check]

    def _tweak(self, moving: list[int]) -> None:
        from hst123r.external import tweakreg
        from hst123r.products.wcs_cards import copy_wcs
        from hst123r.products.working_copy import working_copy

        names = {Path(self.files[n]["science"]).name: n for n in moving}
        enough = {
            name: number
            for name, number in names.items()
            if sum(chip.x.size for chip in self.stars[number].values()) >= self.params.min_matches
        }
        lists = {
            name: {
                version: [
                    (x + 1, y + 1, rate)
                    for x, y, rate in zip(
                        chip.x.tolist(), chip.y.tolist(), chip.rate.tolist(), strict=True
                    )
                ]
                for version, chip in self.stars[number].items()
            }
            for name, number in enough.items()
        }
        if not lists or len(self.reference.ra_deg) < self.params.min_matches:
            return
        self.shifts = tweakreg.tweakreg(
            self.folder, lists, self.reference.as_star_list(), self._settings()
        )
        for name, number in names.items():
            source = self.job.inputs["exposure"][number].files
            if self.shifts.get(name) is None:
                # a failed fit has stamped its name on the header all the same
                working_copy(source, self.folder)
            elif "dq" in source:
                copy_wcs(self.files[number]["science"], self.files[number]["dq"])

    def _settings(self) -> Any:
        from hst123r.external.tweakreg import Settings

        params = self.params
        return Settings(
            # the reference may have been moved away from the headers
            search_radius_pix=round(params.search_radius.to("pix"))
            + math.ceil(self.reference.moved_arcsec / self.scale),
            tolerance_pix=params.tolerance.to("pix"),
            separation_pix=params.separation.to("pix"),
            min_matches=params.min_matches,
            geometry=params.geometry,
            clip=params.clip,
            sigma=params.sigma,
        )

    def _residual(self, number: int) -> Residual:
        """Compare the stars of an exposure, through its WCS as it is now, with the reference."""
        from hst123r.products.exposures import open_chips
        from hst123r.sources.alignment import compare

        wcs = open_chips(self.files[number]["science"], self.exposures[number])
        return compare(self.stars[number], wcs, self.reference, self.frame)

    def outcome(self) -> Outcome:
        """Say what became of every exposure."""
        from hst123r.products.wcs_cards import displacement

        for files in self.files:
            for role, path in files.items():
                final = self.context.product(Path(path).name)
                files[role] = str(Path(path).replace(final))
        products: list[Product] = []
        measured: list[Measurement] = []
        found: dict[str, Residual] = {}
        for number, (source, exposure) in enumerate(
            zip(self.job.inputs["exposure"], self.exposures, strict=True)
        ):
            residual = self._residual(number)
            found[exposure.root] = residual
            moved = displacement(source.files["science"], self.files[number]["science"], exposure)
            measured += self._measurements(exposure.root, residual, moved)
            products.append(self._product(source, number, residual, moved))
        products.append(self._alignment(found))
        return Outcome(products, measured, self._caveats())

    def _alignment(self, found: dict[str, Residual]) -> Product:
        """Write what belongs to the visit: matches, regions, plot, and the WCS as headerlets."""
        from hst123r.products.alignment_table import write_matches, write_regions
        from hst123r.products.headerlets import write_headerlet
        from hst123r.products.plots import residuals

        label = self.job.label
        reference = self.job.inputs["reference"][0].name
        table, regions, plot = (
            self.context.product(f"{label}_{name}")
            for name in ("matches.ecsv", "matches.reg", "residuals.png")
        )
        write_matches(found, table, {"reference": reference})
        write_regions(found, self.reference, regions)
        residuals(
            plot,
            {root: (r.east_mas, r.north_mas) for root, r in found.items()},
            unit="mas",
            title=f"{label}: residuals against the reference",
        )
        files = {"matches": str(table), "regions": str(regions), "plot": str(plot)}
        for number, (root, residual) in enumerate(found.items()):
            if self._state(root, residual) not in {"none", "failed"}:
                path = self.context.product(f"{root}_hlet.fits")
                science = self.files[number]["science"]
                write_headerlet(science, path, root, residual.pairs, reference)
                files[f"headerlet_{root}"] = str(path)
        facts = {"exposures": {root: r.as_json() for root, r in found.items()}}
        return Product("alignment", label, dict(self.job.labels), files, facts)

    def _state(self, root: str, residual: Residual) -> str:
        if self.params.method != "none" and residual.pairs < self.params.min_matches:
            return "failed"
        return "kept" if root in self.unchanged else self.params.method

    def _product(
        self, source: Product, number: int, residual: Residual, moved: tuple[float, float]
    ) -> Product:
        from hst123r.products.exposures import read_exposure

        targets = {name: (ra, dec) for name, (ra, dec) in self.job.arguments["targets"].items()}
        record = read_exposure(self.files[number]["science"], targets)
        root = record.root
        state = self._state(root, residual)
        facts = {
            **source.facts,
            **record.as_facts(),
            "alignment": {"state": state, "moved_arcsec": list(moved), **residual.as_json()},
        }
        return Product("exposure", root, dict(source.labels), self.files[number], facts)

    def _measurements(
        self, root: str, residual: Residual, moved: tuple[float, float]
    ) -> list[Measurement]:
        params, scale = self.params, self.scale * 1000
        gated = params.method != "none"
        rms = params.max_rms.to("pix") * scale if gated else None
        error = params.max_error.to("pix") * scale if gated else None
        least = params.min_matches if gated else None
        found = [
            Measurement("matches", residual.pairs, low=least, subject=root),
            Measurement("residual_rms_east", residual.rms_mas[0], "mas", high=rms, subject=root),
            Measurement("residual_rms_north", residual.rms_mas[1], "mas", high=rms, subject=root),
            Measurement("residual_rms", residual.rms_pix, "pix", subject=root),
            Measurement("solution_error", residual.error_mas, "mas", high=error, subject=root),
            Measurement("offset_left", residual.offset_mas, "mas", subject=root),
            Measurement("moved_east", moved[0], "arcsec", subject=root),
            Measurement("moved_north", moved[1], "arcsec", subject=root),
            Measurement(
                "detected_stars", residual.stars, low=3, fails=Quality.CAVEAT, subject=root
            ),
        ]
        if root in self.check and self.check[root].size:
            left = residual.rms_of(self.check[root])
            found.append(Measurement("check_rms", left, "mas", high=rms, subject=root))
        return found

    def _caveats(self) -> list[Caveat]:
        if self.params.method == "none":
            text = "exposures stand where their headers put them; nothing was fitted"
            return [Caveat("not_aligned", text)]
        return []
