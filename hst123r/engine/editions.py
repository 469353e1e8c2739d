"""The light curves of earlier runs of a recipe beside those of one run: its editions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from hst123r.engine import sides
from hst123r.engine.sides import Side
from hst123r.provenance import of_run, queries
from hst123r.provenance.extract import without_paths
from hst123r.provenance.store import Store
from hst123r.provenance.tags import listed

MOST: Final = 20
"""Earlier editions that are compared, the latest first; a page is to stay readable."""
POINTS: Final = 30
"""Points that are listed of each, those that differ most."""


def earlier(store: Store, run: Side) -> list[dict[str, Any]]:
    """Compare the light curves of earlier runs with those of a run.

    Runs that had the same light curves, because they reused them, are one edition.

    Parameters
    ----------
    store : Store
        The store of the run.
    run : Side
        The run; only runs before it of a recipe with its name are looked at.

    Returns
    -------
    list of dict
        The latest first: ``runs`` (numbers), ``tags``, ``started`` (of its first run),
        ``same`` (it has the very same results), ``points`` (how many are in both), ``different``,
        ``only_then``, ``only_now``, ``largest_sigma``, ``rms_sigma``, ``median_mag`` (of all in
        both), ``parameters`` and ``software`` (what was otherwise) and ``rows`` (the points that
        differ most). Absolute paths in it are as others may see them.
    """
    number = run.run["run"]
    names: dict[int, list[str]] = {}
    for tag in listed(store.db):
        names.setdefault(tag["run"], []).append(tag["name"])
    found: dict[tuple[int, ...], list[Side]] = {}
    for row in reversed(queries.runs(store.db)):
        if row["run"] >= number or row["recipe"] != run.run["recipe"]:
            continue
        side = Side(store, row, of_run.jobs(store.db, row["run"]))
        measured = _measured(side)
        if not measured or (measured not in found and len(found) == MOST):
            continue
        found.setdefault(measured, []).append(side)
    own = _measured(run)
    return [_edition(group, run, names, same=key == own) for key, group in found.items()]


def _measured(side: Side) -> tuple[int, ...]:
    """Return the jobs of a run that have points of light curves."""
    rows = of_run.photometry(side.store.db, side.numbers).values()
    return tuple(sorted({row["job_id"] for row in rows}))


def _edition(
    group: list[Side], run: Side, names: dict[int, list[str]], *, same: bool
) -> dict[str, Any]:
    last = group[0]
    numbers = sorted(side.run["run"] for side in group)
    then = of_run.photometry(last.store.db, last.numbers)
    now = of_run.photometry(run.store.db, run.numbers)
    both = [(then[key], now[key]) for key in then if key in now]
    away = [found for old, new in both if (found := sides.sigma_of(old, new)) is not None]
    rows = list(sides.photometry(last, run))
    changed = [row for row in rows if not row["what"][0].startswith("only")]
    return {
        "runs": numbers,
        "tags": [name for number in numbers for name in names.get(number, [])],
        "started": group[-1].run["started"],
        "same": same,
        "points": len(both),
        "different": len(changed),
        "only_then": len(then) - len(both),
        "only_now": len(now) - len(both),
        "largest_sigma": max(map(abs, away), default=None),
        "rms_sigma": math.sqrt(sum(x * x for x in away) / len(away)) if away else None,
        "median_mag": _median(list(_magnitudes(both))),
        "parameters": without_paths(sides.parameters(sides.asked_for(last), sides.asked_for(run))),
        "software": sides.software(last, run),
        "rows": sorted(rows, key=lambda row: -abs(row["sigma"] or 0.0))[:POINTS],
    }


def _magnitudes(both: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[float]:
    for old, new in both:
        if old["mag_ab"] is not None and new["mag_ab"] is not None:
            yield new["mag_ab"] - old["mag_ab"]


def _median(values: list[float]) -> float | None:
    if not values:
        return None
    values.sort()
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
