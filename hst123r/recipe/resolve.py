"""The value of every parameter, and where it came from.

Precedence, lowest first: stage default, detector suggestion, recipe, ``for:`` block, ``--set``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hst123r import instruments
from hst123r.recipe.model import Instance
from hst123r.records.params import Params
from hst123r.stage import registry


@dataclass(frozen=True, slots=True)
class Resolved:
    """Checked parameters of one stage for one detector and filter.

    Parameters
    ----------
    params : Params
        The parameters.
    values : dict
        The same as plain JSON values.
    origins : dict of str to str
        Origin of each parameter.
    """

    params: Params
    values: dict[str, Any]
    origins: dict[str, str]


def resolve(
    instance: Instance, detector: str | None = None, filter_name: str | None = None
) -> Resolved:
    """Resolve the parameters of a stage.

    Parameters
    ----------
    instance : Instance
        The stage in its recipe.
    detector, filter_name : str, optional
        What a job is about; they choose suggestions and ``for:`` blocks.

    Returns
    -------
    Resolved
        Values with origins.
    """
    model = registry.get(instance.stage).params
    values: dict[str, Any] = {}
    origins = dict.fromkeys(model.names(), "stage default")
    if detector is not None:
        suggestion = instruments.get(detector).stages.get(instance.stage)
        suggested = suggestion.parameters if suggestion is not None else {}
        values.update(suggested)
        origins.update(dict.fromkeys(suggested, f"detector {detector}"))
    values.update(instance.values)
    origins.update(instance.origins)
    for block in instance.blocks:
        if block.covers(detector, filter_name):
            values.update(block.values)
            origins.update(block.origins)
    values.update(instance.overrides)
    origins.update(dict.fromkeys(instance.overrides, "--set"))
    params = model.model_validate(values)
    return Resolved(params, params.as_json(), origins)
