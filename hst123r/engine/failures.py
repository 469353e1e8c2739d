"""What came to nothing before a stage that tells of all jobs: whether it matters, and in words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypedDict

from hst123r.engine.planned import Planned, Progress
from hst123r.errors import Hst123rError
from hst123r.records.outcome import State


class Failure(TypedDict):
    """A job, or a whole stage, without a usable result."""

    job: str
    """``stage:label``, or the name of the stage."""
    state: str
    """``failed``, ``blocked``, ``bad``, ``error`` or ``not reached``."""
    why: str
    """A sentence, with what to try where that is known."""


def vital(
    progress: Progress, upstream: list[Progress], before: Callable[[str], list[Progress]]
) -> list[Progress]:
    """Return which of the stages before a stage keep it from running when they fail.

    One that tells of all jobs tells of failures, too, and needs no more than what it cannot do
    without; any other would make something else of less, without a word.

    Parameters
    ----------
    progress : Progress
        The stage.
    upstream : list of Progress
        All stages that it depends on, directly or through others.
    before : callable
        Takes the name of a stage, and returns all that it depends on.

    Returns
    -------
    list of Progress
        Of `upstream`.
    """
    if not progress.stage.wants_summaries:
        return upstream
    names = {
        name
        for need in progress.stage.needs
        if not need.optional
        for name in progress.instance.sources.get(need.kind, [])
    }
    names |= {source.instance.name for name in names for source in before(name)}
    return [source for source in upstream if source.instance.name in names]


def failures_of(sources: Iterable[Progress], folders: Mapping[str, str]) -> list[Failure]:
    """Tell of all that did not give a usable result, first what the rest follows from.

    Parameters
    ----------
    sources : iterable of Progress
        Stages that have settled.
    folders : mapping of str to str
        Absolute paths of folders, and what is said instead of them, because sentences end up in
        files that leave this machine.

    Returns
    -------
    list of Failure
        Jobs that failed, stages that could not be divided, bad results from which nothing goes on,
        and then what was blocked by any of these.
    """
    found: list[Failure] = []
    down: set[str] = set()
    for source in sources:
        name, its_own = source.instance.name, list(_of_stage(source))
        supply = {maker for makers in source.instance.sources.values() for maker in makers}
        if source.divided and not source.jobs and not its_own and supply & down:
            why = f"nothing for it to do was left by {', '.join(sorted(supply & down))}"
            its_own = [Failure(job=name, state="not reached", why=why)]
        if its_own:
            down.add(name)
        found += its_own
    for failure in found:
        for folder in sorted(folders, key=len, reverse=True):
            failure["why"] = failure["why"].replace(f"{folder}{os.sep}", "")
            failure["why"] = failure["why"].replace(folder, folders[folder])
    return sorted(found, key=lambda failure: failure["state"] in ("blocked", "not reached"))


def _of_stage(source: Progress) -> Iterator[Failure]:
    if source.error is not None:
        # of a stage that merely follows a broken one it is the bare class
        follows = type(source.error) is Hst123rError
        state = "not reached" if follows else "error"
        yield Failure(job=source.instance.name, state=state, why=str(source.error))
    for planned in source.jobs:
        if planned.state is State.FAILED:
            yield Failure(job=planned.name, state="failed", why=planned.error)
        elif planned.state is State.BLOCKED:
            yield Failure(job=planned.name, state="blocked", why=planned.decision.why)
        elif planned.bad and planned.instance.on_bad == "stop":
            yield Failure(job=planned.name, state="bad", why=_bad(planned))


def _bad(planned: Planned) -> str:
    names = ", ".join(item.product.name for item in planned.bad)
    return f"{names}: the result is bad, and the recipe says `on_bad: stop`"
