"""The nouns of a plan: one job with what is known of it, one stage with its jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hst123r.engine.decide import Action, Decision
from hst123r.engine.keys import Key
from hst123r.errors import Hst123rError
from hst123r.provenance.rows import Made, Record
from hst123r.recipe.model import Instance
from hst123r.recipe.resolve import Resolved
from hst123r.records.outcome import Quality, State
from hst123r.stage.contract import Job, Variant
from hst123r.stage.registry import AnyStage
from hst123r.stage.resources import Forecast

SETTLED = (State.DONE, State.REUSED, State.FAILED, State.BLOCKED, State.INTERRUPTED)


@dataclass(slots=True)
class Planned:
    """One job with what is known of it.

    Parameters
    ----------
    instance : Instance
        Its stage in the recipe.
    stage : Stage
        The stage.
    job : Job
        The job.
    resolved : Resolved
        Its parameters.
    key : Key
        Its key.
    decision : Decision
        What is to be done about it.
    record : Record or None
        The last attempts at it.
    made : list of Made
        Its products: those of the last done attempt until it has run.
    varied : list of (Variant, dict of str to str)
        The job's variants with the origins of their values.
    state : State
        How far it got in this run.
    quality : Quality or None
        Verdict on its result.
    job_id : int or None
        Row of the attempt that made its products.
    error : str
        Why it failed.
    exit_code : int
        What a failure ends the run with.
    forecast : Forecast or None
        What it will make and need, where its stage can tell.
    """

    instance: Instance
    stage: AnyStage
    job: Job
    resolved: Resolved
    key: Key
    decision: Decision
    record: Record | None
    made: list[Made]
    varied: list[tuple[Variant, dict[str, str]]] = field(default_factory=list)
    state: State = State.PLANNED
    quality: Quality | None = None
    job_id: int | None = None
    error: str = ""
    exit_code: int = 0
    forecast: Forecast | None = None

    @property
    def name(self) -> str:
        """``stage:label``, as commands take it."""
        return f"{self.instance.name}:{self.job.label}"

    @property
    def open(self) -> bool:
        """Whether it has to run, or may have to."""
        return self.state is State.PLANNED and self.decision.action in (Action.RUN, Action.MAYBE)

    @property
    def bad(self) -> list[Made]:
        """Products whose quality is bad."""
        return [item for item in self.made if item.product.quality is Quality.BAD]


@dataclass(slots=True)
class Progress:
    """A stage of the recipe with its jobs.

    Parameters
    ----------
    instance : Instance
        The stage in the recipe.
    stage : Stage
        The stage.
    jobs : list of Planned
        Its jobs, once it has been divided.
    divided : bool
        Whether it has been divided.
    error : Hst123rError or None
        Why it could not be divided.
    waits_for : list of str
        Names of stages whose products are not known yet, in a plan.
    skipped : bool
        Whether ``--until`` or ``--only`` leaves it out.
    """

    instance: Instance
    stage: AnyStage
    jobs: list[Planned] = field(default_factory=list)
    divided: bool = False
    error: Hst123rError | None = None
    waits_for: list[str] = field(default_factory=list)
    skipped: bool = False

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be done."""
        return self.skipped or (self.divided and all(job.state in SETTLED for job in self.jobs))


def conflict(one: dict[str, str], other: dict[str, str]) -> bool:
    """Whether two sets of labels cannot be about the same thing: a shared label differs."""
    return any(key in other and other[key] != value for key, value in one.items())


def summary(planned: Planned) -> dict[str, Any]:
    """Return a job as plain values, for stages that sum up.

    In a plan the result of the last run stands in for one still to be made.

    Parameters
    ----------
    planned : Planned
        The job.

    Returns
    -------
    dict
        ``job_id``, ``stage``, ``handler``, ``label``, ``labels``, ``state``, ``quality``.
    """
    quality = None if planned.quality is None else planned.quality.value
    state = planned.state.value
    if planned.state is State.REUSED:
        state = State.DONE.value
    elif planned.open and planned.job_id is not None and planned.record is not None:
        state, quality = State.DONE.value, planned.record.quality
    return {
        # of a blocked job that is an earlier attempt, of which nothing is to be told
        "job_id": None if planned.state is State.BLOCKED else planned.job_id,
        "stage": planned.instance.name,
        "handler": planned.stage.name,
        "label": planned.job.label,
        "labels": planned.job.labels,
        "state": state,
        "quality": quality,
    }
