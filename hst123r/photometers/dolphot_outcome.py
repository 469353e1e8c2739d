"""What became of a run of DOLPHOT: products, measurements and caveats."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hst123r import instruments
from hst123r.errors import EnvironmentProblem, InputError, StageError
from hst123r.external.dolphot_installation import BASE_VARIABLE
from hst123r.instruments.dolphot_parameters import defaults, preset
from hst123r.photometers.dolphot_field import RUN, Field
from hst123r.photometers.dolphot_scale import systematic_mag, unknown_errors, vega_ab
from hst123r.records.exposure import group_name
from hst123r.records.outcome import Caveat, Measurement, Outcome, Product, Quality

if TYPE_CHECKING:
    from astropy.table import Table

    from hst123r.external.dolphot import Finished
    from hst123r.products.dolphot.catalogue import Catalogue
    from hst123r.products.dolphot.info import Info
    from hst123r.products.dolphot.measurements import Converted, ImageNote

KNOWN_LATER: Final = {"MaxThreads"}
"""Parameters that older versions may well not know: they decide nothing about results."""
KIND: Final = "dolphot run"
"""Kind of the product with the files of a run."""
BRIGHT_SNR: Final = 20.0
"""As for the built-in engine."""


@dataclass(frozen=True, eq=False)
class Measured:
    """All that a field came to.

    Parameters
    ----------
    catalogue : Catalogue
        Its rows.
    sources : Table
        Number, position and target of each row.
    converted : Converted
        Fluxes.
    aperture_errors : list of float
        Standard errors of the aperture corrections of the images, magnitudes.
    """

    catalogue: Catalogue
    sources: Table
    converted: Converted
    aperture_errors: list[float]


def measured(field: Field, finished: Finished) -> Outcome:
    """Return the outcome of a run that measured.

    Parameters
    ----------
    field : Field
        The field.
    finished : Finished
        Its run.

    Returns
    -------
    Outcome
        A product ``photometry`` for each detector and filter, and one with the run's files.

    Raises
    ------
    InputError
        If its files are cut, or of another run.
    """
    from hst123r.photometers.dolphot_fake import Known, artificial_stars
    from hst123r.photometers.dolphot_forced import add_targets
    from hst123r.photometers.dolphot_losses import without_losses
    from hst123r.photometers.dolphot_matching import placed
    from hst123r.products.dolphot.aperture_errors import aperture_errors
    from hst123r.products.dolphot.catalogue import read_catalogue
    from hst123r.products.dolphot.columns import check_images, read_columns
    from hst123r.products.dolphot.info import read_info
    from hst123r.products.dolphot.measurements import convert, sky_positions
    from hst123r.products.dolphot.result import sources_of

    layout = read_columns(f"{finished.catalogue}.columns")
    info = read_info(f"{finished.catalogue}.info")
    check_images(layout, [place.name for place in field.chips], f"{RUN}.param")
    _check_mode(field, [block.filter for block in layout.images])
    catalogue, nowhere = placed(read_catalogue(finished.catalogue, layout))
    names: list[str] | None = None
    numbers: list[int] | None = None
    caveats: list[Caveat] = []
    if field.params.dolphot.positions == "sources":
        catalogue, numbers, names, caveats = _by_source(field, catalogue)
    else:
        catalogue, names, caveats = add_targets(field, catalogue)
    ra, dec = sky_positions(field.wcs, catalogue.objects["x"], catalogue.objects["y"])
    if names is not None:
        _where_the_recipe_says(field, names, ra, dec)
    notes = notes_of(field)
    converted = convert(catalogue, info, notes, len(field.exposures))
    converted, lost = without_losses(field, converted, ra, dec)
    caveats += lost
    errors = aperture_errors(Path(f"{finished.catalogue}.apcor"), info)
    result = Measured(catalogue, sources_of(catalogue, ra, dec, numbers, names), converted, errors)
    products = list(_products(field, result))
    products.append(_run_product(field, {"stars": finished.written}))
    caveats += [*_run_caveats(field, finished), *converted.caveats]
    caveats += [*_of_catalogue(catalogue, nowhere), *unknown_errors(field, errors)]
    numbers_of = list(_measurements(field, finished, info, result))
    if field.params.dolphot.fake is not None:
        try:
            more, half, few = artificial_stars(field, Known(layout, info, notes, converted))
        except (StageError, EnvironmentProblem, InputError) as error:
            # what was measured before may have taken hours
            caveats.append(Caveat("dolphot_no_artificial_stars", f"no artificial stars: {error}"))
        else:
            products += more
            numbers_of += half
            caveats += few
    return Outcome(products, numbers_of, caveats)


def aligned(field: Field, finished: Finished) -> Outcome:
    """Return the outcome of a run that stopped after the alignment.

    Parameters
    ----------
    field : Field
        The field.
    finished : Finished
        Its run.

    Returns
    -------
    Outcome
        With the run's files alone.
    """
    text = "DOLPHOT stopped after the alignment, as the recipe says; nothing was measured"
    caveats = [Caveat("dolphot_align_only", text), *_run_caveats(field, finished)]
    return Outcome([_run_product(field, {"stars": 0})], [], caveats)


def _run_product(field: Field, facts: dict[str, Any]) -> Product:
    files = field.kept(RUN)
    images = [place.name for place in field.chips]
    about = {**facts, "images": images, "reference": field.stack.name if field.stack else images[0]}
    return Product(KIND, field.job.label, dict(field.job.labels), files, about)


def _check_mode(field: Field, filters: list[str]) -> None:
    """Demand the mode that was asked for: in the generic one images have no filter."""
    if field.params.dolphot.psf == "library" and not all(filters):
        raise InputError(
            "DOLPHOT took the images for those of an unknown camera, and used an analytic PSF",
            where=field.job.label,
            hint="Build it with the module of the camera, or take `dolphot: {psf: analytic}`",
        )


def notes_of(field: Field) -> list[ImageNote]:
    """Return what each image of a run needs; light beyond the aperture is as for engine: psf.

    Parameters
    ----------
    field : Field
        The run.

    Returns
    -------
    list of ImageNote
        In the order of its chips.
    """
    from hst123r.optics.encircled import aperture_correction
    from hst123r.optics.telescope import chip_facts, effective_psf
    from hst123r.products.dolphot.measurements import ImageNote

    published = field.params.encircled_energy == "published"
    notes = []
    for place in field.chips:
        detector, chip = instruments.get(place.exposure.detector), place.chip
        psf = effective_psf(detector, place.exposure.band, chip=chip.number)
        radius = detector.dolphot.aperture / chip_facts(detector, chip.number).pixel_arcsec
        inside = float(psf.encircled_energy(radius))
        if published:
            inside /= aperture_correction(
                detector, place.exposure.band, chip.number, psf,
                radius_arcsec=detector.dolphot.aperture,
            ).factor  # fmt: skip
        zeropoint = chip.zeropoint_ab
        notes.append(
            ImageNote(
                place.number, chip.extver,
                math.nan if zeropoint is None else zeropoint + 2.5 * math.log10(chip.gain),
                chip.gain * detector.dolphot.ctmult,
                2.5 * math.log10(inside),
                whole_psf=field.params.dolphot.psf == "library",
            )
        )  # fmt: skip
    return notes


def _by_source(
    field: Field, catalogue: Catalogue
) -> tuple[Catalogue, list[int], list[str], list[Caveat]]:
    """Return the rows in the order of the sources of `detect`, with their numbers and targets."""
    import numpy as np

    from hst123r.photometers.dolphot_forced import SAME_PIX
    from hst123r.photometers.dolphot_matching import matched
    from hst123r.products.dolphot.measurements import dolphot_positions
    from hst123r.products.source_table import read_sources

    sources = read_sources(field.job.inputs["sources"][0].files["catalog"])
    x, y = dolphot_positions(field.wcs, field.shape, sources["ra"], sources["dec"])
    places = np.stack([catalogue.objects["x"], catalogue.objects["y"]], axis=1)
    row = matched(places, np.stack([x, y], axis=1), SAME_PIX)
    found, lost = np.flatnonzero(row >= 0), np.flatnonzero(row < 0)
    numbers = np.asarray(sources["source"])
    names = [str(name) for name in np.asarray(sources["target"])]
    caveats = []
    if lost.size:
        off = int(np.count_nonzero(~(np.isfinite(x) & np.isfinite(y))))
        text = (
            f"{lost.size} of {len(sources)} sources were not measured: {off} are off the "
            f"reference, DOLPHOT wrote no row of their own for the others"
        )
        caveats.append(Caveat("dolphot_sources_not_measured", text))
    for name in [names[n] for n in lost if names[n]]:
        text = f"{name} is among the sources that DOLPHOT did not measure"
        caveats.append(Caveat("dolphot_target_not_measured", text, name))
    return (
        catalogue.rows(row[found]),
        [int(numbers[n]) for n in found],
        [names[n] for n in found],
        caveats,
    )


def _where_the_recipe_says(field: Field, names: list[str], ra: Any, dec: Any) -> None:
    """Put targets that were not found where the recipe has them; DOLPHOT rounds to 0.01 pixel."""
    for row, name in enumerate(names):
        if name in field.job.arguments["targets"]:
            ra[row], dec[row] = field.job.arguments["targets"][name]


def _products(field: Field, result: Measured) -> Iterator[Product]:
    groups: dict[tuple[str, str], list[int]] = {}
    for number, product in enumerate(field.job.inputs["exposure"]):
        labels = product.labels
        groups.setdefault((labels["detector"], labels["filter"]), []).append(number)
    used = {place.number for place in field.chips}
    for (detector, through), members in sorted(groups.items()):
        rows = [number for number in members if number in used]
        if rows:
            yield _product(field, result, detector, through, rows)


def _product(
    field: Field, result: Measured, detector: str, through: str, rows: list[int]
) -> Product:
    """Write the tables of one detector and filter."""
    import numpy as np

    from hst123r.products import photometry_tables
    from hst123r.products.dolphot.result import write_catalogue, write_measurements
    from hst123r.sources.measured import mean_fluxes

    exposures = field.exposures
    limit = field.params.limit_snr
    mjd = np.array([exposure.middle_mjd for exposure in exposures])
    times = np.array([exposure.exposure_time_s for exposure in exposures])
    found, sources = result.converted.found, result.sources
    every = mean_fluxes(found, rows, mjd, times, limit)
    epochs: dict[str, list[int]] = {}
    for row in rows:
        epochs.setdefault(field.job.arguments["epochs"][exposures[row].root], []).append(row)
    means = {n: mean_fluxes(found, some, mjd, times, limit) for n, some in epochs.items()}
    label = group_name(field.job.labels["field"], instruments.get(detector).slug, through)
    roots = [exposures[row].root for row in rows]
    labels = {"field": field.job.labels["field"], "detector": detector, "filter": through}
    vega = vega_ab(field, result.converted, rows)
    meta = {**labels, "exposures": roots, "limit_snr": limit, "engine": "dolphot", **vega}
    files = {
        "catalog": field.context.product(f"{label}_catalog.ecsv"),
        "epochs": field.context.product(f"{label}_epochs.ecsv"),
        "measurements": field.context.product(f"{label}_measurements.fits"),
    }
    write_catalogue(
        files["catalog"], result.catalogue, sources, result.converted, rows, every, meta,
        systematic_mag(field, result.aperture_errors, rows, found),
    )  # fmt: skip
    photometry_tables.write_epochs(files["epochs"], sources, means, meta)
    write_measurements(
        files["measurements"], sources, roots, mjd[rows], times[rows], result.converted.of(rows)
    )
    facts = {
        "sources": len(sources),
        "detected": int(np.count_nonzero(every.snr >= limit)),
        "exposures": roots,
        # not all of an exposure is measured with `chips: target`
        "chips": {
            root: [place.chip.extver for place in field.chips if place.number == row]
            for root, row in zip(roots, rows, strict=True)
        },
        "limit_snr": limit,
        "targets": field.job.arguments["targets"],
        **vega,
    }
    paths = {role: str(path) for role, path in files.items()}
    return Product("photometry", label, labels, paths, facts)


def _run_caveats(field: Field, finished: Finished) -> Iterator[Caveat]:
    from pathlib import Path

    from hst123r.products.dolphot.warned import read_warnings

    if Path(f"{finished.catalogue}.warnings").is_file():
        yield from read_warnings(f"{finished.catalogue}.warnings")
    # of others it read in a file of its own
    ours = {name.lower().partition("_")[2] or name.lower() for name in field.written}
    ours |= {name.lower() for name in field.written}
    dolphot = field.params.dolphot
    chosen = {name.lower() for name in (*preset(dolphot.preset).values, *dolphot.parameters)}
    # of those that nobody chose, a version that does not know them has nothing to decide
    ours -= {name.lower() for name in defaults(image=False)} - chosen
    if unknown := [
        name for name in finished.unknown if name not in KNOWN_LATER and name.lower() in ours
    ]:
        text = f"this version of DOLPHOT does not know {', '.join(unknown)}, and went on without"
        yield Caveat("dolphot_unknown_parameters", text)
    if dolphot.psf == "library" and not any("/" in name for name in field.installed):
        text = "DOLPHOT's folder is not known: its PSFs and tables are no part of this record"
        yield Caveat("dolphot_files_not_known", f"{text}; {BASE_VARIABLE} names it")
    if dolphot.psf == "analytic":
        text = "DOLPHOT measured with an analytic PSF that it fitted to the images"
        yield Caveat("dolphot_analytic_psf", text)
    without = {p.exposure.root for p in field.chips if p.chip.zeropoint_ab is None}
    if without:
        yield Caveat("no_zeropoint", f"no zeropoint for {', '.join(sorted(without))}")


def _of_catalogue(catalogue: Catalogue, nowhere: int) -> Iterator[Caveat]:
    if nowhere:
        text = f"{nowhere} rows of DOLPHOT's catalogue have no position, and were left out"
        yield Caveat("dolphot_no_place", text)
    if catalogue.not_numbers:
        text = f"{catalogue.not_numbers} fields of DOLPHOT's catalogue are no numbers"
        yield Caveat("dolphot_not_numbers", text)


def _measurements(
    field: Field, finished: Finished, info: Info, result: Measured
) -> Iterator[Measurement]:
    import numpy as np

    yield Measurement("stars", finished.written)
    yield Measurement("stars_deleted", finished.deleted)
    found = result.converted.found
    with np.errstate(invalid="ignore"):
        bright = found.good & (found.rate > BRIGHT_SNR * found.rate_error)
    chi = float(np.median(found.chi[bright])) if bright.any() else math.nan
    high = field.params.max_chi if bright.any() else None
    yield Measurement("chi_of_bright_sources", chi, high=high, fails=Quality.CAVEAT)
    for section in info.sections:
        for name, value in zip(info.images, section.aperture_corrections, strict=False):
            yield Measurement("aperture_correction", value, "mag", subject=name)
        for name, terms in zip(info.images, section.alignment, strict=False):
            yield Measurement("alignment_shift", math.hypot(*terms[:2]), "pix", subject=name)
