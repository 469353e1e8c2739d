"""Answers to the questions of the command line: explain, show, exposures."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from hst123r.engine.dry import plan
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned
from hst123r.engine.trace import by_stamp, stored_path
from hst123r.engine.workspace import Workspace
from hst123r.errors import InputError, closest
from hst123r.provenance import known, queries
from hst123r.provenance.reading import reading
from hst123r.provenance.store import Store
from hst123r.recipe.model import Recipe

EXAMPLES: Final = 3


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
    with reading(folder) as store:
        if what.isdecimal():
            return _show_run(store, int(what))
        if what.startswith("#") and what[1:].isdecimal():
            return _show_job(store, int(what[1:]))
        stage, colon, label = what.partition(":")
        found = queries.jobs(store.db, stage=stage, label=label) if colon else []
        if found:
            return _show_job(store, found[-1]["job"])
        if Path(what).expanduser().exists() or "/" in what:
            return _show_file(store, Path(what).expanduser())
        raise _unknown(f"there is no run, job or file {what!r}", what, known.job_names(store.db))


def _unknown(message: str, what: str, names: list[str]) -> InputError:
    """Return the error about a word, with what could have been meant."""
    stage, _, label = what.partition(":")
    # of a job its label alone, or with a stage that has none of that label
    of_label = [name for name in names if name.partition(":")[2] == (label or stage)]
    close = closest(what, names) or next(iter(of_label), None)
    if close is not None:
        return InputError(f"{message}; did you mean {close!r}?")
    of_stage = [name for name in names if name.startswith(f"{stage}:")]
    more = ", …" if len(of_stage) > EXAMPLES else ""
    hint = f"Jobs of this stage are {', '.join(of_stage[:EXAMPLES])}{more}"
    return InputError(message, hint=hint if of_stage else "See `hst123r history`")


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
    stored = stored_path(store, path)
    actual = Path(store.contents.absolute(stored))
    maker = queries.maker_of(store.db, stored)
    if actual.is_dir():
        raise InputError("this is a folder; name a file in it", where=str(path))
    content = store.contents.look(str(actual))
    if content is None:
        if maker is None:
            raise InputError("there is no such file, and the store knows none", where=str(path))
        return {"file": str(path), "state": "missing", "made_by": _show_job(store, maker)}
    how = "by its path"
    if maker is None:
        maker, how = by_stamp(store, actual), "by the stamps in its header"
    return {
        "file": stored,
        "digest": content.digest,
        "size": content.size,
        "facets": content.facets,
        "found": how if maker is not None else "not made here",
        "made_by": _show_job(store, maker) if maker is not None else {},
        "read_by": [
            f"{job['stage']}:{job['label']}#{job['job']}"
            for job in queries.jobs(store.db, path=stored)
            if job["job"] != maker
        ],
    }


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

    with reading(workspace.folder) as store:
        left_out = queries.rejects(
            store.db,
            [
                job_id
                for handler in ("fetch", "select")
                for job_id in queries.latest_done(store.db, handler)
            ],
        )
        by_root = {found["subject"]: found["job_id"] for found in left_out}
        used = [
            row(Exposure.own(facts), facts["number"], facts["epoch_number"], made.product.labels)
            for job_id, job in store.jobs.made(queries.latest_done(store.db, "exposures")).items()
            for made in job
            # what a later selection left out is in use no more, though the table still has it
            if made.product.kind == "exposure" and by_root.get(made.product.name, 0) <= job_id
            for facts in [made.product.facts]
        ]
    roots = {found["root"] for found in used}
    rejected = [queries.without_job(row) for row in left_out if row["subject"] not in roots]
    return {"used": used, "rejected": rejected}


def explain(
    recipe: Recipe, workspace: Workspace, what: str, before: Recipe | None = None
) -> dict[str, Any]:
    """Say why a job would run or be reused, and why it ran when it last did.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory.
    what : str
        ``STAGE:LABEL``, or the path of a product.
    before : Recipe, optional
        The recipe without ``--set``, to tell what that changes.

    Returns
    -------
    dict
        ``job``, ``now``, ``last``, and ``changes``: every job of which a run would do something
        else than with the recipe before, empty without one.

    Raises
    ------
    InputError
        If there is no such job.
    """
    jobs = _planned(recipe, workspace)
    name = what if what in jobs else _job_of_file(workspace, what, jobs)
    planned = jobs[name]
    last = None
    if planned.record is not None:
        with reading(workspace.folder) as store:
            found = queries.jobs(store.db, job_id=planned.record.last_id)[0]
        last = {key: found[key] for key in ("job", "run", "started", "state", "reasons")}
    return {
        "job": name,
        "now": {
            "action": planned.decision.action.value,
            "reasons": [reason.text for reason in planned.decision.reasons],
        },
        "last": last,
        "changes": [] if before is None else _changes(jobs, _planned(before, workspace)),
    }


def _planned(recipe: Recipe, workspace: Workspace) -> dict[str, Planned]:
    return {job.name: job for item in plan(recipe, workspace, Options()) for job in item.jobs}


def _changes(now: dict[str, Planned], before: dict[str, Planned]) -> list[dict[str, Any]]:
    """Return the jobs whose action or reasons differ between two plans, those of now first."""
    changed = []
    for name in [*now, *(name for name in before if name not in now)]:
        here, there = now.get(name), before.get(name)
        texts = [
            [] if job is None else [reason.text for reason in job.decision.reasons]
            for job in (here, there)
        ]
        actions = [None if job is None else job.decision.action.value for job in (here, there)]
        if actions[0] != actions[1] or texts[0] != texts[1]:
            changed.append(
                {"job": name, "before": actions[1], "now": actions[0], "reasons": texts[0]}
            )
    return changed


def _job_of_file(workspace: Workspace, what: str, jobs: dict[str, Planned]) -> str:
    if workspace.store.is_file():
        with reading(workspace.folder) as store:
            maker = queries.maker_of(store.db, stored_path(store, Path(what)))
            found = [] if maker is None else queries.jobs(store.db, job_id=maker)
        for job in found:
            name = f"{job['stage']}:{job['label']}"
            if name in jobs:
                return name
            raise InputError(
                f"{name} made this file, and this recipe has no such job now", where=what
            )
    raise _unknown(f"the plan has no job, and the store no product, {what!r}", what, list(jobs))
