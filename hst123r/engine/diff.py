"""What differs between two runs, of one work directory or of two; two recipes; or two locks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hst123r.engine import asked, star_by_star
from hst123r.engine.decide import differences
from hst123r.errors import InputError
from hst123r.files.content import look
from hst123r.files.work_dir import is_work_dir
from hst123r.provenance import of_run, queries, tags
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store
from hst123r.recipe import lock
from hst123r.recipe.load import load
from hst123r.records.science import changed_facets, names_its_run

RECIPES: Final = (".yaml", ".yml")
LISTS: Final = ("parameters", "software", "jobs", "files", "measurements", "photometry", "locked")
"""What is compared, apart from catalogues."""
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


def diff(
    folder: Path | None, one: str, other: str, *, radius_arcsec: float, stars: int
) -> dict[str, Any]:
    """Compare two runs, two recipes, or two locks.

    Parameters
    ----------
    folder : Path or None
        Work directory of runs that are given by number or tag alone.
    one, other : str
        The number or tag of a run, a work directory (its last run), or ``DIR:RUN``. Or two recipe
        files, of which all that they ask for is compared, or two lock files.
    radius_arcsec : float
        Stars of two catalogues are the same within this separation, in arcsec.
    stars : int
        How many stars are listed of each catalogue.

    Returns
    -------
    dict
        ``a``, ``b``, ``equal``; ``parameters``, ``software``, ``jobs``, ``files``,
        ``measurements``, ``photometry``, ``locked``, each a list of differences; and
        ``catalogues``, one for each pair.

    Raises
    ------
    InputError
        If there is no such run, or the two are not of one kind.
    """
    kinds = [_kind(item) for item in (one, other)]
    if kinds == ["lock", "lock"]:
        return _locks(Path(one), Path(other))
    if kinds == ["recipe", "recipe"]:
        return _recipes(Path(one), Path(other))
    if kinds != ["run", "run"]:
        raise InputError(
            "a recipe can only be compared with a recipe, a lock with a lock, and a run with a run"
        )
    with ExitStack() as stack:
        sides = []
        for text in (one, other):
            place, number = _place(folder, text)
            store = stack.enter_context(reading(place))
            sides.append(_side(store, number))
        a, b = sides
        found: dict[str, Any] = {
            "a": _head(a), "b": _head(b),
            "parameters": _parameters(_of_run(a), _of_run(b)), "locked": [],
            "software": _software(a, b), "jobs": list(_jobs(a, b)), "files": list(_files(a, b)),
            "measurements": list(_measurements(a, b)), "photometry": list(_photometry(a, b)),
            "catalogues": list(_catalogues(a, b, radius_arcsec, stars)),
        }  # fmt: skip
    found["equal"] = not any(found[name] for name in LISTS) and not any(
        item.get("different")
        or item.get("only_a")
        or item.get("only_b")
        or item.get("no_position_a") != item.get("no_position_b")
        for item in found["catalogues"]
    )
    return found


def _kind(text: str) -> str:
    if not (Path(text).suffix in RECIPES and Path(text).is_file()):
        return "run"
    return "lock" if text.endswith(lock.SUFFIX) else "recipe"


def _recipes(one: Path, other: Path) -> dict[str, Any]:
    a, b = load(one), load(other)
    found = _parameters(asked.of_recipe(a), asked.of_recipe(b))
    return _of_files((one, a.name), (other, b.name), "parameters", found)


def _locks(one: Path, other: Path) -> dict[str, Any]:
    a, b = (lock.read(path) for path in (one, other))
    # both were there a moment ago
    if a is None or b is None:
        raise InputError("there is no such lock", where=str(one if a is None else other))
    found = [
        {"section": item.section, "name": item.name, "text": item.text}
        for item in lock.differences(a, b)
    ]
    return _of_files((one, a.recipe.name), (other, b.recipe.name), "locked", found)


def _of_files(
    one: tuple[Path, str], other: tuple[Path, str], about: str, found: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the answer about two files, which differ in one of the lists."""
    heads = {
        side: {"recipe": name, "folder": str(path), "run": None, "started": None, "state": None}
        for side, (path, name) in (("a", one), ("b", other))
    }
    lists: dict[str, Any] = {name: [] for name in (*LISTS, "catalogues")}
    return {**heads, **lists, about: found, "equal": not found}


def _of_run(side: Side) -> list[dict[str, Any]]:
    number = side.run["run"]
    canonical = of_run.canonical(side.store.db, number)
    return [*queries.parameters(side.store.db, number), *asked.of_canonical(canonical)]


def _place(folder: Path | None, text: str) -> tuple[Path, str]:
    """Return the work directory and the run that a text names, the run empty for the last one."""
    path = Path(text).expanduser()
    if is_work_dir(path):
        return path.resolve(), ""
    head, colon, run = text.rpartition(":")
    if colon and is_work_dir(Path(head).expanduser()):
        return Path(head).expanduser().resolve(), run
    if "/" in text:
        raise InputError("this is no work directory of hst123r", where=text)
    if folder is None:
        raise InputError(
            f"{text} is a run of a work directory, and there is none here",
            hint="Give it with --work-dir, or write DIR:RUN",
        )
    return folder, text


def _side(store: Store, text: str) -> Side:
    number = tags.number_of(store.db, text, str(store.folder))
    (found,) = queries.runs(store.db, run_id=number)
    return Side(store, found, of_run.jobs(store.db, number))


def _head(side: Side) -> dict[str, Any]:
    keys = ("recipe", "run", "started", "state")
    return {"folder": str(side.store.folder), **{key: side.run[key] for key in keys}}


def _parameters(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> list[dict[str, Any]]:
    a, b = ({(row["stage"], row["name"]): row for row in rows} for rows in (one, other))
    return [
        {"stage": key[0], "name": key[1], "a": old.get("value"), "b": new.get("value"),
         "origin_a": old.get("origin"), "origin_b": new.get("origin")}
        for key, old, new in _joined(a, b)
        if old.get("value") != new.get("value") or bool(old) != bool(new)
    ]  # fmt: skip


def _joined(
    a: Mapping[Any, dict[str, Any]], b: Mapping[Any, dict[str, Any]]
) -> Iterator[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Yield each key of two mappings with both values, empty ones where there is none."""
    for key in [*a, *(key for key in b if key not in a)]:
        yield key, a.get(key, {}), b.get(key, {})


def _software(one: Side, other: Side) -> list[dict[str, Any]]:
    found = []
    for side in (one, other):
        row = queries.environment(side.store.db, side.run["environment_id"])
        packages = {"python": row["python"], "platform": row["platform"], **row["packages"]}
        context = row["crds_context"]
        found.append(packages | ({"CRDS context": context} if context else {}))
    a, b = found
    return [
        {"name": name, "a": a.get(name), "b": b.get(name)}
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    ]


def _jobs(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    """Yield jobs that only one has, that ended otherwise, or whose keys differ, and why.

    A key may differ in bytes that mean the same: those are no difference.
    """
    both = [(old, new) for _, old, new in _joined(one.jobs, other.jobs) if old and new]
    changed = [(old, new) for old, new in both if old["key"] != new["key"]]
    then = of_run.parts(one.store.db, [old["job"] for old, _ in changed])
    now = of_run.parts(other.store.db, [new["job"] for _, new in changed])
    for (stage, label), old, new in _joined(one.jobs, other.jobs):
        why = []
        if not (old and new):
            why = ["only a has it" if old else "only b has it"]
        elif old["key"] != new["key"]:
            reasons = differences(now[new["job"]], then[old["job"]])
            why = [reason.text for reason in reasons]
        for name in ("state", "quality"):
            if old and new and old[name] != new[name]:
                why.append(f"{name}: {old[name]} → {new[name]}")
        if why:
            yield {
                "stage": stage,
                "label": label,
                "a": old.get("job"),
                "b": new.get("job"),
                "why": why,
            }


def _files(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    """Yield files that only one has, or whose bytes differ in more than what is volatile.

    Two runs never have the same report, export or pictures, since these name the run.
    """
    a = of_run.files(one.store.db, one.numbers)
    b = of_run.files(other.store.db, other.numbers)
    for path, old, new in _joined(a, b):
        facets: list[str] = []
        if old and new:
            if old["digest"] == new["digest"] or names_its_run(new["kind"], new["role"]):
                continue
            then, now = json.loads(old["facets"]), json.loads(new["facets"])
            facets = changed_facets(then, now)
            if then and now and not facets:
                continue
        what = "changed" if old and new else "only a has it" if old else "only b has it"
        yield {
            "path": path, "what": what, "a": old.get("digest"), "b": new.get("digest"),
            "facets": facets,
        }  # fmt: skip


def _measurements(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    a = of_run.measurements(one.store.db, one.numbers)
    b = of_run.measurements(other.store.db, other.numbers)
    for (stage, label, subject, name), old, new in _joined(a, b):
        if old.get("value") != new.get("value") or bool(old) != bool(new):
            yield {
                "stage": stage, "label": label, "subject": subject, "name": name,
                "a": old.get("value"), "b": new.get("value"), "unit": (new or old)["unit"],
                "quality_a": old.get("quality"), "quality_b": new.get("quality"),
            }  # fmt: skip


def _photometry(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    a = of_run.photometry(one.store.db, one.numbers)
    b = of_run.photometry(other.store.db, other.numbers)
    for key, old, new in _joined(a, b):
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
            "flags_a": old.get("flags"), "flags_b": new.get("flags"), "sigma": _sigma(old, new),
        }  # fmt: skip


def _sigma(old: Mapping[str, Any], new: Mapping[str, Any]) -> float | None:
    """Return the difference of two fluxes over their errors added in quadrature."""
    numbers = [row.get(name) for row in (old, new) for name in ("flux_njy", "flux_err_njy")]
    if any(number is None for number in numbers):
        return None
    error = math.hypot(old["flux_err_njy"], new["flux_err_njy"])
    return (new["flux_njy"] - old["flux_njy"]) / error if error > 0 else None


def _catalogues(
    one: Side, other: Side, radius_arcsec: float, stars: int
) -> Iterator[dict[str, Any]]:
    """Yield each pair of catalogues of the same product, star by star where both are on disk."""
    sides = [
        {
            (row["name"], row["role"]): row
            for row in of_run.files(side.store.db, side.numbers).values()
            if row["kind"] == "photometry" and row["role"] == "catalog"
        }
        for side in (one, other)
    ]
    for (name, _), old, new in _joined(*sides):
        if not (old and new) or old["digest"] == new["digest"]:
            continue
        head = {"name": name, "a_path": old["path"], "b_path": new["path"], "missing": None}
        gone = [
            side.run["run"]
            for side, row in ((one, old), (other, new))
            if not _there(side, row["path"], row["digest"])
        ]
        if gone:
            runs = " and ".join(f"run {run}" for run in gone)
            yield {**head, "missing": f"the catalogue of {runs} is no longer on disk"}
            continue
        paths = [
            Path(side.store.contents.absolute(row["path"]))
            for side, row in ((one, old), (other, new))
        ]
        yield head | star_by_star.compare(paths[0], paths[1], radius_arcsec, stars)


def _there(side: Side, path: str, digest: str) -> bool:
    place = Path(side.store.contents.absolute(path))
    return place.is_file() and look(place).digest == digest
