"""Answers to the questions of the command line: history, explain, show, exposures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hst123r.engine.dry import plan
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned
from hst123r.engine.workspace import Workspace
from hst123r.errors import Hst123rError, InputError, did_you_mean
from hst123r.provenance import queries
from hst123r.provenance.stamps import read_stamps
from hst123r.provenance.store import Store
from hst123r.recipe.model import Recipe


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the history is asked for.

    Parameters
    ----------
    run : int or None
        Number of a run.
    stage : str or None
        Name of a stage in the recipe.
    target : str or None
        Name of a target or field.
    file : Path or None
        A file that was made or read.
    since : str or None
        ISO date.
    """

    run: int | None = None
    stage: str | None = None
    target: str | None = None
    file: Path | None = None
    since: str | None = None

    @property
    def about_jobs(self) -> bool:
        """Whether the answer is a list of jobs rather than of runs."""
        return any(item is not None for item in (self.run, self.stage, self.target, self.file))


def history(folder: Path, wanted: Filter) -> list[dict[str, Any]]:
    """Return runs, or the jobs behind a run, stage, target or file.

    Parameters
    ----------
    folder : Path
        Work directory.
    wanted : Filter
        What is asked for.

    Returns
    -------
    list of dict
        One for each run or attempt, the first one first.

    Raises
    ------
    InputError
        If there is no such run.
    """
    store = Store(folder, read_only=True)
    if not wanted.about_jobs:
        return queries.runs(store.db, since=wanted.since)
    if wanted.run is not None and not queries.runs(store.db, run_id=wanted.run):
        raise InputError(f"there is no run {wanted.run}", where=str(folder))
    path = None if wanted.file is None else _stored_path(store, wanted.file)
    return queries.jobs(
        store.db,
        run_id=wanted.run,
        stage=wanted.stage,
        about=wanted.target,
        path=path,
        since=wanted.since,
    )


def show(folder: Path, what: str) -> dict[str, Any]:
    """Return all that is known of a run, a job or a file.

    Parameters
    ----------
    folder : Path
        Work directory.
    what : str
        Number of a run, ``STAGE:LABEL`` or ``#NUMBER`` of a job, or a path.

    Returns
    -------
    dict
        Plain values.

    Raises
    ------
    InputError
        If there is no such thing.
    """
    store = Store(folder, read_only=True)
    if what.isdecimal():
        return _show_run(store, int(what))
    if what.startswith("#") and what[1:].isdecimal():
        return _show_job(store, int(what[1:]))
    if Path(what).exists() or "/" in what:
        return _show_file(store, Path(what))
    stage, colon, label = what.partition(":")
    found = queries.jobs(store.db, stage=stage, label=label) if colon else []
    if not found:
        raise InputError(
            f"there is no run, job or file {what!r}",
            where=str(folder),
            hint="See `hst123r history`",
        )
    return _show_job(store, found[-1]["job"])


def _show_run(store: Store, run_id: int) -> dict[str, Any]:
    found = queries.runs(store.db, run_id=run_id)
    if not found:
        raise InputError(f"there is no run {run_id}", where=str(store.folder))
    run = found[0]
    return {
        **run,
        "environment": queries.environment(store.db, run["environment_id"]),
        "parameters": queries.parameters(store.db, run_id),
        "jobs": [
            {"job": job["job"], "name": f"{job['stage']}:{job['label']}", "state": job["state"],
             "quality": job["quality"]}
            for job in queries.jobs(store.db, run_id=run_id)
        ],
    }  # fmt: skip


def _show_job(store: Store, job_id: int) -> dict[str, Any]:
    found = queries.jobs(store.db, job_id=job_id)
    if not found:
        raise InputError(f"there is no job #{job_id}", where=str(store.folder))
    return {
        **found[0],
        **queries.job_files(store.db, job_id),
        **queries.job_details(store.db, job_id),
    }


def _show_file(store: Store, path: Path) -> dict[str, Any]:
    if not path.exists() and not (store.folder / path).exists():
        maker = queries.maker_of(store.db, _stored_path(store, path))
        if maker is None:
            raise InputError("there is no such file, and the store knows none", where=str(path))
        return {"file": str(path), "state": "missing", "made_by": _show_job(store, maker)}
    actual = path if path.exists() else store.folder / path
    stored = _stored_path(store, actual)
    known = store.contents.look(str(actual.absolute()))
    assert known is not None
    maker = queries.maker_of(store.db, stored)
    how = "by its path"
    if maker is None:
        maker, how = _by_stamp(store, actual)
    return {
        "file": stored,
        "digest": known.digest,
        "size": known.size,
        "facets": known.facets,
        "found": how if maker is not None else "not made here",
        "made_by": _show_job(store, maker) if maker is not None else {},
        "read_by": [
            f"{job['stage']}:{job['label']}#{job['job']}"
            for job in queries.jobs(store.db, path=stored)
            if job["job"] != maker
        ],
    }


def _by_stamp(store: Store, path: Path) -> tuple[int | None, str]:
    """Find the job of a file that was moved, by the stamps in its header."""
    try:
        stamps = read_stamps(path)
    except Hst123rError:
        return None, ""
    number = stamps.get("H123JOB", "").rpartition("#")[2]
    found = queries.jobs(store.db, job_id=int(number)) if number.isdecimal() else []
    # every work directory has a job of this number; the run's own name tells them apart
    uids = [run["uid"] for job in found for run in queries.runs(store.db, run_id=job["run"])]
    if stamps.get("H123RUN") not in uids:
        return None, ""
    return int(number), "by the stamps in its header"


def _stored_path(store: Store, path: Path) -> str:
    """Path as the store has it: relative to the work directory where it is inside it."""
    absolute = path.expanduser().absolute()
    if not absolute.exists() and (store.folder / path).exists():
        absolute = store.folder / path
    return store.contents.relative(str(absolute))


def exposures(workspace: Workspace) -> dict[str, Any]:
    """Return the exposures that the last run found: those in use, and those left out.

    Parameters
    ----------
    workspace : Workspace
        The work directory.

    Returns
    -------
    dict
        ``used`` and ``rejected``, lists of dicts.
    """
    from hst123r.products.exposure_table import row
    from hst123r.records.exposure import Exposure

    store = Store(workspace.folder, read_only=True)
    used = [
        row(
            Exposure.own(facts),
            facts["number"],
            facts["epoch_number"],
            made.product.labels,
        )
        for job in store.jobs.made(queries.latest_done(store.db, "exposures")).values()
        for made in job
        if made.product.kind == "exposure"
        for facts in [made.product.facts]
    ]
    jobs = [
        job_id
        for handler in ("fetch", "select")
        for job_id in queries.latest_done(store.db, handler)
    ]
    rejected = queries.rejects(store.db, jobs)
    return {"used": used, "rejected": rejected}


def explain(recipe: Recipe, workspace: Workspace, what: str) -> dict[str, Any]:
    """Say why a job would run or be reused, and why it ran when it last did.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory.
    what : str
        ``STAGE:LABEL``, or the path of a product.

    Returns
    -------
    dict
        ``job``, ``now`` and ``last``.

    Raises
    ------
    InputError
        If there is no such job.
    """
    jobs = {job.name: job for item in plan(recipe, workspace, Options()) for job in item.jobs}
    name = what if what in jobs else _job_of_file(workspace, what, jobs)
    planned = jobs[name]
    last = None
    if planned.record is not None:
        store = Store(workspace.folder, read_only=True)
        found = queries.jobs(store.db, job_id=planned.record.last_id)[0]
        last = {key: found[key] for key in ("job", "run", "started", "state", "reasons")}
    return {
        "job": name,
        "now": {
            "action": planned.decision.action.value,
            "reasons": [reason.text for reason in planned.decision.reasons],
        },
        "last": last,
    }


def _job_of_file(workspace: Workspace, what: str, jobs: dict[str, Planned]) -> str:
    if workspace.store.is_file():
        store = Store(workspace.folder, read_only=True)
        maker = queries.maker_of(store.db, _stored_path(store, Path(what)))
        if maker is not None:
            found = queries.jobs(store.db, job_id=maker)[0]
            name = f"{found['stage']}:{found['label']}"
            if name in jobs:
                return name
    raise InputError(
        f"the plan has no job, and the store no product, {what!r}; {did_you_mean(what, jobs)}"
    )
