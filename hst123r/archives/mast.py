"""What MAST has for a recipe: which exposures are fetched, and what is left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from hst123r import instruments
from hst123r.archives import observed, product_choice
from hst123r.archives.criteria import Criteria, LeftOut
from hst123r.archives.portal import Portal, Row
from hst123r.archives.product_choice import Chosen
from hst123r.records.position import SkyPosition

LEAST_RADIUS_ARCSEC: Final = 1.0
"""Footprints that touch this circle are asked for; those that do not hold the target are then left
out by name. The archive answers nothing for a circle without a size."""


@dataclass(slots=True)
class Answer:
    """What an archive has.

    Parameters
    ----------
    exposures : list of Chosen
        To be fetched, in the order of their root names.
    left_out : list of LeftOut
        The rest.
    """

    exposures: list[Chosen] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def search(criteria: Criteria, portal: Portal) -> Answer:
    """Ask MAST what it has.

    Parameters
    ----------
    criteria : Criteria
        What is wanted.
    portal : Portal
        Asks, or finds answers that are kept.

    Returns
    -------
    Answer
        What is to be fetched, and what is not.

    Raises
    ------
    ArchiveError
        If MAST gives no whole answer.
    """
    names = [
        name
        for detector in map(instruments.get, criteria.detectors)
        for name in detector.archive.names
    ]
    radius = max(criteria.radius_arcsec, LEAST_RADIUS_ARCSEC)
    places: dict[SkyPosition, list[Row]] = {}
    for target in criteria.targets:
        if target.position not in places:
            places[target.position] = portal.observations(
                target.position, radius, names, criteria.intents
            )
    found = [(target, places[target.position]) for target in criteria.targets]
    wanted, left = observed.choose(found, criteria)
    if not wanted:
        return Answer([], left)
    rows = portal.products([item.id for item in wanted])
    chosen, more = product_choice.choose(rows, wanted, criteria.exclude)
    return Answer(chosen, [*left, *more])


def why_not(answer: Answer) -> str:
    """Say in a few words what was left out, to be put behind a sentence.

    Parameters
    ----------
    answer : Answer
        What an archive has.

    Returns
    -------
    str
        `` (left out: 3 filter, 14 copy)``; empty where nothing was left out.
    """
    counts = Counter(entry.code for entry in answer.left_out)
    listed = ", ".join(f"{number} {code}" for code, number in counts.most_common())
    return f" (left out: {listed})" if listed else ""
