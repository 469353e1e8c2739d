"""What a run asks of other archives than MAST, before it asks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hst123r.engine.planned import Planned, Progress
from hst123r.recipe.model import Instance, Recipe
from hst123r.recipe.resolve import resolve, variants
from hst123r.records.params import Params

ASKS: Final = "asks"
"""Note of a job: what has to be asked for it, each with ``archive``, ``server`` and ``what``."""


def of_recipe(recipe: Recipe) -> list[dict[str, str]]:
    """Return which other archives a run asks, where it has no answer yet.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Returns
    -------
    list of dict
        ``archive``, ``server`` and ``what``, each archive once.
    """
    found = {row["archive"]: row for item in recipe.instances for row in _of_stage(item)}
    return list(found.values())


def of_plan(progress: Iterable[Progress]) -> list[dict[str, str]]:
    """Return what a run is going to ask of other archives, as far as a plan can tell.

    Parameters
    ----------
    progress : iterable of Progress
        All stages of a plan.

    Returns
    -------
    list of dict
        ``archive``, ``server`` and ``what``: of jobs whose exposures are known what exactly, of
        others in general, among them those that a stage will only have when what it waits for is
        made; empty where all answers are kept.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for item in progress:
        if item.skipped:
            continue
        rows = [row for job in item.jobs for row in job.job.notes.get(ASKS, [])]
        known = item.divided and not item.waits_for and item.error is None
        if not known or not all(_read(job) for job in item.jobs):
            rows += _of_stage(item.instance)
        for row in rows:
            found.setdefault((row["archive"], row["what"]), row)
    return list(found.values())


def _read(planned: Planned) -> bool:
    """Whether the exposures of a job are there, so that it could say what it needs."""
    files = [product.files.get("science") for product in planned.job.inputs.get("exposure", [])]
    return all(path is None or Path(path).is_file() for path in files)


def _of_stage(instance: Instance) -> list[dict[str, str]]:
    """Return what a stage asks in general, for whatever detector and filter it is told to."""
    some = [(item.detector, item.filter) for item, _ in variants(instance)]
    rows = [_of_params(resolve(instance, *about).params) for about in [(None, None), *some]]
    return list({row["archive"]: row for row in rows if row is not None}.values())


def _of_params(params: Params) -> dict[str, str] | None:
    from hst123r.archives import endpoints
    from hst123r.archives.gaia import SHOWN
    from hst123r.photometers.params import PhotometryParams
    from hst123r.photometers.psf_grids import wants_grid
    from hst123r.sources.reference_params import ReferenceParams
    from hst123r.stages.wcs import WcsParams

    if isinstance(params, WcsParams) and params.fetch_references:
        what = "reference files of the WCS"
        return {"archive": "CRDS", "server": endpoints.crds(), "what": what}
    if isinstance(params, PhotometryParams) and params.fetch_psf_grids and wants_grid(params):
        return {"archive": "STDPSF", "server": endpoints.stdpsf(), "what": "measured PSFs"}
    if isinstance(params, ReferenceParams) and params.absolute and params.absolute.asked:
        name = SHOWN[params.absolute.catalog]
        what = "stars around the reference"
        return {"archive": name, "server": endpoints.gaia(), "what": what}
    return None
