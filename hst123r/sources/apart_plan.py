"""Which exposures that no chain reaches make groups of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hst123r.records.exposure import Exposure
from hst123r.records.groups import by_time
from hst123r.records.outcome import Product
from hst123r.sources.chain_plan import named, parts
from hst123r.sources.chain_spares import chained
from hst123r.sources.chain_spares import rooted as of_links
from hst123r.sources.reference_choice import apart, places, score


def groups_apart(
    members: Sequence[Product],
    reached: Sequence[Product],
    field: str,
    *,
    cover: float,
    filter_name: str | None = None,
    detector: str | None = None,
    avoid: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return groups of exposures that overlap among themselves, and with the reference nowhere.

    Each begins with a visit of its own, chosen as the reference is among the group's exposures,
    and goes on by visits that are fitted to it. What is still apart then begins another group.

    Parameters
    ----------
    members : sequence of Product
        Exposures of a field.
    reached : sequence of Product
        Those of the reference, and those that were added to it.
    field : str
        The field, for messages.
    cover : float
        As for :func:`~hst123r.sources.chain_plan.connect`; 0 makes no groups.
    filter_name, detector : str, optional
        The only ones a group may begin with, if it has an exposure of them.
    avoid : sequence of str
        Detectors that come last.

    Returns
    -------
    list of dict
        ``group``, a number from 1, the group with most exposures first; ``label`` and ``exposures``
        of its first visit in the order of time; ``links``, the visits that are added, as
        :func:`~hst123r.sources.chain_spares.chained` gives them; and ``members``, all its
        exposures.
    """
    if not cover:
        return []
    outside = set(apart(members, reached))
    if not outside:
        return []
    polygons = places([Exposure.own(product.facts) for product in members])
    waiting = [
        [product for product in members if product.name in part]
        for part in parts([p.name for p in members if p.name in outside], polygons)
    ]
    found = []
    while waiting:
        part = waiting.pop()
        limits = (filter_name, detector) if _has(part, filter_name, detector) else (None, None)
        best = score(part, field, filter_name=limits[0], detector=limits[1], avoid=avoid)[0]
        first = sorted((product for product in part if best.holds(product)), key=by_time)
        links, added = chained(part, first, field, cover=cover)
        left = set(apart(part, [*first, *added]))
        found.append((first, links, sorted(p.name for p in part if p.name not in left)))
        if left:
            waiting.append([product for product in part if product.name in left])
    found.sort(key=lambda group: (-len(group[2]), group[2]))
    return [
        {
            "group": number,
            "label": named(first),
            "exposures": [product.name for product in first],
            # a visit may have exposures in two groups, and a name is of one thing
            "links": [_of_group(link, number) for link in links],
            "members": names,
        }
        for number, (first, links, names) in enumerate(found, 1)
    ]


def _of_group(link: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a visit with the group in its name, and in those of its spares."""
    spares = [_of_group(spare, number) for spare in link.get("spares", ())]
    named_so = {**link, "label": f"{link['label']}, group {number}"}
    return {**named_so, "spares": spares} if "spares" in link else named_so


def _has(part: Sequence[Product], filter_name: str | None, detector: str | None) -> bool:
    """Whether some exposure is of a filter and detector."""
    return any(
        filter_name in (None, p.labels["filter"]) and detector in (None, p.labels["detector"])
        for p in part
    )


def rooted(groups: Sequence[dict[str, Any]]) -> list[str]:
    """Return the exposures whose stars make the catalogues of some groups.

    Parameters
    ----------
    groups : sequence of dict
        As :func:`groups_apart` gives them.

    Returns
    -------
    list of str
        Root names, those of first visits, of links and of their spares.
    """
    found = []
    for group in groups:
        found += [*group["exposures"], *of_links(group["links"])]
    return found
