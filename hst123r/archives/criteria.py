"""What is wanted of an archive, and what its lists already show not to be wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hst123r import instruments
from hst123r.records import amount, dates
from hst123r.records.target import Target

Selection = Callable[[str | None, str | None], dict[str, Any]]
"""Returns the parameters of the stage `select` for a detector and a filter, as plain values."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Cuts that the lists of an archive can tell of; all others wait for the header.

    Parameters
    ----------
    filters, filter_classes, proposals : tuple of str or None
        Only these; None for all.
    after_mjd, before_mjd : float or None
        Only exposures that start at or after, and before.
    least_exposure_s : float
        Shortest exposure time in seconds.
    moving_targets : bool
        Whether exposures that tracked a moving target are wanted.
    """

    filters: tuple[str, ...] | None = None
    filter_classes: tuple[str, ...] | None = None
    proposals: tuple[str, ...] | None = None
    after_mjd: float | None = None
    before_mjd: float | None = None
    least_exposure_s: float = 0.0
    moving_targets: bool = False


def no_cuts(detector: str, filter_name: str) -> Cuts:
    """Return cuts that let everything pass, whatever the detector and filter."""
    del detector, filter_name
    return Cuts(moving_targets=True)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is wanted.

    Parameters
    ----------
    targets : tuple of Target
        Places that have to be covered, each by itself.
    radius_arcsec : float
        How far outside a footprint a target may be.
    detectors : tuple of str
        Names of the detectors.
    intents : tuple of str
        ``science``, ``calibration``.
    exclude : frozenset of str
        Root names to leave out.
    cuts : callable
        Returns the cuts for a detector and a filter.
    """

    targets: tuple[Target, ...]
    radius_arcsec: float
    detectors: tuple[str, ...]
    intents: tuple[str, ...] = ("science",)
    exclude: frozenset[str] = field(default_factory=frozenset)
    cuts: Callable[[str, str], Cuts] = no_cuts


def of_recipe(
    targets: tuple[Target, ...],
    selection: Selection,
    *,
    radius_arcsec: float,
    intents: tuple[str, ...],
    exclude: tuple[str, ...],
) -> Criteria:
    """Return what a recipe wants.

    Parameters
    ----------
    targets : tuple of Target
        The targets of the recipe.
    selection : callable
        What it selects.
    radius_arcsec : float
        How far outside a footprint a target may be.
    intents, exclude : tuple of str
        Intents of observations, and root names that are not fetched.

    Returns
    -------
    Criteria
        What is wanted of an archive.
    """
    common = selection(None, None)
    return Criteria(
        targets=targets,
        radius_arcsec=radius_arcsec,
        detectors=tuple(common.get("detectors") or instruments.names()),
        intents=intents,
        exclude=frozenset((*exclude, *(common.get("exclude") or ()))),
        cuts=lambda detector, filter_name: _cuts(selection(detector, filter_name)),
    )


def _cuts(values: dict[str, Any]) -> Cuts:
    def names(key: str) -> tuple[str, ...] | None:
        found = values.get(key)
        return None if found is None else tuple(map(str, found))

    def moment(key: str) -> float | None:
        found = values.get(key)
        return None if found is None else dates.parse(found)

    least = values.get("min_exposure")
    return Cuts(
        filters=names("filters"),
        filter_classes=names("filter_classes"),
        proposals=names("proposals"),
        after_mjd=moment("after"),
        before_mjd=moment("before"),
        least_exposure_s=0.0 if least is None else amount.parse(least, "time").to("s"),
        moving_targets=bool(values.get("accept_moving_targets", True)),
    )


@dataclass(slots=True)
class LeftOut:
    """An observation, exposure or product that is not fetched.

    Parameters
    ----------
    subject : str
        Its name.
    code : str
        The cut.
    reason : str
        The sentence.
    """

    subject: str
    code: str
    reason: str
