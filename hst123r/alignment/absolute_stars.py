"""The absolute catalogue that a frame is moved to: a file of the user's, or stars of Gaia."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hst123r.errors import ArchiveError, InputError
from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Product
from hst123r.sources.absolute_params import AbsoluteParams
from hst123r.stage.contract import Job, Scope

CATALOGUE: Final = "catalogue file"
"""Kind of an absolute catalogue."""
AROUND: Final = "around"
"""Label of a catalogue that is asked for: the circle."""
MARGIN_ARCSEC: Final = 15.0
"""Stars are asked for so far beyond what is searched: 5 arcsec that the tie takes, and what a star
at 0.3 arcsec a year moves by in 32 years."""


def named(params: AbsoluteParams | None, scope: Scope) -> list[Product]:
    """Return the file of the absolute catalogue, if the recipe names one.

    Parameters
    ----------
    params : AbsoluteParams or None
        What the recipe says.
    scope : Scope
        The recipe around it.

    Returns
    -------
    list of Product
        One or none.

    Raises
    ------
    InputError
        If it is not there.
    """
    if params is None or params.file is None:
        return []
    path = Path(scope.recipe_folder) / Path(params.file).expanduser()
    if not path.is_file():
        raise InputError(
            f"there is no catalogue {path.name}",
            where=str(path.parent),
            hint="`reference.absolute.file` is relative to the recipe",
        )
    return [Product(CATALOGUE, path.stem, {}, {"catalog": str(path)})]


def of_gaia(params: AbsoluteParams, members: Sequence[Product], scope: Scope) -> Product:
    """Return the stars around the exposures that the reference is made of, asked for or kept.

    Those are the ones whose stars are read: of the chosen visit, of visits that are added or begin
    a group, and of spares. Others of the field do not count, so that a new one asks nobody and
    re-runs nothing, unless it becomes one of these; then it is also asked for if the circle grows.

    Parameters
    ----------
    params : AbsoluteParams
        Which catalogue, and how far is searched.
    members : sequence of Product
        Exposures.
    scope : Scope
        The recipe around it.

    Returns
    -------
    Product
        The catalogue; in a plan its file may not be there yet.

    Raises
    ------
    ArchiveError
        If the archive gives no whole answer, or may not be asked.
    """
    from hst123r.archives import endpoints
    from hst123r.archives.gaia import ANSWERS, SHOWN, Circle, Gaia

    exposures = [Exposure.own(product.facts) for product in members]
    corners = [(ra, dec) for e in exposures for chip in e.chips for ra, dec in chip.corners]
    circle = Circle.around(corners, params.search_radius.to("arcsec") + MARGIN_ARCSEC)
    gaia = Gaia(endpoints.gaia(), Path(scope.work_folder) / "raw" / ANSWERS)
    with scope.waiting():
        kept = gaia.stars(params.catalog, circle, ask=not (scope.dry or scope.offline))
    if not kept.about and scope.offline:
        raise ArchiveError(
            f"{SHOWN[params.catalog]} was not asked yet for {circle.text}; --offline forbids it",
            hint="Run once without --offline; the answer is kept",
        )
    labels = {AROUND: circle.text}
    return Product(
        CATALOGUE, params.catalog, labels, {"catalog": str(kept.table)}, dict(kept.about)
    )


def to_ask(catalogues: Sequence[Product]) -> list[dict[str, str]]:
    """Return what an archive will be asked for.

    Parameters
    ----------
    catalogues : sequence of Product
        As `of_gaia` gives them in a plan.

    Returns
    -------
    list of dict
        ``archive``, ``server`` and ``what``; empty where the answer is kept, and for a file.
    """
    from hst123r.archives import endpoints
    from hst123r.archives.gaia import SHOWN

    return [
        {"archive": SHOWN[item.name], "server": endpoints.gaia(),
         "what": f"stars for {item.labels[AROUND]}"}
        for item in catalogues
        if AROUND in item.labels and not item.facts
    ]  # fmt: skip


def questions(catalogues: Sequence[Product]) -> list[dict[str, str]]:
    """Return what an archive was asked for, as a lock has it.

    Parameters
    ----------
    catalogues : sequence of Product
        As `of_gaia` gives them; one that nobody was asked for yet, or of the user's, counts not.

    Returns
    -------
    list of dict
        ``service``, ``what`` and ``digest``: of the stars, whichever mirror has sent them.
    """
    return [
        {"service": "gaia", "what": f"{item.name} {item.facts['question']['source']}",
         "digest": f"sha256:{item.facts['sha256']}"}
        for item in catalogues
        if item.facts
    ]  # fmt: skip


def downloads(job: Job) -> list[dict[str, Any]]:
    """Return what is recorded of stars that an archive was asked for.

    Parameters
    ----------
    job : Job
        A job of `reference`.

    Returns
    -------
    list of dict
        Rows of the table ``download``.
    """
    return [
        {"uri": f"{item.name}: {item.facts['question']['source']}",
         "path": f"raw/gaia/{Path(item.files['catalog']).name}", "sha256": item.facts["sha256"],
         "size": Path(item.files["catalog"]).stat().st_size, "status": "complete",
         "retrieved": item.facts["asked"]}
        for item in job.inputs.get(CATALOGUE, [])
        if item.facts
    ]  # fmt: skip
