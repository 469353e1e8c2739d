"""Connecting the stages of a recipe: who supplies what, and what has to be inserted."""

from __future__ import annotations

from hst123r.errors import did_you_mean
from hst123r.recipe.model import Instance
from hst123r.recipe.problem import Problem
from hst123r.stage import registry
from hst123r.stage.contract import Need


def connect(given: list[Instance], select: Instance) -> tuple[list[Instance], list[Problem]]:
    """Connect stages by the kinds of products they need and make.

    A need is supplied by the latest earlier stage that makes the kind, or by the one that
    ``uses`` names. Where no earlier stage makes a required kind, its implied maker is inserted.

    Parameters
    ----------
    given : list of Instance
        The stages of the recipe, in order.
    select : Instance
        The instance to insert where the stage `select` is implied.

    Returns
    -------
    list of Instance
        All stages in order, with their sources set.
    list of Problem
        What cannot be connected.
    """
    connector = _Connector(select)
    for instance in given:
        connector.add(instance, instance)
    return connector.placed, connector.problems


class _Connector:
    def __init__(self, select: Instance) -> None:
        self.select = select
        self.placed: list[Instance] = []
        self.problems: list[Problem] = []

    def add(self, instance: Instance, asked_by: Instance) -> None:
        for name, place in zip(instance.uses, instance.uses_places, strict=True):
            if name not in {item.name for item in self.placed}:
                known = [item.name for item in self.placed]
                message = f"no earlier stage is called {name!r}, {did_you_mean(name, known)}"
                self.problems.append(Problem(*place, f"{instance.path}.uses", message))
        for need in registry.get(instance.stage).needs:
            makers = self._makers(need, instance)
            if not makers and not need.optional:
                self._supply(need, asked_by)
                makers = self._makers(need, instance)
            instance.sources[need.kind] = [maker.name for maker in makers]
        self.placed.append(instance)

    def _makers(self, need: Need, instance: Instance) -> list[Instance]:
        makers = [item for item in self.placed if need.kind in registry.get(item.stage).makes]
        chosen = [item for item in makers if item.name in instance.uses]
        if chosen:
            return chosen
        return makers if need.every else makers[-1:]

    def _supply(self, need: Need, asked_by: Instance) -> None:
        stage = registry.implied_maker(need.kind)
        if stage is None:
            # one that makes of it what it was given is no beginning
            makers = [
                name
                for name in registry.names()
                if need.kind in registry.get(name).makes
                and all(need.kind != own.kind for own in registry.get(name).needs)
            ]
            message = (
                f"needs a product of kind {need.kind!r} that no earlier stage makes; "
                f"put {' or '.join(makers) or 'a stage that makes it'} before it"
            )
            if all(problem.message != message for problem in self.problems):
                self.problems.append(Problem(*asked_by.place, asked_by.path, message))
            return
        if stage.name == self.select.stage:
            self.add(self.select, asked_by)
        else:
            self.add(Instance(name=stage.name, stage=stage.name, implied=True), asked_by)
