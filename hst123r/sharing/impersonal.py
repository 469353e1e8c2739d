"""Where the numbers of a run come from, without the history that they have in one store.

Two people who make the same have other runs behind them: their attempts have other numbers and
came in another order. What is left here is the same for both, so that it can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hst123r.files.content import digest_bytes

Row = Mapping[str, Any]


def impersonal(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return origins with nothing in them of when, where and in which order they were made.

    Jobs are numbered by what they stand on, and by name. Where a result was made again and what
    stands on its first attempt was kept, because nothing that counts had changed, the two attempts
    have one key and are one job here.

    Parameters
    ----------
    about : mapping
        What :func:`hst123r.engine.origins.origins` gives.

    Returns
    -------
    dict
        The same, of the run only recipe and state; ``rests_on`` is of names and keys.
    """
    same = _first_of_a_key(about["jobs"])
    jobs = [job for job in about["jobs"] if same[job["job"]] == job["job"]]
    reads = {job["job"]: {same[number] for number in job["reads"]} for job in jobs}
    depths = _depths(reads)
    jobs.sort(key=lambda job: (depths[job["job"]], *_named(job), not job["own"]))
    numbers = {job["job"]: number for number, job in enumerate(jobs, 1)}

    def number(job: int | None) -> int | None:
        return None if job is None else numbers[same[job]]

    def place(path: str) -> tuple[str, str]:
        # what lies outside a work directory lies elsewhere on each machine
        file = about["files"][path]
        return file["path"], file["digest"] or ""

    sets: dict[str, list[Any]] = {}
    run = {"run": None, "started": None, "ended": None}
    return {
        **about,
        "rests_on": digest_bytes(json.dumps(sorted(map(_named, jobs))).encode()),
        "run": {**about["run"], **run},
        "jobs": [
            {
                **{key: value for key, value in job.items() if key not in ("run", "started")},
                "job": numbers[job["job"]],
                "reads": sorted(numbers[other] for other in reads[job["job"]]),
                "set": _among(sets, job["stage"], about["sets"][job["stage"]][job["set"]]),
            }
            for job in jobs
        ],
        "sets": sets,
        "files": {
            path: {**about["files"][path], "made_by": number(about["files"][path]["made_by"])}
            for path in sorted(about["files"], key=place)
        },
        "lineages": {
            name: {
                "jobs": sorted({numbers[same[job]] for job in found["jobs"]}),
                "files": sorted(found["files"], key=place),
            }
            for name, found in sorted(about["lineages"].items())
        },
        # of one target they stay as its job has them; which target was measured first is chance
        "points": sorted(about["points"], key=lambda row: (row["stage"], row["target"])),
        "earlier": None,
    }


def _named(job: Row) -> tuple[str, str, str]:
    return job["stage"], job["label"], job["key"] or ""


def _first_of_a_key(jobs: Sequence[Row]) -> dict[int, int]:
    """Return for each attempt the one that stands for all of its name and key: that of the run."""
    first: dict[tuple[str, str, str], int] = {}
    for job in sorted(jobs, key=lambda job: not job["own"]):
        first.setdefault(_named(job), job["job"])
    return {job["job"]: first[_named(job)] for job in jobs}


def _depths(reads: Mapping[int, set[int]]) -> dict[int, int]:
    """Return of each job how many stand below it in the longest line, 0 for those at the bottom."""
    from graphlib import TopologicalSorter

    found: dict[int, int] = {}
    for job in TopologicalSorter(reads).static_order():
        found[job] = max((found[below] + 1 for below in reads[job]), default=0)
    return found


def _among(sets: dict[str, list[Any]], stage: str, parameters: Any) -> int:
    """Return the place of parameters among those of a stage, put there if they are new."""
    found = sets.setdefault(stage, [])
    if parameters not in found:
        found.append(parameters)
    return found.index(parameters)
