"""Running a recipe in front of a person or a log: progress while it runs, a summary after."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import click

from hst123r.cli.progress import listener_for
from hst123r.cli.render import rejects, table
from hst123r.engine.hold import holding
from hst123r.engine.naming import placed
from hst123r.engine.options import Options
from hst123r.engine.planned import Planned, Progress
from hst123r.engine.report import Report
from hst123r.engine.run import Runner
from hst123r.engine.workspace import Workspace
from hst123r.errors import EnvironmentProblem, Hst123rError
from hst123r.products.anchors import ORIGINS
from hst123r.provenance.queries import without_job
from hst123r.provenance.store import Store
from hst123r.recipe.model import Recipe
from hst123r.records.outcome import Quality, State

MANY: Final = 8
"""Caveats of one stage with the same text, beyond which they are one line with their number."""
SHOWN: Final = 3


def run(recipe: Recipe, workspace: Workspace, options: Options, *, as_json: bool) -> int:
    """Run a recipe and show what it came to.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    workspace : Workspace
        Its work directory.
    options : Options
        What the user asked for.
    as_json : bool
        Print the summary as JSON.

    Returns
    -------
    int
        Exit code.
    """
    listener = listener_for()
    with holding(workspace) as store, listener:
        options.check_jobs(store.jobs.records())
        recipe = placed(recipe, workspace.folder, options)
        runner = Runner(recipe, workspace, store, options, listener)
        with ending_in_order(runner):
            report = runner.run()
        if (line := _say_where_from(workspace, store, report)) is not None:
            listener.said(line)
    if as_json:
        click.echo(json.dumps(_as_json(recipe, workspace, report), indent=2))
    else:
        _summary(workspace, report)
    return report.exit_code


def _say_where_from(workspace: Workspace, store: Store, report: Report) -> str | None:
    """Write the page that the report of a run leads to, where there is news; return what failed."""
    jobs = [job for item in report.progress for job in item.jobs]
    usable = [job for job in jobs if job.state in (State.DONE, State.REUSED)]
    if not any(made.product.kind == "report" for job in usable for made in job.made):
        return None
    from hst123r.sharing.origins_file import is_of, save

    page = workspace.folder / ORIGINS
    # `report` may have put that of another run there, and a run that was killed has left an old one
    if is_of(store, str(report.run_id), page):
        return None
    try:
        save(store, str(report.run_id), page)
    except EnvironmentProblem as error:
        return f"{ORIGINS} could not be written: {error}. `hst123r report` makes it"
    return None


@contextmanager
def ending_in_order(runner: Runner) -> Iterator[None]:
    """Let the first Ctrl-C, or a SIGTERM, end the run in order; a second Ctrl-C ends it at once.

    Parameters
    ----------
    runner : Runner
        The run.
    """

    def stop(number: int, _: FrameType | None) -> None:
        runner.stop()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def problems(report: Report) -> list[str]:
    """Return a sentence for everything that went wrong in a run.

    Parameters
    ----------
    report : Report
        What it came to.
    """
    return _problems(report)


def _summary(workspace: Workspace, report: Report) -> None:
    rows = []
    for item in report.progress:
        if item.skipped:
            continue
        states = Counter(job.state.value for job in item.jobs)
        qualities = Counter(job.quality.value for job in item.jobs if job.quality)
        counts = ", ".join(f"{count} {name}" for name, count in states.items())
        verdicts = ", ".join(
            f"{qualities[name.value]} {name.value}"
            for name in (Quality.CAVEAT, Quality.BAD)
            if qualities[name.value]
        )
        rows.append((item.instance.name, counts or _none(item), verdicts))
    table(("stage", "jobs", "quality"), rows)
    _left_out(report)
    for line in _caveats(report.caveats):
        click.echo(line)
    for line in _problems(report):
        click.echo(line, err=True)
    click.echo(f"run {report.run_id} {report.state} in {workspace.folder}")


def _caveats(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each caveat, and one for those of a stage that say the same of many."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        stage = row["job"].partition(":")[0]
        alike.setdefault((stage, row["text"]), []).append(row)
    for (stage, text), found in alike.items():
        if len(found) > MANY:
            names = [row["subject"] or row["job"].partition(":")[2] for row in found[:SHOWN]]
            yield f"caveat: {stage}, {len(found)} times ({', '.join(names)}, …): {text}"
            continue
        for row in found:
            about = f"{row['job']}, {row['subject']}" if row["subject"] else row["job"]
            yield f"caveat: {about}: {text}"


def _left_out(report: Report) -> None:
    """Show what this run left out; what earlier runs did is counted only."""
    if not report.left_out:
        return
    ran = {job.job_id for item in report.progress for job in item.jobs if job.state is State.DONE}
    click.echo(f"left out: {len(report.left_out)}")
    new = [row for row in report.left_out if row["job_id"] in ran]
    if new:
        rejects(new)


def _none(progress: Progress) -> str:
    if _follows(progress):
        return "not reached"
    if progress.error is not None:
        return "error"
    return "none" if progress.divided else "not reached"


def _follows(progress: Progress) -> bool:
    """Whether the error of a stage merely says that an earlier one has an error."""
    return type(progress.error) is Hst123rError


def _problems(report: Report) -> list[str]:
    lines = []
    # what merely follows from another error is one line, not one for each stage
    followed = [item.instance.name for item in report.progress if _follows(item)]
    for item in report.progress:
        if item.error is not None and item.instance.name not in followed:
            lines.append(f"hst123r: {item.instance.name}: {item.error}")
        lines += [f"hst123r: {j.name}: {j.error}" for j in item.jobs if j.state is State.FAILED]
        lines += [_blocked(job) for job in item.jobs if job.state is State.BLOCKED]
        for job in item.jobs:
            if job.quality is Quality.BAD:
                names = ", ".join(made.product.name for made in job.bad) or "its result"
                fate = {"use": "used all the same", "stop": "nothing goes on from it"}
                done = fate.get(item.instance.on_bad, "left out of what follows")
                lines.append(f"hst123r: {job.name}: {names} is bad, and {done}")
    if followed:
        lines.append(f"hst123r: not reached because of that: {', '.join(followed)}")
    return lines


def _blocked(job: Planned) -> str:
    why = "; ".join(reason.text for reason in job.decision.reasons)
    return f"hst123r: {job.name}: blocked, {why}"


def _as_json(recipe: Recipe, workspace: Workspace, report: Report) -> dict[str, Any]:
    return {
        "run": report.run_id,
        "recipe": recipe.name,
        "work_dir": str(workspace.folder),
        "state": report.state,
        "exit_code": report.exit_code,
        "left_out": [without_job(row) for row in report.left_out],
        "caveats": report.caveats,
        "stages": [
            {
                "stage": item.instance.name,
                "handler": item.stage.name,
                "error": None if item.error is None else str(item.error),
                "jobs": [
                    {
                        "label": job.job.label,
                        "labels": job.job.labels,
                        "state": job.state.value,
                        "quality": job.quality.value if job.quality else None,
                        "reasons": [r.text for r in job.decision.reasons],
                        "error": job.error or None,
                        "products": [
                            path for made in job.made for path in made.product.files.values()
                        ],
                    }
                    for job in item.jobs
                ],
            }
            for item in report.progress
            if not item.skipped
        ],
    }
