"""What differs between two runs, of one work directory or of two; two recipes; or two locks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from hst123r.engine import asked, printed, sides, star_by_star
from hst123r.engine.decide import differences
from hst123r.engine.sides import Side, joined
from hst123r.errors import InputError
from hst123r.files.content import look
from hst123r.files.work_dir import is_work_dir
from hst123r.provenance import of_run
from hst123r.provenance.reading import reading
from hst123r.recipe import lock
from hst123r.recipe.load import load
from hst123r.records.science import changed_facets, names_its_run

RECIPES: Final = (".yaml", ".yml")
LISTS: Final = ("parameters", "software", "jobs", "files", "measurements", "photometry", "locked")
"""What is compared, apart from catalogues."""


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
        both = []
        for text in (one, other):
            place, number = _place(folder, text)
            store = stack.enter_context(reading(place))
            both.append(sides.side_of(store, number))
        a, b = both
        wanted = [sides.asked_for(side) for side in both]
        found: dict[str, Any] = {
            "a": _head(a), "b": _head(b),
            "parameters": sides.parameters(*wanted), "locked": [],
            "software": sides.software(a, b), "jobs": list(_jobs(a, b)),
            "files": list(_files(a, b)),
            "measurements": list(_measurements(a, b)), "photometry": list(sides.photometry(a, b)),
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
    found = sides.parameters(asked.of_recipe(a), asked.of_recipe(b))
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


def _head(side: Side) -> dict[str, Any]:
    keys = ("recipe", "run", "started", "state")
    return {"folder": str(side.store.folder), **{key: side.run[key] for key in keys}}


def _jobs(one: Side, other: Side) -> Iterator[dict[str, Any]]:
    """Yield jobs that only one has, that ended otherwise, or whose keys differ, and why.

    A key may differ in bytes that mean the same: those are no difference.
    """
    both = [(old, new) for _, old, new in joined(one.jobs, other.jobs) if old and new]
    changed = [(old, new) for old, new in both if old["key"] != new["key"]]
    then = of_run.parts(one.store.db, [old["job"] for old, _ in changed])
    now = of_run.parts(other.store.db, [new["job"] for _, new in changed])
    for (stage, label), old, new in joined(one.jobs, other.jobs):
        why = []
        if not (old and new):
            why = ["only a has it" if old else "only b has it"]
        elif old["key"] != new["key"]:
            parts = then[old["job"]], now[new["job"]]
            told = printed.in_words(
                printed.then(one.store.db, old["job"], parts[0]),
                printed.then(other.store.db, new["job"], parts[1]),
            )
            reasons = differences(parts[1], parts[0], told)
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
    for path, old, new in joined(a, b):
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
    for (stage, label, subject, name), old, new in joined(a, b):
        if old.get("value") != new.get("value") or bool(old) != bool(new):
            yield {
                "stage": stage, "label": label, "subject": subject, "name": name,
                "a": old.get("value"), "b": new.get("value"), "unit": (new or old)["unit"],
                "quality_a": old.get("quality"), "quality_b": new.get("quality"),
            }  # fmt: skip


def _catalogues(
    one: Side, other: Side, radius_arcsec: float, stars: int
) -> Iterator[dict[str, Any]]:
    """Yield each pair of catalogues of the same product, star by star where both are on disk."""
    pair = [
        {
            (row["name"], row["role"]): row
            for row in of_run.files(side.store.db, side.numbers).values()
            if row["kind"] == "photometry" and row["role"] == "catalog"
        }
        for side in (one, other)
    ]
    for (name, _), old, new in joined(*pair):
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
