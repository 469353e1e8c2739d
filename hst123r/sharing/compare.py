"""Two runs beside each other: software, products facet by facet, photometry row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hst123r.engine.sides import joined, otherwise, sigma_of
from hst123r.records.science import changed_facets, names_its_run

_ROW: Final = ("target", "source", "level", "detector", "filter", "epoch", "visit", "exposure")
_VERSIONS: Final = frozenset({"software"})
"""Arguments of jobs that are versions, which have a line of their own."""
_FLUXES: Final = ("flux_njy", "flux_corrected_njy")
_MAGNITUDES: Final = ("mag_", "limit_ab", "limit_st", "limit_vega", "extinction_mag")
"""How the names of columns begin whose differences are magnitudes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison.

    Parameters
    ----------
    what : str
        What was compared.
    passed : bool or None
        Whether it is equal; None where nothing is demanded.
    found : str
        What was found.
    """

    what: str
    passed: bool | None
    found: str

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"what": self.what, "passed": self.passed, "found": self.found}


def compare(then: Mapping[str, Any], now: Mapping[str, Any], sigma: float) -> list[Line]:
    """Compare two runs.

    Parameters
    ----------
    then, now : mapping
        Extracts, see :func:`hst123r.provenance.extract.extract`.
    sigma : float
        How far photometry may differ: fluxes in units of their errors, magnitudes in magnitudes,
        errors and other numbers by this part of themselves.

    Returns
    -------
    list of Line
        Software, parameters, stage by stage, measurements, and photometry.
    """
    return [
        _software(then, now),
        _parameters(then, now),
        *_stages(then, now),
        _measurements(then, now),
        *_photometry(then, now, sigma),
    ]


def _software(then: Mapping[str, Any], now: Mapping[str, Any]) -> Line:
    first, second = (
        {**run["environment"]["packages"], "python": run["environment"]["python"]}
        for run in (then, now)
    )
    names = {*first, *second}
    changed = [
        f"{row['name']} {row['a'] or 'none'} -> {row['b'] or 'none'}"
        for row in otherwise(first, second)
    ]
    text = ", ".join(changed) if changed else f"the same versions of {len(names)} packages"
    return Line("software", None if changed else True, text)


def _parameters(then: Mapping[str, Any], now: Mapping[str, Any]) -> Line:
    """Compare what jobs were told: parameters, versions of stages and tools, arguments."""
    first, second = _parts(then), _parts(now)
    changed: dict[str, str] = {}
    for key in [*first, *(key for key in second if key not in first)]:
        stage, _, kind, name = key
        old, new = first.get(key, "none"), second.get(key, "none")
        if old != new and kind != "tool" and name not in _VERSIONS:
            # of a stage that is divided otherwise, each part is told once
            changed.setdefault(f"{stage}.{name}", f"{stage}.{name} {old} -> {new}")
    said = list(changed.values())
    shown = said if len(said) < 6 else [*said[:5], f"and {len(said) - 5} more"]
    return Line("parameters", not said, ", ".join(shown) or f"{len(first)} values equal")


def _parts(extract: Mapping[str, Any]) -> dict[tuple[str, str, str, str], str]:
    return {
        (job["stage"], job["label"], part["kind"], part["name"]): str(part["value"])
        for job in extract["jobs"]
        for part in job["parts"]
    }


def _measurements(then: Mapping[str, Any], now: Mapping[str, Any]) -> Line:
    first, second = _measured(then), _measured(now)
    both = [row for row in joined(first, second) if row[1] and row[2]]
    changed = [
        f"{' '.join(word for word in key if word)} {_told(old)} -> {_told(new)}"
        for key, old, new in both
        if old != new
    ]
    gone = len(first) + len(second) - 2 * len(both)
    said = changed[:3] + ([f"and {len(changed) - 3} more"] if len(changed) > 3 else [])
    if gone:
        said.append(f"{gone} are in one of them only")
    # numbers about results are no results: what they are about is compared itself
    text = "; ".join(said) or f"{len(first)} numbers equal"
    return Line("measurements", None if said else True, text)


def _measured(extract: Mapping[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {
        (job["stage"], job["label"], item["name"], item["subject"]): {
            "value": item["value"],
            "quality": item["quality"],
        }
        for job in extract["jobs"]
        for item in job["measurements"]
    }


def _told(measured: Mapping[str, Any]) -> str:
    return f"{measured['value']} ({measured['quality']})"


def _stages(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Line]:
    first, second = _files(then), _files(now)
    stages = list(dict.fromkeys([key[0] for key in [*first, *second]]))
    for stage in stages:
        here = {key: file for key, file in first.items() if key[0] == stage}
        there = {key: file for key, file in second.items() if key[0] == stage}
        pairs = list(joined(here, there))
        missing = [key for key, _, new in pairs if not new]
        more = [key for key, old, _ in pairs if not old]
        other = {
            key: facets
            for key, old, new in pairs
            if old and new and (facets := _different(old, new))
        }
        equal = len(here) - len(missing) - len(other)
        said = [f"{equal} of {len(here)} files equal"]
        said += [f"{_called(key)} differs in {', '.join(facets)}" for key, facets in other.items()]
        said += [f"{_called(key)} is not there" for key in missing]
        said += [f"{_called(key)} was not there" for key in more]
        shown = said if len(said) < 6 else [*said[:5], f"and {len(said) - 5} more"]
        yield Line(stage, not (missing or more or other), "; ".join(shown))


_Key = tuple[str, str, str, str, str]


def _files(extract: Mapping[str, Any]) -> dict[_Key, Mapping[str, Any]]:
    """Return the files of results, by stage, job, kind, name and role."""
    return {
        (job["stage"], job["label"], product["kind"], product["name"], file["role"]): file
        for job in extract["jobs"]
        for product in job["products"]
        for file in product["files"]
        if file["owned"] and not names_its_run(product["kind"], file["role"])
    }


def _different(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    if first["facets"] or second["facets"]:
        return changed_facets(first["facets"], second["facets"])
    return [] if first["digest"] == second["digest"] else ["content"]


def _called(key: _Key) -> str:
    _, label, kind, name, role = key
    return f"{kind} {name}" + (f" of {label}" if label != name else "") + f" ({role})"


def _photometry(then: Mapping[str, Any], now: Mapping[str, Any], sigma: float) -> Iterator[Line]:
    first, second = _rows(then), _rows(now)
    for target in sorted({key[0] for key in [*first, *second]}):
        here = {key: row for key, row in first.items() if key[0] == target}
        there = {key: row for key, row in second.items() if key[0] == target}
        lost = [key for key in [*here, *there] if key not in here or key not in there]
        away = {key: _sigmas(row, there[key]) for key, row in here.items() if key in there}
        worst = max(away, key=lambda key: away[key], default=None)
        most = away[worst] if worst is not None else 0.0
        text = f"{len(away)} fluxes, none differs by more than {most:.2g} sigma"
        if most > sigma and worst is not None:
            text += f"; the worst is {' '.join(str(word) for word in worst[1:] if word)}"
        other = sorted({name for key in away for name in _unlike(here[key], there[key], sigma)})
        if other:
            text += f"; also different: {', '.join(other)}"
        if lost:
            text += f"; {len(lost)} are in one of them only"
        yield Line(f"photometry of {target}", not (lost or other) and most <= sigma, text)


def _rows(extract: Mapping[str, Any]) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    return {tuple(row.get(name) for name in _ROW): row for row in extract["photometry"]}


def _sigmas(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """Return how far fluxes are apart, in units of both errors; inf if one is not known."""
    return max(
        0.0 if first.get(name) == second.get(name)
        else math.inf if (found := sigma_of(first, second, name)) is None
        else abs(found)
        for name in _FLUXES
    )  # fmt: skip


def _unlike(first: Mapping[str, Any], second: Mapping[str, Any], sigma: float) -> Iterator[str]:
    """Yield the columns beside fluxes that differ by more than they may."""
    for name in {**first, **second}:
        old, new = first.get(name), second.get(name)
        if old == new or name in _FLUXES:
            continue
        if not (isinstance(old, float) and isinstance(new, float)):
            yield name
        elif name.startswith(_MAGNITUDES):
            if abs(old - new) > sigma:
                yield name
        elif abs(old - new) > sigma * max(abs(old), abs(new)):
            yield name
