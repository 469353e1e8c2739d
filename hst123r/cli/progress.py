"""Progress on standard error: bars on a terminal, one plain line per event in a log."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import click

from hst123r.engine.decide import Action
from hst123r.engine.planned import Planned, Progress
from hst123r.engine.tidings import Tiding
from hst123r.records.outcome import State

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


EVERY_S: Final = 30.0
"""Seconds between two lines about one download."""


class Lines:
    """One line for each thing that happens, for logs and pipes."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace

    def divided(self, progress: Progress) -> None:
        """Say how many jobs a stage has."""
        actions = Counter(job.decision.action for job in progress.jobs)
        words = {
            Action.RUN: "to run", Action.REUSE: "up to date", Action.BLOCKED: "blocked",
            Action.MAYBE: "open",
        }  # fmt: skip
        counts = ", ".join(f"{count} {words[action]}" for action, count in actions.items())
        if progress.error is None and actions and set(actions) != {Action.REUSE}:
            self._line(f"{progress.instance.name}: {counts}")

    def started(self, planned: Planned) -> None:
        """Say that a job started, and why."""
        why = "; ".join(reason.text for reason in planned.decision.reasons)
        self._line(f"{planned.name}: started ({why})")

    def ended(self, planned: Planned, seconds: float) -> None:
        """Say how a job ended."""
        if planned.state is State.FAILED:
            self._line(f"{planned.name}: failed: {planned.error}")
            return
        quality = planned.quality.value if planned.quality else ""
        self._line(f"{planned.name}: done in {seconds:.1f} s, {quality}")

    def moved(self, planned: Planned, tiding: Tiding) -> None:
        """Say now and then how far a long download has come."""
        now = time.monotonic()
        if now < self._next.setdefault(planned.name, now + EVERY_S):
            return
        self._next[planned.name] = now + EVERY_S
        of = "" if tiding.total is None else f" of {tiding.total / 1e6:.1f}"
        self._line(f"{planned.name}: {tiding.name}: {tiding.done / 1e6:.1f}{of} MB")

    def tick(self) -> None:
        """Do nothing: a log needs no clock."""

    def said(self, message: str) -> None:
        """Say something about the run."""
        self._line(message)

    @staticmethod
    def _line(text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


@dataclass(slots=True)
class _Stage:
    """The bar of a stage: its task, its jobs, and the bytes of a stage that fetches."""

    task: TaskID
    jobs: int
    size: int
    ended: int = 0
    bytes: int = 0
    coming: dict[str, dict[str, int]] = field(default_factory=dict)


def _size(planned: Planned) -> int:
    """Bytes that a job will fetch, 0 for all other jobs."""
    return sum(size or 0 for size in planned.job.notes.get("sizes", {}).values())


class Live:
    """A bar for each stage at work and a line for each running job, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self.bars: Bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._stages: dict[str, _Stage] = {}
        self._jobs: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self.bars.stop()

    def divided(self, progress: Progress) -> None:
        """Show a bar for a stage that has work; of a stage that fetches it is about bytes."""
        work = [job for job in progress.jobs if job.decision.action is Action.RUN]
        if work:
            name = progress.instance.name
            size = sum(map(_size, work))
            task = self.bars.add_task(name, total=size or len(work), count="")
            self._stages[name] = _Stage(task, len(work), size)
            self._show(name)

    def started(self, planned: Planned) -> None:
        """Show a running job."""
        label = f"  [dim]{planned.job.label}[/]"
        self._jobs[planned.name] = self.bars.add_task(label, total=None, count="")

    def moved(self, planned: Planned, tiding: Tiding) -> None:
        """Show how far a download has come, and all of them together."""
        task, stage = self._jobs.get(planned.name), self._stages.get(planned.instance.name)
        if task is None or stage is None:
            return
        of = "" if tiding.total is None else f" of {tiding.total / 1e6:.1f}"
        self.bars.update(
            task, description=f"  [dim]{tiding.name}[/]", total=tiding.total,
            completed=tiding.done, count=f"{tiding.done / 1e6:.1f}{of} MB",
        )  # fmt: skip
        stage.coming.setdefault(planned.name, {})[tiding.name] = tiding.done
        self._show(planned.instance.name)

    def ended(self, planned: Planned, seconds: float) -> None:
        """Take a job off the screen; say so if it failed."""
        task = self._jobs.pop(planned.name, None)
        if task is not None:
            self.bars.remove_task(task)
        stage = self._stages.get(planned.instance.name)
        if stage is not None:
            stage.coming.pop(planned.name, None)
            stage.ended += 1
            stage.bytes += _size(planned)
            self._show(planned.instance.name)
        if planned.state is State.FAILED:
            self.bars.console.print(
                f"{planned.name} failed after {seconds:.1f} s: {planned.error}", markup=False
            )

    def _show(self, name: str) -> None:
        stage = self._stages[name]
        count = f"{stage.ended}/{stage.jobs}"
        done = stage.ended
        if stage.size:
            coming = sum(sum(files.values()) for files in stage.coming.values())
            # what an archive lists is not always what it sends
            done = min(stage.size, stage.bytes + coming)
            count += f", {done / 1e6:.1f} of {stage.size / 1e6:.1f} MB"
        self.bars.update(stage.task, completed=done, count=count)

    def tick(self) -> None:
        """Do nothing: the bars have a clock of their own."""

    def said(self, message: str) -> None:
        """Print a line above the bars."""
        # what ended just now is gone from the screen first, or its bars stay above the line
        self.bars.refresh()
        self.bars.console.print(message, markup=False)


def listener_for() -> Lines | Live:
    """Return bars where standard error is a terminal, and lines elsewhere."""
    return Live() if sys.stderr.isatty() else Lines()
