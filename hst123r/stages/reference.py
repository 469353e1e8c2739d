"""Choose the visit that all others are aligned to, and make its star catalogue."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from hst123r import instruments
from hst123r.errors import InputError
from hst123r.records.amount import Amount
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product
from hst123r.records.params import DetectorName, FilterName, Params, PositiveAngle, PositivePixels
from hst123r.stage.context import Context
from hst123r.stage.contract import HEAVY, IMAGE, Job, Need, Scope, Stage


class ReferenceParams(Params):
    """Parameters of the stage `reference`."""

    filter: FilterName | None = Field(None, description="Only this filter; else the best score")
    detector: DetectorName | None = Field(None, description="Only this detector")
    avoid: list[DetectorName] = Field(
        default_factory=list, description="Detectors to take only where there is no other"
    )
    threshold: float = Field(5.0, ge=2, le=100, description="Detection threshold, sigma")
    min_snr: float = Field(10.0, ge=3, description="Lowest S/N of a catalogue star")
    sources: Literal["stars", "all", "auto"] = Field(
        "auto",
        description="What is in the catalogue: stars, all (compact galaxies too), or auto: all "
        "where an exposure has fewer than 100 stars",
    )
    brightest: int = Field(2000, ge=10, le=20000, description="Most stars of a chip, by flux")
    fit_radius: PositivePixels = Field(Amount(3.0, "pix"), description="Radius of the PSF fit")
    match_radius: PositiveAngle = Field(
        Amount(0.1, "arcsec"), description="Stars of two exposures closer than this are one"
    )
    min_stars: int = Field(10, ge=3, description="Fewer catalogue stars than this are bad")


class Reference(Stage[ReferenceParams]):
    """Choose the visit that all others are aligned to, and make its star catalogue."""

    name = "reference"
    params = ReferenceParams
    version = 3
    needs = (Need("exposure", facets=IMAGE),)
    makes = ("reference",)
    implied = True
    per = "field"
    tools = ("astropy", "photutils")
    preload = HEAVY

    def divide(
        self, inputs: dict[str, list[Product]], params: ReferenceParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each field; the choice is made here, from the exposures' records."""
        fields: dict[str, list[Product]] = {}
        for product in inputs["exposure"]:
            fields.setdefault(product.labels["field"], []).append(product)
        positions = {t.name: [t.position.ra_deg, t.position.dec_deg] for t in scope.targets}
        for field, members in sorted(fields.items()):
            scores = score(members, params, field)
            best = scores[0]
            chosen = sorted(
                (p for p in members if best.holds(p)),
                key=lambda p: (p.facts["start_mjd"], p.name),
            )
            labels = {"field": field}
            arguments = {
                "centre": positions[field],
                "scores": [entry.as_json() for entry in scores],
            }
            yield Job(field, labels, {"exposure": chosen}, arguments)

    def run(self, job: Job, params: ReferenceParams, context: Context) -> Outcome:
        """Measure the stars of the chosen visit and merge them into a catalogue."""
        from hst123r.algorithms.merge import merge
        from hst123r.products.reference_table import write_reference
        from hst123r.products.star_lists import read_star_list

        lists = [
            read_star_list(
                product.files,
                Exposure.own(product.facts),
                threshold_sigma=params.threshold,
                min_snr=params.min_snr,
                brightest=params.brightest,
                fit_radius_pix=params.fit_radius.to("pix"),
                sources=params.sources,
            )
            for product in job.inputs["exposure"]
        ]
        for found in lists:
            context.logger.info("%s: %d stars", found.label, found.ra_deg.size)
        catalogue = merge(lists, params.match_radius.to("arcsec"))
        best = job.arguments["scores"][0]
        path = context.product(f"{job.label}_reference.ecsv")
        write_reference(catalogue, path, job.arguments)
        facts = {
            "stars": int(catalogue.ra_deg.size),
            "exposures": [product.name for product in job.inputs["exposure"]],
            "scores": job.arguments["scores"],
            **{key: best[key] for key in ("detector", "filter", "visit")},
        }
        product = Product("reference", job.label, dict(job.labels), {"catalog": str(path)}, facts)
        measured = Measurement("stars", facts["stars"], low=params.min_stars)
        caveats = [
            Caveat(
                "not_registered", f"{label} stands by its header in the catalogue: {text}", label
            )
            for label, text in catalogue.problems.items()
        ]
        if len(lists) == 1:
            text = "the reference visit has one exposure, so cosmic rays can be in the catalogue"
            caveats.append(Caveat("single_exposure", text))
        return Outcome([product], [measured], caveats)


@dataclass(frozen=True, slots=True)
class Score:
    """A group of exposures that could be the reference, and how good it would be.

    Parameters
    ----------
    detector, filter, visit : str
        The group.
    exposures : int
        Number of exposures.
    exposure_time_s : float
        Their sum.
    depth_mag : float
        Zeropoint plus 1.25 log10 of the exposure time: how faint stars it shows against the
        sky, up to a constant.
    sharpness_mag : float
        -2.5 log10 of the pixel scale over 0.05 arcsec: fine pixels place stars better.
    avoided : bool
        Whether the recipe avoids the detector.
    """

    detector: str
    filter: str
    visit: str
    exposures: int
    exposure_time_s: float
    depth_mag: float
    sharpness_mag: float
    avoided: bool

    @property
    def total(self) -> float:
        """What groups are ordered by; one exposure alone cannot tell cosmic rays and pays."""
        return self.depth_mag + self.sharpness_mag - (1.0 if self.exposures == 1 else 0.0)

    def holds(self, product: Product) -> bool:
        """Whether an exposure belongs to the group."""
        labels = product.labels
        mine = (self.detector, self.filter, self.visit)
        return (labels["detector"], labels["filter"], labels["visit"]) == mine

    def as_json(self) -> dict[str, Any]:
        """Return the score as plain values."""
        return {
            "detector": self.detector,
            "filter": self.filter,
            "visit": self.visit,
            "exposures": self.exposures,
            "exposure_time_s": round(self.exposure_time_s, 3),
            "depth_mag": round(self.depth_mag, 3),
            "sharpness_mag": round(self.sharpness_mag, 3),
            "score": round(self.total, 3),
        }


def score(members: Sequence[Product], params: ReferenceParams, field: str) -> list[Score]:
    """Score the groups of a field that could be its reference, the best first.

    Parameters
    ----------
    members : sequence of Product
        Exposures of the field.
    params : ReferenceParams
        What the recipe asks for.
    field : str
        The field, for messages.

    Returns
    -------
    list of Score
        One for each detector, filter and visit that is allowed.

    Raises
    ------
    InputError
        If nothing is left.
    """
    groups: dict[tuple[str, str, str], list[Exposure]] = {}
    for product in members:
        labels = product.labels
        key = (labels["detector"], labels["filter"], labels["visit"])
        groups.setdefault(key, []).append(Exposure.own(product.facts))
    scores = [
        _score(key, exposures, avoided=key[0] in params.avoid)
        for key, exposures in groups.items()
        if params.filter in (None, key[1]) and params.detector in (None, key[0])
    ]
    if not scores:
        wanted = " ".join(word for word in (params.detector, params.filter) if word)
        present = ", ".join(sorted({f"{key[0]} {key[1]}" for key in groups}))
        raise InputError(
            f"the field {field} has no exposure of {wanted} to be the reference",
            hint=f"There are {present}",
        )
    return sorted(scores, key=lambda s: (s.avoided, -s.total, s.detector, s.filter, s.visit))


def _score(key: tuple[str, str, str], exposures: list[Exposure], *, avoided: bool) -> Score:
    seconds = sum(exposure.exposure_time_s for exposure in exposures)
    zeropoints = [c.zeropoint_ab for e in exposures for c in e.chips if c.zeropoint_ab is not None]
    scale = instruments.get(key[0]).pixel_scale.value
    return Score(
        *key,
        exposures=len(exposures),
        exposure_time_s=seconds,
        depth_mag=(max(zeropoints) if zeropoints else 20.0) + 1.25 * math.log10(max(seconds, 1.0)),
        sharpness_mag=-2.5 * math.log10(scale / 0.05),
        avoided=avoided,
    )
