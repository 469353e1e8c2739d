"""Showing a plan: action and reasons of every job, folded where they are the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from hst123r import errors
from hst123r.cli.render import table
from hst123r.engine.decide import Action
from hst123r.engine.dry import Outlook, outlook
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned, Progress
from hst123r.engine.workspace import Workspace
from hst123r.recipe.model import Recipe
from hst123r.stage.resources import Forecast, in_words

NAMES_SHOWN = 3


def show(recipe: Recipe, workspace: Workspace, options: Options, *, as_json: bool) -> int:
    """Make a plan, show it, and return the exit code.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory; it need not exist.
    options : Options
        What the user asked for.
    as_json : bool
        Print JSON.

    Returns
    -------
    int
        10 when there is work to do, 0 when there is none. Where nothing can be done since
        something is in the way, or the plan fails: what a run would end with.
    """
    found = outlook(recipe, workspace, options)
    stages = [item for item in found.progress if not item.skipped]
    if as_json:
        listed = [_as_json(item) for item in stages]
        shown = {
            "lock": _lock(found), "asks": found.asks, "downloads": _downloads(stages),
            "stages": listed,
        }  # fmt: skip
        click.echo(json.dumps(shown, indent=2))
    else:
        table(("stage", "jobs", "action", "why"), [row for item in stages for row in _rows(item)])
        if any((downloads := _downloads(stages)).values()):
            kept = downloads["exclusive"]
            more = f"; {kept} exposure{'s are' if kept != 1 else ' is'} exclusive" if kept else ""
            size = f"{downloads['bytes'] / 1e6:.1f} MB"
            click.echo(f"will fetch {downloads['files']} files, {size}{more}")
        for entry in found.asks:
            click.echo(f"will ask {entry['archive']} ({entry['server']}): {entry['what']}")
        _show_lock(found)
    if options.locked and found.unlike:
        click.echo("hst123r: not everything is as it was locked, and --locked is given", err=True)
        return errors.USER_INPUT
    for item in stages:
        if item.error is not None:
            click.echo(f"hst123r: {item.instance.name}: {item.error}", err=True)
            return item.error.exit_code
    jobs = [job for item in stages for job in item.jobs]
    to_do = (Action.RUN, Action.MAYBE)
    if any(item.waits_for for item in stages) or any(j.decision.action in to_do for j in jobs):
        return errors.WORK_TO_DO
    blocked = [job for job in jobs if job.decision.action is Action.BLOCKED]
    if not blocked:
        return errors.GOOD
    click.echo(f"hst123r: nothing can run, {len(blocked)} jobs are blocked", err=True)
    stopped = any(job.instance.on_bad == "stop" and job.bad for job in jobs)
    return errors.QUALITY if stopped else errors.USER_INPUT


def _rows(progress: Progress) -> list[tuple[str, str, str, str]]:
    name = progress.instance.name
    if progress.error is not None:
        return [(name, "?", "error", progress.error.message)]
    groups: dict[tuple[str, tuple[str, ...]], list[Planned]] = {}
    for job in progress.jobs:
        why = tuple(reason.text for reason in job.decision.reasons)
        groups.setdefault((job.decision.action.value, why), []).append(job)
    rows = []
    for (action, why), jobs in groups.items():
        about = f" {_named([job.job.label for job in jobs])}" if len(groups) > 1 else ""
        rows.append((name, str(len(jobs)), action, "; ".join(why) + about))
    rows += [(name, "", "", text) for text in _sizes(progress.jobs)]
    if progress.waits_for:
        many = len(progress.waits_for) > NAMES_SHOWN + 1
        names = "everything before it" if many else ", ".join(progress.waits_for)
        when = f"divided into jobs when {names} is done"
        rows.append((name, "?" if not rows else "+ ?", "later", when))
    return rows or [(name, "0", "", "nothing to do")]


def _sizes(jobs: list[Planned]) -> Iterator[str]:
    """Yield what the jobs to run will make and need: all in one line, those refused in another."""
    to_do = [job for job in jobs if job.decision.action in (Action.RUN, Action.MAYBE)]
    told = [(job.job.label, job.forecast) for job in to_do if job.forecast is not None]
    for refused in (False, True):
        some = [(label, one) for label, one in told if bool(one.refused) is refused]
        if some:
            about = "" if len(some) == len(told) else f" {_named([label for label, _ in some])}"
            yield in_words([one for _, one in some]) + about


def _named(labels: list[str]) -> str:
    more = ", …" if len(labels) > NAMES_SHOWN else ""
    return f"[{', '.join(labels[:NAMES_SHOWN])}{more}]"


def _downloads(stages: list[Progress]) -> dict[str, int]:
    """Return what an archive's list says of the files that are to be fetched."""
    from hst123r.stages.fetch import WITHHELD

    sums = {"files": 0, "bytes": 0, "exclusive": 0}
    for job in (job for item in stages for job in item.jobs):
        notes, to_do = job.job.notes, job.decision.action in (Action.RUN, Action.MAYBE)
        if "sizes" in notes and to_do:
            sums["files"] += len(notes["sizes"])
            sums["bytes"] += sum(size or 0 for size in notes["sizes"].values())
            sums["exclusive"] += not notes["public"]
        elif WITHHELD in job.job.arguments:
            sums["exclusive"] += len(job.job.arguments[WITHHELD])
    return sums


def _lock(found: Outlook) -> dict[str, Any]:
    return {
        "path": None if found.lock is None else str(found.lock),
        "unlike": [
            {"section": item.section, "name": item.name, "text": item.text} for item in found.unlike
        ],
    }


def _show_lock(found: Outlook) -> None:
    for line in found.told:
        click.echo(line, err=True)
    if found.lock is None:
        click.echo("not locked; a run that goes well writes the lock")
        return
    verdict = "not as it was locked:" if found.unlike else "everything is as it was locked"
    click.echo(f"locked by {found.lock.name}; {verdict}")
    for item in found.unlike:
        click.echo(f"  {item}")


def _forecast(forecast: Forecast) -> dict[str, Any]:
    return {
        "shape": list(forecast.shape),
        "memory_mb": round(forecast.memory_mb),
        "disk_mb": round(forecast.disk_mb, 1),
        "scratch_mb": round(forecast.scratch_mb, 1),
    }


def _as_json(progress: Progress) -> dict[str, Any]:
    return {
        "stage": progress.instance.name,
        "handler": progress.stage.name,
        "implied": progress.instance.implied,
        "waits_for": progress.waits_for,
        "error": None if progress.error is None else str(progress.error),
        "actions": dict(Counter(job.decision.action.value for job in progress.jobs)),
        "jobs": [
            {
                "label": job.job.label,
                "labels": job.job.labels,
                "action": job.decision.action.value,
                "forecast": None if job.forecast is None else _forecast(job.forecast),
                "reasons": [
                    {"code": reason.code.value, "text": reason.text}
                    for reason in job.decision.reasons
                ],
            }
            for job in progress.jobs
        ],
    }
