"""The built-in engine: the PSF is fitted to all pixels of a chip at once, no other program."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from hst123r import instruments
from hst123r.errors import StageError
from hst123r.photometers.params import PhotometryParams
from hst123r.photometers.psf_corrections import Corrections, aperture_measurements
from hst123r.records.exposure import Chip, Exposure, band, group_name
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality
from hst123r.stage.context import Context
from hst123r.stage.contract import PSF_GRID, Job, Scope
from hst123r.stage.resources import Cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hst123r.instruments.detector import Detector
    from hst123r.optics.encircled import ApertureCorrection
    from hst123r.optics.psf import EffectivePSF
    from hst123r.photometry.chipfit import FitOptions
    from hst123r.photometry.joint import Joint
    from hst123r.products.frames import FindPSF
    from hst123r.products.residual_images import Residuals
    from hst123r.sources.measured import Measurements
    from hst123r.sources.own_psf import ByFocus, BySamples


PSF_MB: Final = 220.0
"""Memory of the computed PSFs of a chip: nine, their cores, and those half-way for the wings."""
OWN_PSF_MB: Final = 60.0
"""Memory of the PSF of a frame's own stars: the nine, and up to six changes of them."""


def divide(
    inputs: dict[str, list[Product]], params: PhotometryParams, scope: Scope
) -> Iterator[Job]:
    """One job for each field, detector and filter."""
    from hst123r.photometers.psf_grids import grid_of, wants_grid

    sources = {product.labels["field"]: product for product in inputs["sources"]}
    groups: dict[tuple[str, str, str], list[Product]] = {}
    for product in inputs["exposure"]:
        labels = product.labels
        key = (labels["field"], labels["detector"], labels["filter"])
        groups.setdefault(key, []).append(product)
    for (field, detector, name), members in sorted(groups.items()):
        if field not in sources:
            continue
        members.sort(key=lambda p: (p.facts["start_mjd"], p.name))
        roots = {product.name for product in members}
        # a mask against several epochs can hold the very source whose changes are wanted
        masks = {
            p.name: p
            for p in inputs.get("cosmic-ray mask", [])
            if p.name in roots and p.facts["epochs"] == 1
        }
        labels = {"field": field, "detector": detector, "filter": name}
        label = group_name(field, instruments.get(detector).slug, name)
        epochs = {product.name: product.labels["epoch"] for product in members}
        given = {
            "sources": [sources[field]],
            "exposure": members,
            "cosmic-ray mask": list(masks.values()),
        }
        arguments: dict[str, Any] = {"epochs": epochs}
        notes: dict[str, Any] = {}
        own = cast("PhotometryParams", scope.varied(detector, name)) if scope.varied else params
        if wants_grid(own):
            grid, notes = grid_of(own, scope, detector, band(name))
            given[PSF_GRID] = [grid]
        if own.artificial_stars:
            arguments["visits"] = {product.name: product.labels["visit"] for product in members}
            arguments["targets"] = {
                target.name: [target.position.ra_deg, target.position.dec_deg]
                for target in scope.targets
                if target.name in sources[field].facts["targets"]
            }
        yield Job(label, labels, given, arguments, notes=notes)


def memory_mb(job: Job, params: PhotometryParams) -> float:
    """Estimate: frames up to a gigabyte are kept, and one is worked on; PSFs of all places too."""
    detector = instruments.get(job.labels["detector"])
    chips = [c for p in job.inputs["exposure"] for c in Exposure.own(p.facts).chips]
    psfs = PSF_MB * len(detector.chips) if params.over_chip else 0.0
    if params.psf in ("hybrid", "image"):
        psfs += OWN_PSF_MB * len(chips)
    kept = min(1000.0, 8e-6 * sum(chip.pixels for chip in chips))
    return 500.0 + psfs + kept + 60e-6 * max(chip.pixels for chip in chips)


def cores(job: Job, params: PhotometryParams) -> Cores:
    """One: jobs are as many as filters."""
    del job, params
    return Cores()


def run(job: Job, params: PhotometryParams, context: Context) -> Outcome:
    """Measure one filter."""
    import numpy as np

    from hst123r.photometers.psf_artificial import Measured, write_artificial
    from hst123r.photometry.chipfit import FitOptions
    from hst123r.photometry.joint import common_positions
    from hst123r.products.frames import ExposureFrames
    from hst123r.products.residual_images import Residuals
    from hst123r.products.source_table import read_sources
    from hst123r.sources.measured import collect
    from hst123r.sources.own_psf import BySamples, OwnPSF

    sources = read_sources(job.inputs["sources"][0].files["catalog"])
    if len(sources) == 0:
        raise StageError(
            "there is no source to measure", where=job.label,
            hint="Lower detect.threshold, or look at the stacks",
        )  # fmt: skip
    exposures = [Exposure.own(p.facts) for p in job.inputs["exposure"]]
    by = Corrections.of(job, params, exposures)
    masks = {p.name: p.files["mask"] for p in job.inputs["cosmic-ray mask"]}
    frames = ExposureFrames(
        [p.files for p in job.inputs["exposure"]],
        exposures,
        [masks.get(p.name) for p in job.inputs["exposure"]],
        find_psf(job, params, by),
    )
    ra, dec = np.asarray(sources["ra"]), np.asarray(sources["dec"])
    correct = _focus(job, exposures) if params.psf == "hybrid" else BySamples()
    own = OwnPSF(frames, ra, dec, correct)
    seen = own if params.psf in ("image", "hybrid") else frames
    options = FitOptions(fit_radius_pix=params.fit_radius.to("pix"), reject_sigma=params.reject)
    compared = _compared(job, by, exposures)
    joint = common_positions(
        seen, ra, dec, options, prior_arcsec=np.asarray(sources["pos_err"]) / 1000,
        register=params.register_frames, **compared,
    )  # fmt: skip
    found = collect(joint, by.notes, len(exposures))
    if by.loss is not None:
        found = by.loss.made_good(found)
    context.logger.info("%d sources in %d exposures", len(sources), len(exposures))
    # what was measured of the core, by others or by the stars of the frames, has not its error
    computed = params.psf == "computed" or (bool(own.problems) and not job.inputs.get(PSF_GRID))
    shared = by.aperture.shared_error_mag(computed=computed)
    outcome = _outcome(job, params, context, exposures, sources, joint, found, shared)
    if params.artificial_stars:
        path = write_artificial(
            job, params, context, exposures,
            Measured(seen, joint, by.notes, found, options, by.loss, compared),
        )  # fmt: skip
        outcome.products[0].files["artificial"] = str(path)
    outcome.caveats += [
        Caveat("computed_psf", f"{label} is measured with the computed PSF: {why}", label[:9])
        for label, why in own.problems.items()
    ] + by.caveats
    outcome.measurements += _of_psf(context, seen, correct, options, by.aperture)
    if params.residuals:
        outcome.products += _residuals(job, context, Residuals(exposures, seen, joint), exposures)
    return outcome


def _compared(job: Job, by: Corrections, exposures: list[Exposure]) -> dict[str, Any]:
    """Return how frames are compared for cosmic rays: not at all where ramps remove them."""
    if instruments.get(job.labels["detector"]).noise.cosmic_rays is None:
        return {}
    names = [job.arguments["epochs"][exposure.root] for exposure in exposures]
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    epochs = [number[names[note.exposure]] for note in by.notes]
    return {"scales": [note.scale for note in by.notes], "epochs": epochs}


def _of_psf(
    context: Context,
    frames: Any,
    correct: ByFocus | BySamples,
    options: FitOptions,
    aperture: ApertureCorrection,
) -> list[Measurement]:
    """Return what is known of the PSF that was used."""
    import numpy as np

    from hst123r.sources.own_psf import ByFocus

    encircled = float(next(iter(frames)).psf.encircled_energy(options.fit_radius_pix))
    encircled /= aperture.factor
    measured = [Measurement("psf_encircled_energy", encircled)]
    for label, order in correct.orders.items():
        context.logger.info(
            "the PSF of %s is corrected by its stars, with order %d in the place on the chip",
            label, order,
        )  # fmt: skip
    if correct.orders:
        order = min(correct.orders.values())
        measured.append(Measurement("order_of_psf_correction", order))
    if isinstance(correct, ByFocus) and correct.focus_nm:
        for name, values, unit in (
            ("defocus", correct.focus_nm, "nm"),
            ("defocus_over_chip", correct.over_frame_nm, "nm"),
            ("charge_diffusion", correct.blur_pix, "pix"),
        ):
            measured.append(Measurement(name, float(np.median(list(values.values()))), unit))
    return measured + aperture_measurements(aperture)


def _residuals(
    job: Job, context: Context, residuals: Residuals, exposures: list[Exposure]
) -> list[Product]:
    """Write what is left of each exposure, and each target without its neighbours."""
    paths = [context.product(f"{exposure.root}_residual.fits") for exposure in exposures]
    residuals.write(paths)
    products = [
        Product("residual image", exposure.root, dict(job.labels), {"science": str(path)})
        for exposure, path in zip(exposures, paths, strict=True)
    ]
    targets = sorted({name for e in exposures for chip in e.chips for name in chip.targets})
    for target in targets:
        path = context.product(f"{job.label}_{target}_alone.fits")
        if residuals.write_cutouts(target, path):
            labels = {**job.labels, "target": target}
            name = f"{job.label}-{target}"
            products.append(Product("target alone", name, labels, {"science": str(path)}))
    return products


def _focus(job: Job, exposures: list[Exposure]) -> ByFocus:
    """Return what fits the focus of each chip."""
    from hst123r.sources.own_psf import ByFocus

    chips = {
        f"{exposure.root}[{chip.extver}]": chip.number
        for exposure in exposures
        for chip in exposure.chips
    }
    detector = instruments.get(job.labels["detector"])
    return ByFocus(detector, band(job.labels["filter"]), chips)


def find_psf(job: Job, params: PhotometryParams, by: Corrections) -> FindPSF:
    """Return where the PSF of a chip comes from: the user's grid if there is one.

    Parameters
    ----------
    job : Job
        The job.
    params : PhotometryParams
        Which PSF is wanted.
    by : Corrections
        Which parts of the chips its exposures are of.

    Returns
    -------
    callable
        Gives the PSF of a chip, for images of the full chip.

    Raises
    ------
    StageError
        If a measured PSF is wanted and there is none.
    """
    from hst123r.files.psf_library import read_grid
    from hst123r.optics.over_chip import psf_over_chip
    from hst123r.products.frames import computed_psf

    grids = job.inputs.get(PSF_GRID, [])
    if params.psf == "grid" and not grids:
        raise StageError(
            "there is no measured PSF", where=job.label,
            hint="Set psf_grids or fetch_psf_grids",
        )  # fmt: skip
    detector = instruments.get(job.labels["detector"])
    if not grids and not params.over_chip:
        return computed_psf
    if not grids:
        chips: dict[int, EffectivePSF] = {}

        def computed(facts: Detector, name: str, chip: Chip) -> EffectivePSF:
            if chip.number not in chips:
                chips[chip.number] = psf_over_chip(
                    facts, name, chip.number, by.parts.get(chip.number)
                )
            return chips[chip.number]

        return computed
    found = read_grid(Path(grids[0].files["grid"]), detector, band(job.labels["filter"]))
    return lambda _detector, _filter, chip: found[chip.number]


def _outcome(
    job: Job,
    params: PhotometryParams,
    context: Context,
    exposures: list[Exposure],
    sources: Any,
    joint: Joint,
    found: Measurements,
    shared_error_mag: float,
) -> Outcome:
    import numpy as np

    from hst123r.products import photometry_tables as tables
    from hst123r.sources.measured import mean_fluxes

    mjd = np.array([exposure.middle_mjd for exposure in exposures])
    times = np.array([exposure.exposure_time_s for exposure in exposures])
    everything = mean_fluxes(found, range(len(exposures)), mjd, times, params.limit_snr)
    names = [job.arguments["epochs"][exposure.root] for exposure in exposures]
    epochs = {
        name: mean_fluxes(
            found, [i for i, n in enumerate(names) if n == name], mjd, times, params.limit_snr
        )
        for name in dict.fromkeys(names)
    }
    meta = {
        "field": job.labels["field"],
        "detector": job.labels["detector"],
        "filter": job.labels["filter"],
        "exposures": [exposure.root for exposure in exposures],
        "limit_snr": params.limit_snr,
    }
    paths = {
        "catalog": context.product(f"{job.label}_catalog.ecsv"),
        "epochs": context.product(f"{job.label}_epochs.ecsv"),
        "measurements": context.product(f"{job.label}_measurements.fits"),
    }
    tables.write_catalogue(
        paths["catalog"], sources, joint, found, everything, meta, shared_error_mag
    )
    tables.write_epochs(paths["epochs"], sources, epochs, meta)
    roots = [exposure.root for exposure in exposures]
    tables.write_measurements(paths["measurements"], sources, roots, mjd, times, found)
    facts = {
        "sources": len(sources),
        "detected": int(np.count_nonzero(everything.snr >= params.limit_snr)),
        "exposures": roots,
        "limit_snr": params.limit_snr,
        "fit_radius_pix": params.fit_radius.to("pix"),
        "targets": job.inputs["sources"][0].facts["targets"],
    }
    files = {role: str(path) for role, path in paths.items()}
    product = Product("photometry", job.label, dict(job.labels), files, facts)
    return Outcome([product], _measurements(params, found, joint), _caveats(job, exposures))


def _measurements(params: PhotometryParams, found: Measurements, joint: Joint) -> list[Measurement]:
    import numpy as np

    with np.errstate(invalid="ignore"):
        bright = found.good & (found.rate > 20 * found.rate_error)
    chi = float(np.median(found.chi[bright])) if bright.any() else math.nan
    shift: NDArray[np.float64] = np.hypot(*joint.shift_pix.T)
    known = bool(bright.any())
    return [
        Measurement(
            "chi_of_bright_sources", chi, high=params.max_chi if known else None,
            fails=Quality.CAVEAT,
        ),
        Measurement("largest_shift_between_frames", float(shift.max()), "pix"),
    ]  # fmt: skip


def _caveats(job: Job, exposures: list[Exposure]) -> list[Caveat]:
    caveats = []
    masked = {product.name for product in job.inputs["cosmic-ray mask"]}
    bare = [e.root for e in exposures if e.root not in masked]
    facts = instruments.get(job.labels["detector"])
    if bare and facts.noise.cosmic_rays is not None:
        text = f"no mask of cosmic rays for {', '.join(bare)}; outliers were rejected in the fit"
        caveats.append(Caveat("no_cosmic_ray_mask", text))
    without = [e.root for e in exposures if any(c.zeropoint_ab is None for c in e.chips)]
    if without:
        caveats.append(Caveat("no_zeropoint", f"no zeropoint for {', '.join(without)}"))
    return caveats
