"""What an archive has for a recipe, without downloading anything."""

from __future__ import annotations

from typing import Any

from hst123r.engine.locking import Locking
from hst123r.engine.naming import placed
from hst123r.engine.offline import forbidden
from hst123r.engine.options import Options
from hst123r.engine.workspace import Workspace
from hst123r.errors import InputError
from hst123r.recipe.model import Recipe
from hst123r.recipe.resolve import resolve, selection


def query(
    recipe: Recipe, workspace: Workspace, *, renew: bool = False, offline: bool = False
) -> dict[str, Any]:
    """Ask MAST what it has for a recipe.

    Answers that a run has kept in the work directory are used, so that this shows what a run would
    fetch. Nothing is downloaded, and a work directory that is not there is not made.

    Parameters
    ----------
    recipe : Recipe
        A recipe with one stage `fetch` from MAST or more; an exposure that several want is there
        once.
    workspace : Workspace
        Its work directory.
    renew : bool
        Ask anew, and keep the answers where there is a work directory.
    offline : bool
        Forbid to ask.

    Returns
    -------
    dict
        ``exposures``, ``left_out``, in what that is ``unlike`` the lock, which a run goes by, the
        sums ``files``, ``bytes`` and ``exclusive``, and ``also``: what a run asks of other
        archives, once it has the exposures.

    Raises
    ------
    InputError
        If the recipe fetches nothing from MAST.
    ArchiveError
        If MAST gives no whole answer.
    """
    from hst123r.archives import criteria, endpoints, mast, pinned
    from hst123r.archives.portal import Portal
    from hst123r.archives.replies import Replies
    from hst123r.stages.fetch import ANSWERS, FetchParams

    fetches = [
        (item, params)
        for item in recipe.instances
        if item.stage == "fetch"
        for params in [resolve(item).params]
        if isinstance(params, FetchParams) and params.from_ == "mast"
    ]
    if not fetches:
        raise InputError(
            "the recipe fetches nothing from MAST",
            where=str(recipe.path),
            hint="Its stages need `fetch: {from: mast}`",
        )
    recipe = placed(recipe, workspace.folder, Options(offline=offline, update=renew))
    there = workspace.store.is_file()
    kept = workspace.raw / ANSWERS if there else None
    replies = Replies(kept, keep=there, offline=offline, renew=renew)
    locking = Locking(recipe, workspace.folder, Options())
    exposures, left_out, unlike = {}, {}, []
    for instance, params in fetches:
        wanted = criteria.of_recipe(
            recipe.targets,
            lambda detector, filter_name: selection(recipe, detector, filter_name),
            radius_arcsec=params.radius.to("arcsec"),
            intents=tuple(params.intents),
            exclude=tuple(params.exclude),
        )
        with forbidden(when=offline):
            answer = mast.search(wanted, Portal(endpoints.mast(), replies))
        locked = locking.pins(instance)
        if locked is not None:
            then = {item.root: item for item in pinned.exposures_of(locked.products)}
            unlike += list(pinned.differences(then, answer, rules=locked.rules))
        exposures.update({item.root: item for item in answer.exposures})
        left_out.update({(item.subject, item.reason): item for item in answer.left_out})
    found = [exposures[root] for root in sorted(exposures)]
    # what one stage leaves out another may take
    rejects = [item for item in left_out.values() if item.subject not in exposures]
    return {
        "exposures": [_row(item) for item in found],
        "left_out": [
            {"subject": item.subject, "code": item.code, "reason": item.reason} for item in rejects
        ],
        "files": sum(len(item.files) for item in found),
        "bytes": sum(item.size for item in found),
        "exclusive": sum(not item.public for item in found),
        "unlike": unlike,
        "asked": replies.asked,
        "also": _also(recipe),
    }


def _also(recipe: Recipe) -> list[dict[str, str]]:
    """Return which other archives a run asks, where it has no answer yet."""
    from hst123r.archives import endpoints
    from hst123r.archives.gaia import SHOWN
    from hst123r.photometers.params import PhotometryParams
    from hst123r.photometers.psf_grids import wants_grid
    from hst123r.sources.reference_params import ReferenceParams
    from hst123r.stages.wcs import WcsParams

    found = {}
    for item in recipe.instances:
        params = resolve(item).params
        if isinstance(params, WcsParams) and params.fetch_references:
            found["CRDS"] = {"server": endpoints.crds(), "what": "reference files of the WCS"}
        if isinstance(params, PhotometryParams) and params.fetch_psf_grids and wants_grid(params):
            found["STDPSF"] = {"server": endpoints.stdpsf(), "what": "measured PSFs"}
        if isinstance(params, ReferenceParams) and params.absolute and params.absolute.asked:
            name = SHOWN[params.absolute.catalog]
            found[name] = {"server": endpoints.gaia(), "what": "stars around the reference"}
    return [{"archive": name, **about} for name, about in found.items()]


def _row(item: Any) -> dict[str, Any]:
    from hst123r.records.dates import iso

    return {
        "exposure": item.root,
        "detector": item.detector,
        "filters": item.filters,
        "proposal": item.proposal,
        "observation": item.observation,
        "targets": item.targets,
        "files": {role: file.name for role, file in item.files.items()},
        "bytes": item.size,
        "public": item.public,
        "released": None if item.release_mjd is None else iso(item.release_mjd, day=True),
    }
