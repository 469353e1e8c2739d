"""Whether the stars of every exposure of a job are there."""

from __future__ import annotations

from hst123r.errors import InputError
from hst123r.stage.contract import Job


def all_measured(job: Job) -> None:
    """Demand that every exposure of a job comes with its stars.

    Parameters
    ----------
    job : Job
        A job with inputs ``exposure`` and ``stars``.

    Raises
    ------
    InputError
        If a stage `stars` was taken that did not measure all of them.
    """
    measured = {product.name for product in job.inputs["stars"]}
    missing = [p.name for p in job.inputs["exposure"] if p.name not in measured]
    if missing:
        raise InputError(
            f"the stars of {', '.join(missing)} were not measured",
            where=job.label,
            hint="Name in `uses` a stage `stars` that had these exposures",
        )
