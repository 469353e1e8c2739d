"""Running jobs in processes of this machine, admitted by cores and by memory."""

from __future__ import annotations

import selectors
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hst123r.engine.environment import memory_mb
from hst123r.errors import EnvironmentProblem
from hst123r.external.template import IMPORTED, Ended, Template
from hst123r.stage.resources import Cores

CALL: Final = "hst123r.engine.worker:main"
WARM: Final = "hst123r.engine.worker:warm"
SHARE: Final = 0.9
"""Fraction of the available memory that jobs may plan with."""


@dataclass(frozen=True, slots=True)
class _Running:
    template: tuple[str, ...]
    memory_mb: float
    stage: str = ""
    cores: int = 1


class Pool:
    """Starts jobs and reports those that ended.

    Parameters
    ----------
    jobs : int
        How many may run at once, and how many cores they have together.
    logs : Path
        Folder for the logs of the template processes.
    """

    def __init__(self, jobs: int, logs: Path) -> None:
        self.jobs = jobs
        self.logs = logs
        self.memory_mb = memory_mb() * SHARE
        self._templates: dict[tuple[str, ...], Template] = {}
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, _Running] = {}

    @property
    def running(self) -> int:
        """Number of jobs running."""
        return len(self._running)

    @property
    def _cores(self) -> int:
        return sum(item.cores for item in self._running.values())

    def cores_for(self, wanted: Cores, needed_mb: float, waiting: int) -> int:
        """Return how many cores a job that starts now gets: what nobody else has a use for.

        Parameters
        ----------
        wanted : Cores
            The most it can use, and what each takes.
        needed_mb : float
            Its estimated peak memory with one core.
        waiting : int
            Jobs that could start beside it; each is left a core.

        Returns
        -------
        int
            At least 1.
        """
        found = min(wanted.most, self.jobs - self._cores - waiting)
        if wanted.memory_mb > 0:
            used = sum(item.memory_mb for item in self._running.values())
            found = min(found, 1 + int((self.memory_mb - used - needed_mb) // wanted.memory_mb))
        return max(1, found)

    def prepare(self, modules: tuple[str, ...]) -> tuple[str, ...]:
        """Start importing what later jobs need, while others run, if no process has it all.

        Parameters
        ----------
        modules : tuple of str
            Modules, as stages name them.

        Returns
        -------
        tuple of str
            Modules of the process that will do: these, or more.
        """
        if modules in self._templates:
            return modules
        # importing once more costs more than what a job does not need of a larger process
        for larger in self._templates:
            if set(modules) <= set(larger):
                return larger
        template = Template((*modules, WARM), self.logs / "template.log")
        self._templates[modules] = template
        self._selector.register(template.socket, selectors.EVENT_READ, modules)
        return modules

    def has_room(self, needed_mb: float, at_once: int = 0, stage: str = "") -> bool:
        """Whether a job can start now; a job too large for the machine runs alone.

        Parameters
        ----------
        needed_mb : float
            Its estimated peak memory.
        at_once : int
            How many of its stage may run at once if they only wait for the network, fewer or more
            than the number of jobs; 0 for those that count as jobs.
        stage : str
            The stage.
        """
        if not self._running:
            return True
        used = sum(item.memory_mb for item in self._running.values())
        if at_once:
            same = sum(item.stage == stage for item in self._running.values())
            free = same < at_once
        else:
            free = self._cores < self.jobs
        return free and used + needed_mb <= self.memory_mb

    def start(
        self, job_id: int, modules: tuple[str, ...], folder: Path, log: Path, needed_mb: float,
        stage: str = "", cores: int = 1,
    ) -> None:  # fmt: skip
        """Start a job whose order lies in a folder.

        Parameters
        ----------
        job_id : int
            Row of the attempt.
        modules : tuple of str
            What its template has imported.
        folder : Path
            The attempt's scratch directory.
        log : Path
            The job's log.
        needed_mb : float
            Its estimated peak memory.
        stage : str
            Its stage.
        cores : int
            How many it may use.
        """
        modules = self.prepare(modules)
        self._running[job_id] = _Running(modules, needed_mb, stage, cores)
        argument = {"folder": str(folder)}
        self._templates[modules].start(job_id, CALL, argument, folder / "work", log)

    def wait(self, timeout: float) -> list[Ended]:
        """Return the jobs that ended, waiting for one if need be.

        Parameters
        ----------
        timeout : float
            Longest wait in seconds.

        Raises
        ------
        EnvironmentProblem
            If a template process died, which takes its jobs with it.
        """
        ended: list[Ended] = []
        for key, _ in self._selector.select(timeout):
            template = self._templates[key.data]
            reports = template.receive()
            if reports is None:
                self._selector.unregister(template.socket)
                del self._templates[key.data]
                template.close()
                last = _last_line(template.log)
                raise EnvironmentProblem(
                    "the process that starts the jobs has died" + (f": {last}" if last else ""),
                    where=str(template.log),
                    hint="`hst123r doctor` looks for what is missing; nothing is lost, run again",
                )
            ended += reports
        for report in ended:
            self._running.pop(report.id, None)
        return ended

    def close(self) -> None:
        """End all processes, running jobs included."""
        self._selector.close()
        for template in self._templates.values():
            template.close()
        self._templates.clear()
        self._running.clear()


def _last_line(log: Path) -> str:
    """Return what a template said last, if that was a complaint."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines and not lines[-1].startswith(IMPORTED) else ""


def cause_of_death(ended: Ended, limit_mb: float) -> str:
    """Say why a job ended without a result.

    Parameters
    ----------
    ended : Ended
        How it ended.
    limit_mb : float
        Memory jobs could plan with.

    Returns
    -------
    str
        A sentence.
    """
    peak = f"its peak memory was {ended.peak_memory_mb:.0f} MB"
    if ended.exit_code == -signal.SIGKILL:
        return (
            f"killed by the system, probably for want of memory: {peak}, and {limit_mb:.0f} MB "
            "were free when the run began. Run fewer jobs at a time with --jobs"
        )
    if ended.exit_code < 0:
        name = signal.Signals(-ended.exit_code).name
        return f"the process was ended by {name}; {peak}. Its log may say more"
    return f"the process ended with code {ended.exit_code} and no result; its log says why"
