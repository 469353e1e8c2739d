"""Progress on standard error: bars on a terminal, one plain line per event in a log."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from hst123r.engine.decide import Action
from hst123r.engine.planned import Planned, Progress
from hst123r.records.outcome import State

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


class Lines:
    """One line for each thing that happens, for logs and pipes."""

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

    def tick(self) -> None:
        """Do nothing: a log needs no clock."""

    def said(self, message: str) -> None:
        """Say something about the run."""
        self._line(message)

    @staticmethod
    def _line(text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


class Live:
    """A bar for each stage at work and a line for each running job, on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self.bars: Bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._stages: dict[str, TaskID] = {}
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
        """Show a bar for a stage that has work."""
        total = sum(job.decision.action is Action.RUN for job in progress.jobs)
        if total:
            name = progress.instance.name
            self._stages[name] = self.bars.add_task(name, total=total)

    def started(self, planned: Planned) -> None:
        """Show a running job."""
        self._jobs[planned.name] = self.bars.add_task(f"  [dim]{planned.job.label}[/]", total=None)

    def ended(self, planned: Planned, seconds: float) -> None:
        """Take a job off the screen; say so if it failed."""
        task = self._jobs.pop(planned.name, None)
        if task is not None:
            self.bars.remove_task(task)
        if planned.instance.name in self._stages:
            self.bars.advance(self._stages[planned.instance.name])
        if planned.state is State.FAILED:
            self.bars.console.print(
                f"{planned.name} failed after {seconds:.1f} s: {planned.error}", markup=False
            )

    def tick(self) -> None:
        """Do nothing: the bars have a clock of their own."""

    def said(self, message: str) -> None:
        """Print a line above the bars."""
        self.bars.console.print(message, markup=False)


def listener_for() -> Lines | Live:
    """Return bars where standard error is a terminal, and lines elsewhere."""
    return Live() if sys.stderr.isatty() else Lines()
