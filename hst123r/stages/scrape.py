"""Take the photometry of each target out of the catalogues: its light curve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from hst123r import instruments
from hst123r.errors import InputError, StageError
from hst123r.records.amount import Amount
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product
from hst123r.records.params import Misfit, Params, PositiveAngle
from hst123r.stage.context import Context
from hst123r.stage.contract import ASTROPY, Job, Need, Scope, Stage

if TYPE_CHECKING:
    from hst123r.products.systems import Dust
    from hst123r.products.target_source import Found

BYTES: Final = ("bytes",)
VEGA: Final = "Vega table"
"""Kind of a table of the user's with AB magnitudes of Vega."""
STORED: Final = (
    "level", "detector", "filter", "epoch", "visit", "exposure", "mjd", "exposure_time_s",
    "n_exposures", "flux_njy", "flux_err_njy", "flux_err_weights_njy", "flux_err_scatter_njy",
    "flux_err_fixed_njy", "chi2", "snr", "mag_ab", "mag_err", "mag_sys", "limit_ab", "limit_sigma",
    "limit_method", "mag_st", "limit_st", "mag_vega", "limit_vega", "extinction_mag",
    "flux_corrected_njy", "flags",
)  # fmt: skip
"""Values of a row that the store's table of photometry has."""


class ExtinctionParams(Params):
    """Extinction in front of the targets."""

    ebv: float = Field(ge=0, le=10, description="E(B-V) in magnitudes")
    rv: float = Field(3.1, ge=2, le=6, description="R(V)")
    law: Literal["ccm89", "od94", "f99"] = Field(
        "f99",
        description="ccm89: Cardelli, Clayton and Mathis 1989; od94: with O'Donnell 1994; f99: "
        "Fitzpatrick 1999",
    )


class ScrapeParams(Params):
    """Parameters of the stage `scrape`."""

    radius: PositiveAngle = Field(
        Amount(0.3, "arcsec"), description="How far from the target its source may be"
    )
    source: Literal["nearest", "brightest", "all", "target"] = Field(
        "nearest",
        description="Which source within the radius; all: each of them; target: the place itself, "
        "found or not",
    )
    cutout: PositiveAngle = Field(
        Amount(4.0, "arcsec"), description="Side of the cutouts of the stacks around the target"
    )
    limit: Literal["forced", "relation", "artificial"] = Field(
        "forced",
        description="Where limits come from; forced: the error of the flux at the place; relation: "
        "the errors of the sources around; artificial: stars put around the target, see "
        "photometry.artificial_stars",
    )
    limit_snr: float = Field(
        3.0, gt=0, le=10, description="Below this S/N there is a limit instead of a magnitude"
    )
    system: Literal["ab", "vega", "st"] = Field(
        "ab",
        description="Magnitudes to add to those in AB; vega needs vega_table, or vega: dolphot",
    )
    vega: Literal["table", "dolphot"] = Field(
        "table", description="Zeropoints of Vega: those of vega_table, or DOLPHOT's own"
    )
    vega_table: str | None = Field(
        None,
        description="Table with the AB magnitude of Vega in each filter, relative to the recipe: "
        "columns detector, filter and vega_ab, comma-separated or ECSV",
    )
    extinction: ExtinctionParams | None = Field(
        None, description="Add columns without extinction, at the pivot wavelength of each filter"
    )

    def misfits(self, targets: Sequence[str] | None) -> Iterator[Misfit]:
        """Say where a table of Vega is wanted and not named, or named and not wanted."""
        del targets
        table = self.vega == "table"
        if self.system == "vega" and table and self.vega_table is None:
            yield ("system",), "`system: vega` needs `vega_table`, AB magnitudes of Vega"
        if self.vega_table is not None and not (self.system == "vega" and table):
            yield ("vega_table",), "`vega_table` is for `system: vega` with `vega: table`"
        if self.system != "vega" and not table:
            yield ("vega",), "`vega: dolphot` is for `system: vega`"

    def clashes(self, sources: Mapping[str, Sequence[Params]]) -> Iterator[Misfit]:
        """Say where limits are to be those of stars that nobody puts in."""
        engines = {getattr(source, "engine", "") for source in sources.get("photometry", ())}
        if self.limit == "artificial" and "dolphot" in engines:
            sentence = (
                "there are no limits from artificial stars with `engine: dolphot`, whose `fake` "
                "tells completeness alone; take `limit: forced` or `limit: relation`, or "
                "`engine: psf` with `artificial_stars`"
            )
            yield ("limit",), sentence


class Scrape(Stage[ScrapeParams]):
    """Take the photometry of each target out of the catalogues: its light curve."""

    name = "scrape"
    params = ScrapeParams
    version = 6
    needs = (
        Need("photometry", facets=BYTES),
        Need("exposure", facets=(), facts=("epoch_number", "chips")),
        Need(VEGA, facets=BYTES, optional=True),
        Need("stack", facets=("pixels",), optional=True, every=True),
    )
    makes = ("light curve",)
    per = "target"
    tools = ("astropy",)
    preload = (*ASTROPY, "matplotlib.figure")

    def divide(
        self, inputs: dict[str, list[Product]], params: ScrapeParams, scope: Scope
    ) -> Iterator[Job]:
        """One job for each target that is on a measured exposure."""
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
            given: dict[str, list[Product]] = {"photometry": measured, "exposure": exposures}
            stacks = [
                p for p in inputs.get("stack", [])
                if p.labels["field"] == field and p.labels.get("target", target.name) == target.name
            ]  # fmt: skip
            given["stack"] = sorted(stacks, key=lambda p: p.name)
            if params.vega_table is not None:
                path = Path(scope.recipe_folder) / Path(params.vega_table).expanduser()
                if not path.is_file():
                    hint = "See scrape.vega_table"
                    raise InputError("there is no table of Vega", where=str(path), hint=hint)
                given[VEGA] = [Product(VEGA, path.name, {}, {"table": str(path)})]
            arguments = {
                "position": [target.position.ra_deg, target.position.dec_deg],
                "visits": {p.name: p.labels["visit"] for p in exposures},
                "epochs": {p.name: p.labels["epoch"] for p in exposures},
            }
            yield Job(target.name, labels, given, arguments)

    def run(self, job: Job, params: ScrapeParams, context: Context) -> Outcome:
        """Find the source of one target, and write its light curve."""
        from hst123r.products.light_curve import light_curve
        from hst123r.products.measured_sources import measured_sources
        from hst123r.products.systems import Dust, in_system
        from hst123r.products.target_source import find_sources

        sources = measured_sources([p.files["catalog"] for p in job.inputs["photometry"]])
        ra, dec = job.arguments["position"]
        radius = params.radius.to("arcsec")
        found = find_sources(sources, ra, dec, radius, params.source, job.label)
        if not found:
            raise StageError(
                "the target was not measured",
                where=job.label,
                hint="Nothing was found within `radius`, and the place itself was not measured: "
                "raise `radius`, or for `engine: dolphot` keep `forced`",
            )
        rows = []
        for one in found:
            rows += light_curve(
                one.source,
                job.inputs["photometry"],
                job.arguments["visits"],
                job.arguments["epochs"],
                params.limit_snr,
            )
        rows = _limited(rows, job, params)
        dust = Dust(**params.extinction.model_dump()) if params.extinction else None
        rows = in_system(rows, params.system, *_calibration(job, params), dust)
        caveats = [*_caveats(job, found), *_unlimited(rows)]
        codes = sorted({caveat.code for caveat in caveats})
        about = [_about(one, job, params.limit_snr) for one in found]
        files = _write(job, params, context, rows, about, codes, dust)
        facts = {**about[0], "rows": rows, "limit_snr": params.limit_snr, "sources": about}
        product = Product("light curve", job.label, dict(job.labels), files, facts)
        return Outcome(
            [product], _measured(found, about, radius), caveats,
            photometry=_stored(job, rows, codes),
        )  # fmt: skip


def _measured(found: list[Found], about: list[dict[str, Any]], radius: float) -> list[Measurement]:
    measured = []
    for one, facts in zip(found, about, strict=True):
        subject = f"source {one.source}" if len(found) > 1 else ""
        measured.append(
            Measurement("separation", one.separation_arcsec, "arcsec", high=radius, subject=subject)
        )
        if "chance_probability" in facts:
            chance = facts["chance_probability"]
            measured.append(Measurement("chance_probability", chance, subject=subject))
    return measured


def _write(
    job: Job,
    params: ScrapeParams,
    context: Context,
    rows: list[dict[str, Any]],
    about: list[dict[str, Any]],
    codes: list[str],
    dust: Dust | None,
) -> dict[str, str]:
    """Write table, plot and cutouts, and return them by role."""
    from hst123r.products.light_curve import write_light_curve
    from hst123r.products.plots import light_curve as plot
    from hst123r.products.systems import columns_of

    files = {"table": context.product(f"{job.label}_light_curve.ecsv")}
    meta = {"target": job.label, "limit_snr": params.limit_snr, **about[0], "caveats": codes,
            "system": params.system}  # fmt: skip
    meta |= {"vega": params.vega} if params.vega == "dolphot" else {}
    meta |= {"sources": about} if len(about) > 1 else {}
    meta |= {"extinction": params.extinction.as_json()} if params.extinction else {}
    write_light_curve(files["table"], rows, meta, columns_of(params.system, dust))
    files["plot"] = context.product(f"{job.label}_light_curve.png")
    first = about[0]["source"]
    epochs = [row for row in rows if row["level"] == "epoch" and row["source"] == first]
    plot(files["plot"], epochs, title=f"{job.label}, one point per epoch and filter")
    if job.inputs.get("stack"):
        files["cutouts"] = context.product(f"{job.label}_cutouts.png")
        _cutouts(files["cutouts"], job, params, about)
    return {role: str(path) for role, path in files.items()}


def _cutouts(path: Path, job: Job, params: ScrapeParams, about: list[dict[str, Any]]) -> None:
    from hst123r.products.cutouts import Mark, draw_cutouts

    radii = {
        (p.labels["detector"], p.labels["filter"]): p.facts.get("fit_radius_pix")
        for p in job.inputs["photometry"]
    }
    places = [(one["ra_deg"], one["dec_deg"]) for one in about]
    stacks, marks = [], []
    for stack in job.inputs["stack"]:
        labels = stack.labels
        detector = labels["detector"]
        when = labels.get("epoch", labels.get("visit", "all"))
        stacks.append((f"{detector} {labels['filter']} {when}", stack.files["science"]))
        fitted = radii.get((detector, labels["filter"]))
        scale = instruments.get(detector).pixel_scale.value
        aperture = None if fitted is None else fitted * scale
        marks.append(Mark(places, aperture, params.radius.to("arcsec")))
    ra, dec = job.arguments["position"]
    title = f"{job.label}: aperture of the fit (solid), search radius (dashed)"
    draw_cutouts(path, stacks, (ra, dec), params.cutout.to("arcsec"), marks, title)


def measured_corners(photometry: Product, exposures: Sequence[Product]) -> list[list[list[float]]]:
    """Return the corners of the chips that were measured.

    Parameters
    ----------
    photometry : Product
        With the roots of its exposures, and where not all chips were measured, those that were.
    exposures : sequence of Product
        All exposures, with their chips.

    Returns
    -------
    list of list of [float, float]
        Degrees.
    """
    chips = {product.name: product.facts["chips"] for product in exposures}
    some: dict[str, list[int]] = photometry.facts.get("chips", {})
    return [
        chip["corners"]
        for root in photometry.facts["exposures"]
        for chip in chips.get(root, [])
        if root not in some or chip["extver"] in some[root]
    ]


def _about(found: Found, job: Job, nsigma: float) -> dict[str, Any]:
    """Return what is known of a source beside its rows, as plain values."""
    import math

    from hst123r.products.chance import chance_of
    from hst123r.products.photometry_tables import read_table

    catalogues, crowding = [], {}
    for product in job.inputs["photometry"]:
        needs = ("source", "ra", "dec", "snr", "flux", "crowding")
        table = read_table(product.files["catalog"], needs)
        band = f"{product.labels['detector']} {product.labels['filter']}"
        catalogues.append((band, table, measured_corners(product, job.inputs["exposure"])))
        for row in table[table["source"] == found.source]:
            if math.isfinite(row["crowding"]):
                crowding[band] = float(row["crowding"])
    facts = {**found.as_json(), "crowding_mag": crowding}
    ra, dec = job.arguments["position"]
    if found.detected:
        chance = chance_of(found.source, found.separation_arcsec, (ra, dec), catalogues, nsigma)
        facts |= chance.as_json() if chance else {}
    return facts


def _calibration(
    job: Job, params: ScrapeParams
) -> tuple[dict[tuple[str, int], float], dict[tuple[str, str], float]]:
    """Return pivot wavelengths of all chips, and the AB magnitudes of Vega."""
    from hst123r.products.systems import pivots_of, read_vega, vega_of_dolphot

    table = job.inputs.get(VEGA, [])
    pivots = pivots_of(Exposure.own(product.facts) for product in job.inputs["exposure"])
    if params.vega == "dolphot":
        return pivots, vega_of_dolphot(job.inputs["photometry"])
    return pivots, read_vega(Path(table[0].files["table"])) if table else {}


def _limited(rows: list[dict[str, Any]], job: Job, params: ScrapeParams) -> list[dict[str, Any]]:
    """Return rows with the limits the recipe asks for."""
    from hst123r.products.artificial_limits import with_artificial_limits
    from hst123r.products.local_limits import with_local_limits

    photometry = job.inputs["photometry"]
    if params.limit == "relation":
        ra, dec = job.arguments["position"]
        return with_local_limits(rows, photometry, (ra, dec), params.limit_snr)
    if params.limit == "forced":
        return rows
    stated = {product.facts["limit_snr"] for product in photometry}
    if stated - {params.limit_snr}:
        raise StageError(
            f"limits from artificial stars are of S/N {min(stated):g}, not {params.limit_snr:g}",
            where=job.label,
            hint="Give photometry.limit_snr and scrape.limit_snr the same value",
        )
    limited = with_artificial_limits(rows, photometry, job.label)
    if limited is None:
        raise StageError(
            "there were no artificial stars", where=job.label,
            hint="Set photometry.artificial_stars with `engine: psf`, or another scrape.limit",
        )  # fmt: skip
    return limited


def _unlimited(rows: list[dict[str, Any]]) -> list[Caveat]:
    """Return a caveat where rows have a flux and no limit."""
    bare = [r for r in rows if r["flux_njy"] is not None and r["limit_ab"] is None]
    if not bare:
        return []
    text = f"no limit for {len(bare)} of {len(rows)} rows: too little for {bare[0]['limit_method']}"
    return [Caveat("no_limit", text)]


def _caveats(job: Job, found: list[Found]) -> list[Caveat]:
    caveats = {
        (caveat.code, caveat.text): caveat
        for product in (*job.inputs["photometry"], *job.inputs["exposure"])
        for caveat in product.caveats
    }
    own = []
    if not found[0].detected:
        text = (
            "no source within the radius; fluxes are those at the recipe's position, in a frame "
            "that stands where the reference visit's headers put it"
        )
        own.append(Caveat("target_unseen", text))
    others = found[0].others - len(found) + 1
    if others:
        text = f"{others} more source{'s' if others > 1 else ''} within the radius"
        own.append(Caveat("several_sources", text))
    return [*own, *caveats.values()]


def _stored(job: Job, rows: list[dict[str, Any]], codes: list[str]) -> list[dict[str, Any]]:
    """The rows as the store's table of photometry has them."""
    return [
        {
            **{name: row[name] for name in STORED if name in row},
            "target": job.label,
            "source": str(row["source"]),
            "caveats": ",".join(codes),
        }
        for row in rows
    ]
