"""What a run tells while it runs, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from hst123r.engine.planned import Planned, Progress
from hst123r.engine.tidings import Tiding


class Listener(Protocol):
    """Who wants to know what happens in a run."""

    def divided(self, progress: Progress) -> None:
        """Hear that a stage was divided into jobs, and what is to be done about each."""

    def started(self, planned: Planned) -> None:
        """Hear that a job started."""

    def ended(self, planned: Planned, seconds: float) -> None:
        """Hear that a job ended, and after how many seconds."""

    def moved(self, planned: Planned, tiding: Tiding) -> None:
        """Hear how far a running job has come."""

    def tick(self) -> None:
        """Hear that time has passed."""

    def said(self, message: str) -> None:
        """Hear something about the run as a whole."""


@dataclass(slots=True)
class Report:
    """What a run came to.

    Parameters
    ----------
    run_id : int
        Number of the run.
    state : str
        ``done``, ``failed`` or ``interrupted``.
    exit_code : int
        What the command ends with.
    progress : list of Progress
        The stages with their jobs.
    left_out : list of dict
        Every reject of its jobs, run or reused: ``job_id``, ``subject``, labels, ``code`` and
        ``reason``.
    caveats : list of dict
        Every caveat of its jobs, run or reused: ``job``, ``code``, ``text``, ``subject``.
    """

    run_id: int
    state: str
    exit_code: int
    progress: list[Progress] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    caveats: list[dict[str, Any]] = field(default_factory=list)
