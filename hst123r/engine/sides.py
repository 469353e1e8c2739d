"""Two runs beside each other: what both have of a kind, joined by its name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from hst123r.engine import asked
from hst123r.provenance import of_run, queries, tags
from hst123r.provenance.store import Store

K = TypeVar("K")
VALUES: Final = (
    "flux_njy", "flux_err_njy", "mag_ab", "mag_err", "limit_ab", "limit_sigma", "flags",
)  # fmt: skip
"""Columns of a point of a light curve that are compared."""


@dataclass(slots=True)
class Side:
    """One of the two runs.

    Parameters
    ----------
    store : Store
        Its store.
    run : dict
        Its row.
    jobs : dict
        Its results by stage and label.
    """

    store: Store
    run: dict[str, Any]
    jobs: dict[tuple[str, str], dict[str, Any]]

    @property
    def numbers(self) -> list[int]:
        """Rows of its jobs."""
        return [job["job"] for job in self.jobs.values()]


def side_of(store: Store, text: str) -> Side:
    """Return a run by its number or tag, the last one for an empty text."""
    number = tags.number_of(store.db, text, str(store.folder))
    (found,) = queries.runs(store.db, run_id=number)
    return Side(store, found, of_run.jobs(store.db, number))


def asked_for(side: Side) -> list[dict[str, Any]]:
    """Return all that the recipe of a run asks for: parameters of stages, targets and the rest."""
    number = side.run["run"]
    canonical = of_run.canonical(side.store.db, number)
    return [*queries.parameters(side.store.db, number), *asked.of_canonical(canonical)]


def parameters(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what two recipes do not ask for alike.

    Parameters
    ----------
    one, other : list of dict
        ``stage``, ``name``, ``value`` and ``origin``, see :func:`asked_for`.

    Returns
    -------
    list of dict
        ``stage``, ``name``, ``a``, ``b``, ``origin_a`` and ``origin_b``.
    """
    a, b = ({(row["stage"], row["name"]): row for row in rows} for rows in (one, other))
    return [
        {"stage": key[0], "name": key[1], "a": old.get("value"), "b": new.get("value"),
         "origin_a": old.get("origin"), "origin_b": new.get("origin")}
        for key, old, new in joined(a, b)
        if old.get("value") != new.get("value") or bool(old) != bool(new)
    ]  # fmt: skip


def joined(
    a: Mapping[K, Mapping[str, Any]], b: Mapping[K, Mapping[str, Any]]
) -> Iterator[tuple[K, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each key of two mappings with both values, empty ones where there is none."""
    for key in [*a, *(key for key in b if key not in a)]:
        yield key, a.get(key, {}), b.get(key, {})


def software(one: Side, other: Side) -> list[dict[str, Any]]:
    """Return packages of which two runs had other versions: ``name``, ``a`` and ``b``."""
    found = []
    for side in (one, other):
        row = queries.environment(side.store.db, side.run["environment_id"])
        packages = {"python": row["python"], "platform": row["platform"], **row["packages"]}
        context = row["crds_context"]
        found.append(packages | ({"CRDS context": context} if context else {}))
    return otherwise(*found)


def otherwise(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the names under which two mappings have other values: ``name``, ``a`` and ``b``."""
    return [
        {"name": name, "a": a.get(name), "b": b.get(name)}
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    ]


def photometry(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    """Yield the points of light curves that differ between two runs.

    Parameters
    ----------
    one, other : Side
        The runs.

    Yields
    ------
    dict
        The columns that tell points apart, ``what`` differs, values of both with ``_a`` and ``_b``,
        and ``sigma``, the difference of the fluxes over their errors added in quadrature.
    """
    a = of_run.photometry(one.store.db, one.numbers)
    b = of_run.photometry(other.store.db, other.numbers)
    for key, old, new in joined(a, b):
        what = [name for name in VALUES if old and new and old[name] != new[name]]
        if old and new and not what:
            continue
        row = dict(zip((*of_run.POINT, "source"), key, strict=True))
        yield {
            **row, "source": row["source"] or (new or old)["source"] or "",
            "what": what or ["only a has it" if old else "only b has it"],
            "flux_a": old.get("flux_njy"), "flux_b": new.get("flux_njy"),
            "flux_err_a": old.get("flux_err_njy"), "flux_err_b": new.get("flux_err_njy"),
            "mag_a": old.get("mag_ab"), "mag_b": new.get("mag_ab"),
            "limit_a": old.get("limit_ab"), "limit_b": new.get("limit_ab"),
            "flags_a": old.get("flags"), "flags_b": new.get("flags"), "sigma": sigma_of(old, new),
        }  # fmt: skip


def sigma_of(
    old: Mapping[str, Any], new: Mapping[str, Any], flux: str = "flux_njy"
) -> float | None:
    """Return the difference of two fluxes over their errors added in quadrature.

    Parameters
    ----------
    old, new : mapping
        Points of a light curve; they may lack all of it.
    flux : str
        Column of the flux; its error is in ``flux_err_njy``.

    Returns
    -------
    float or None
        New minus old; None where a number is missing or there is no error.
    """
    numbers = [row.get(name) for row in (old, new) for name in (flux, "flux_err_njy")]
    if any(number is None for number in numbers):
        return None
    error = math.hypot(old["flux_err_njy"], new["flux_err_njy"])
    return float(new[flux] - old[flux]) / error if error > 0 else None
