"""What hangs on a visit that carries the frame on, and which others could carry it instead."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hst123r.records.exposure import Exposure
from hst123r.records.outcome import Product
from hst123r.sources.chain_plan import Chart, connect, groups_of, labels, worth
from hst123r.sources.reference_choice import places

SPARES: Final = 2
"""Visits that are kept for one: each of them has its stars read."""
MOST: Final = 64
"""Spares are looked for where there are not more links: the time goes with the square of that."""


def chained(
    members: Sequence[Product], chosen: Sequence[Product], field: str, *, cover: float
) -> tuple[list[dict[str, Any]], list[Product]]:
    """Choose visits that carry the frame on, and say what hangs on each.

    Parameters
    ----------
    members, chosen, field, cover
        As for :func:`~hst123r.sources.chain_plan.connect`.

    Returns
    -------
    list of dict
        ``label`` and ``exposures`` of each visit; ``reaches``, the exposures of the field that it
        is the one to cover; and ``spares``, the visits that could do so instead, the best first.
    list of Product
        Exposures of the visits, without those of spares.
    """
    links = connect(members, chosen, field, cover=cover)
    reached = [product for link in links for product in link]
    if not links:
        return [], reached
    polygons = places([Exposure.own(product.facts) for product in members])
    chart = Chart(polygons)

    names: dict[str, str] = {}
    told, points = labels(links, names), [chart.of(link) for link in links]
    chart.covered = begun = chart.of(chosen)
    missing = chart.missing(cover)
    for link, more in zip(told, points, strict=True):
        chart.covered = chart.covered | more
        left = chart.missing(cover)
        link["reaches"] = [root for root in missing if root not in left]
        link["spares"] = []
        missing = left
    if len(links) > MOST:
        return told, reached
    others = groups_of(members, [*chosen, *reached], field, polygons)
    roots = [{product.name for product in link} for link in links]
    touched = [chart.touched(more) for more in points]
    for number, link in enumerate(told):
        chart.covered = begun.copy()
        for other in _connected(number, chart.touched(begun), touched, roots):
            chart.covered |= points[other]
        link["spares"] = _spares(chart, others, cover, names)
    return told, reached


def _connected(
    without: int, begun: set[str], touched: Sequence[set[str]], roots: Sequence[set[str]]
) -> list[int]:
    """Return the visits that overlaps connect with the reference where one is left out."""
    found: list[int] = []
    near = set(begun)
    waiting = [number for number in range(len(roots)) if number != without]
    while new := [number for number in waiting if roots[number] & near]:
        waiting = [number for number in waiting if number not in new]
        for number in new:
            near |= touched[number]
        found += new
    return found


def _spares(
    chart: Chart, others: Mapping[str, Any], cover: float, names: dict[str, str]
) -> list[dict[str, Any]]:
    """Return the visits that are worth most where one is left out."""
    missing = chart.missing(cover)
    if not missing:
        return []
    values = {key: worth(chart, item, missing) for key, item in others.items()}
    best = sorted((key for key in values if values[key] > -math.inf), key=lambda key: -values[key])
    return labels([others[key][1] for key in best[:SPARES]], names)


def rooted(links: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the exposures of some visits and of their spares, each once.

    Parameters
    ----------
    links : sequence of mapping
        As :func:`chained` gives them.

    Returns
    -------
    list of str
        Root names.
    """
    found = [root for link in links for root in link["exposures"]]
    found += [
        root for link in links for spare in link.get("spares", ()) for root in spare["exposures"]
    ]
    return list(dict.fromkeys(found))
