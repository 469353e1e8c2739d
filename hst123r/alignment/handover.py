"""What an alignment hands over: exposures, tables, regions, plots, headerlets, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hst123r.alignment import verdict
from hst123r.alignment.siblings import agreements
from hst123r.alignment.solution import Solution
from hst123r.alignment.visit import Visit
from hst123r.records.outcome import Measurement, Outcome, Product


def outcome(visit: Visit, solutions: Sequence[Solution]) -> Outcome:
    """Publish the working copies of a visit, and say what became of every exposure.

    Parameters
    ----------
    visit : Visit
        The visit.
    solutions : sequence of Solution
        For every exposure.

    Returns
    -------
    Outcome
        Exposures, and one product `alignment` of what belongs to the visit.
    """
    from hst123r.products.wcs_cards import displacement

    agree = agreements(visit, solutions)
    for mine, mask in zip(visit.files, visit.hits, strict=True):
        if mask and visit.params.write_dq:
            _flag(mine, mask)
    for files in visit.files:
        for role, path in files.items():
            files[role] = str(Path(path).replace(visit.context.product(Path(path).name)))
    products: list[Product] = []
    measured: list[Measurement] = []
    for number, (source, exposure, solution) in enumerate(
        zip(visit.sources, visit.exposures, solutions, strict=True)
    ):
        now = visit.files[number]["science"]
        moved = displacement(source.files["science"], now, exposure)
        measured += verdict.measurements(visit, exposure.root, solution, moved)
        measured += verdict.of_group(visit, number)
        if number in agree:
            measured += verdict.against_sibling(visit, exposure.root, agree[number])
        products.append(_exposure(visit, number, solution, moved))
    products.append(_alignment(visit, solutions))
    return Outcome(products, measured, verdict.caveats(visit, solutions))


def _flag(files: Mapping[str, str], mask: str) -> None:
    """Set the bit of cosmic rays in the data quality of a working copy."""
    from hst123r.external.astrodrizzle import CR_BIT
    from hst123r.products.quality import flag_pixels, read_mask

    flag_pixels({role: Path(path) for role, path in files.items()}, read_mask(mask), CR_BIT)


def _exposure(
    visit: Visit, number: int, solution: Solution, moved_arcsec: tuple[float, float]
) -> Product:
    from hst123r.products.exposures import read_exposure

    source = visit.sources[number]
    targets = {name: (ra, dec) for name, (ra, dec) in visit.job.arguments["targets"].items()}
    record = read_exposure(visit.files[number]["science"], targets)
    told: dict[str, Any] = {"state": solution.state, "moved_arcsec": list(moved_arcsec)}
    if solution.donor:
        told["donor"] = solution.donor
    if visit.groups[number]:
        told["group"] = visit.groups[number]
    told["attempts"] = [asdict(attempt) for attempt in solution.attempts]
    facts = {
        **source.facts,
        **record.as_facts(),
        "alignment": {**told, **solution.residual.as_json()},
    }
    return Product("exposure", record.root, dict(source.labels), visit.files[number], facts)


def _alignment(visit: Visit, solutions: Sequence[Solution]) -> Product:
    """Write what belongs to the visit: matches, regions, plot, and the WCS as headerlets."""
    from hst123r.products.alignment_table import write_matches, write_regions
    from hst123r.products.headerlets import write_headerlet
    from hst123r.products.plots import residuals

    label = visit.job.label
    reference = visit.job.inputs["reference"][0].name
    table, regions, plot = (
        visit.context.product(f"{label}_{name}")
        for name in ("matches.ecsv", "matches.reg", "residuals.png")
    )
    found = {e.root: s.residual for e, s in zip(visit.exposures, solutions, strict=True)}
    write_matches(found, table, {"reference": reference})
    write_regions(found, visit.reference, regions)
    residuals(
        plot,
        {root: (r.east_mas, r.north_mas) for root, r in found.items()},
        unit="mas",
        title=f"{label}: residuals against the reference",
    )
    files = {"matches": str(table), "regions": str(regions), "plot": str(plot)}
    for number, (root, residual) in enumerate(found.items()):
        if solutions[number].state not in {"none", "failed"}:
            path = visit.context.product(f"{root}_hlet.fits")
            science = visit.files[number]["science"]
            write_headerlet(science, path, root, residual.pairs, reference)
            files[f"headerlet_{root}"] = str(path)
    facts = {"exposures": {root: r.as_json() for root, r in found.items()}}
    return Product("alignment", label, dict(visit.job.labels), files, facts)
