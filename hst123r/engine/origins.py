"""Where each number of a run comes from: its jobs, their software and parameters, and raw files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from hst123r.engine.editions import earlier
from hst123r.engine.sides import Side, side_of
from hst123r.files.content import digest_bytes
from hst123r.provenance import lineage, of_run, queries
from hst123r.provenance.extract import inside
from hst123r.provenance.lineage import Link
from hst123r.provenance.store import Store

_JOBS: Final = """
    select id as job, stage, label, handler, version, run_id as run, state, quality, key, started
    from job where id in (select value from json_each(?)) order by id
"""
_PRODUCTS: Final = """
    select job_id as job, kind, name from product
    where job_id in (select value from json_each(?)) order by id
"""
_CAVEATS: Final = """
    select job_id as job, subject, text from caveat
    where job_id in (select value from json_each(?)) order by id
"""


def origins(store: Store, text: str, *, editions: bool = True) -> dict[str, Any]:
    """Return where all that a run shows comes from.

    Absolute paths are left out, so that the answer may leave this machine.

    Parameters
    ----------
    store : Store
        The store.
    text : str
        Number or tag of the run, empty for the last one.
    editions : bool
        Whether light curves of earlier runs are compared with those of this one.

    Returns
    -------
    dict
        ``rests_on`` (see :func:`rests_on`), ``run`` (its row), ``environment``, ``jobs`` (with
        ``own``, whether they are of the run, ``reads``, the jobs they stand on, ``caveats``, and
        ``set``, their parameters), ``sets`` (parameters that
        several jobs share, by stage), ``files`` (those at which all ends), ``points`` (of light
        curves, with the ``exposures`` in each and its ``lineage``), ``lineages`` (``jobs`` and
        ``files`` behind the points of a target, detector and filter), and ``earlier`` (see
        :func:`hst123r.engine.editions.earlier`; None where they are not asked for).

    Raises
    ------
    InputError
        If there is no such run.
    """
    run = side_of(store, text)
    numbers = lineage.behind(store.db, run.numbers)
    links = lineage.links(store.db, numbers)
    by_job: dict[int, list[Link]] = {}
    for link in links:
        by_job.setdefault(link.job, []).append(link)
    points = list(of_run.photometry(store.db, run.numbers).values())
    jobs, sets = _jobs(store, numbers, set(run.numbers), by_job)
    lineages = _lineages(points, by_job)
    return {
        "rests_on": rests_on(run),
        "run": {key: run.run[key] for key in ("run", "recipe", "started", "ended", "state")},
        "environment": _environment(store, run),
        "jobs": jobs,
        "sets": sets,
        "files": _files(store, numbers, by_job),
        "points": _points(points),
        "lineages": lineages,
        "earlier": earlier(store, run) if editions else None,
    }


def rests_on(run: Side) -> str:
    """Return a digest of the results of a run: equal for runs that reuse the very same attempts."""
    rows = sorted([*place, job["job"], job["key"]] for place, job in run.jobs.items())
    return digest_bytes(json.dumps(rows).encode())


def _environment(store: Store, run: Side) -> dict[str, str]:
    row = queries.environment(store.db, run.run["environment_id"])
    more = {"CRDS context": row["crds_context"]} if row["crds_context"] else {}
    return {"Python": row["python"], "platform": row["platform"], **row["packages"], **more}


def _jobs(
    store: Store, numbers: list[int], own: set[int], by_job: dict[int, list[Link]]
) -> tuple[list[dict[str, Any]], dict[str, list[list[dict[str, Any]]]]]:
    wanted = json.dumps(numbers)
    products: dict[int, list[dict[str, Any]]] = {}
    for row in store.db.query(_PRODUCTS, [wanted]):
        products.setdefault(row.pop("job"), []).append(row)
    caveats: dict[int, list[str]] = {}
    for job, subject, text in store.db.execute(_CAVEATS, [wanted]):
        told = text if not subject or subject in text else f"{subject}: {text}"
        caveats.setdefault(job, []).append(str(inside(told)))
    parts: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for job, kind, name, value, origin in store.db.execute(
        "select job_id, kind, name, value, origin from job_param where kind in ('param', 'tool') "
        "and job_id in (select value from json_each(?)) order by job_id, kind, name",
        [wanted],
    ):
        found = {"name": name, "value": inside(value), "origin": inside(origin)}
        parts.setdefault(job, {}).setdefault(kind, []).append(found)
    sets: dict[str, list[list[dict[str, Any]]]] = {}
    jobs = []
    for row in store.db.query(_JOBS, [wanted]):
        mine = parts.get(row["job"], {})
        shared = sets.setdefault(row["stage"], [])
        parameters = mine.get("param", [])
        if parameters not in shared:
            shared.append(parameters)
        reads = {link.made_by for link in by_job.get(row["job"], []) if link.made_by is not None}
        jobs.append(
            {
                **row,
                "own": row["job"] in own,
                "set": shared.index(parameters),
                "tools": {item["name"]: item["value"] for item in mine.get("tool", [])},
                "products": products.get(row["job"], []),
                "caveats": caveats.get(row["job"], []),
                "reads": sorted(reads),
            }
        )
    return jobs, sets


def _files(
    store: Store, numbers: list[int], by_job: dict[int, list[Link]]
) -> dict[str, dict[str, Any]]:
    """Return the files at which all lines end, by path."""
    uris = lineage.downloads(store.db, numbers)
    found = {}
    for path, link in _ends(by_job.values(), by_job).items():
        name = path.rpartition("/")[2]
        uri = None if link.made_by is None else uris.get((link.made_by, name))
        found[path] = {
            "path": inside(path), "name": name, "uri": None if uri is None else inside(uri),
            "digest": link.digest, "sha256": link.sha256, "made_by": link.made_by,
        }  # fmt: skip
    return dict(sorted(found.items()))


def _ends(groups: Iterable[list[Link]], by_job: dict[int, list[Link]]) -> dict[str, Link]:
    """Return the links to files that nothing here was made from, by path."""
    return {
        link.path: link
        for links in groups
        for link in links
        if link.path is not None and (link.made_by is None or link.made_by not in by_job)
    }


def _lineages(
    points: list[dict[str, Any]], by_job: dict[int, list[Link]]
) -> dict[str, dict[str, Any]]:
    """Return jobs and files behind the points of each target, detector and filter."""
    found: dict[str, dict[str, Any]] = {}
    for row in points:
        name = _lineage_of(row)
        if name in found:
            continue
        first = [
            link
            for link in by_job.get(row["job_id"], [])
            if all(link.labels.get(key) in (None, row[key]) for key in ("filter", "detector"))
        ]
        reached = {row["job_id"]: first}
        waiting = [link.made_by for link in first]
        while waiting:
            job = waiting.pop()
            if job is not None and job not in reached:
                reached[job] = by_job.get(job, [])
                waiting += [link.made_by for link in reached[job]]
        files = sorted(_ends(reached.values(), by_job))
        found[name] = {"jobs": sorted(reached), "files": files}
    return found


def _lineage_of(row: dict[str, Any]) -> str:
    return ", ".join(str(row[key]) for key in ("stage", "target", "detector", "filter"))


def _points(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return points with the exposures whose light is in each."""
    single: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["level"] == "exposure":
            single.setdefault(_series(row), []).append(row)
    found = []
    for row in rows:
        # what a mean leaves open is empty: that of a filter has neither epoch nor visit
        wanted = {key: row[key] for key in ("epoch", "visit", "exposure") if row[key]}
        inside_it = [
            one["exposure"]
            for one in single.get(_series(row), [])
            if all(one[key] == value for key, value in wanted.items())
        ]
        found.append({**row, "exposures": inside_it, "lineage": _lineage_of(row)})
    return found


def _series(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in ("job_id", "target", "source", "detector", "filter"))
