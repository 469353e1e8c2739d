"""One entry of a recipe's ``stages:`` list, from located text to a checked instance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from hst123r.errors import did_you_mean
from hst123r.recipe.blocks import read_blocks
from hst123r.recipe.model import INSTANCE_PATTERN, Instance
from hst123r.recipe.origins import places_of
from hst123r.recipe.problem import Problem
from hst123r.recipe.text import Located
from hst123r.recipe.validate import check, show
from hst123r.stage import registry

ON_BAD: Final = ("stop", "exclude", "use")
FOR: Final = "for"
RESERVED: Final = "adopted"
"""What `hst123r adopt` has in the place of a stage."""
COMMON: Final = ("name", FOR, "on_bad", "uses")
"""Keys every stage understands, beside its own parameters."""


class StageEntry:
    """Reads one entry and collects what is wrong with it.

    Parameters
    ----------
    tree : Located
        The entry.
    path : str
        Its path, e.g. ``stages[3]``; empty for a stage at the top level of the recipe, which
        takes parameters and ``for`` only.
    file : str
        Name of the recipe file, for origins.
    targets : sequence of str, optional
        Names of the recipe's targets.
    """

    def __init__(
        self, tree: Located, path: str, file: str, targets: Sequence[str] | None = None
    ) -> None:
        self.tree = tree
        self.path = path
        self.file = file
        self.targets = targets
        self.common = COMMON if path else (FOR,)
        self.problems: list[Problem] = []

    def read(self) -> Instance | None:
        """Return the instance, or None when the entry cannot be understood at all."""
        found = self._stage()
        if found is None:
            return None
        stage_name, body = found
        self.path = f"{self.path}.{stage_name}".lstrip(".")
        stage = registry.get(stage_name)
        own = Located(
            {key: node for key, node in body.value.items() if key not in COMMON},
            body.line,
            body.column,
            body.keys,
        )
        instance = Instance(
            name=stage_name,
            stage=stage_name,
            values=own.plain(),
            origins=places_of(own, self.file),
            path=self.path,
            place=(self.tree.line, self.tree.column),
        )
        self._common(body, instance)
        self._unknown(own, [*stage.params.names(), *self.common])
        known = {
            key: value for key, value in instance.values.items() if key in stage.params.names()
        }
        self.problems += check(stage.params, own, known, self.path, self.targets)[1]
        if FOR in body.value:
            instance.blocks, problems = read_blocks(
                body.value[FOR], f"{self.path}.{FOR}", self.file, stage, known, self.targets
            )
            self.problems += problems
        return instance

    def _stage(self) -> tuple[str, Located] | None:
        tree = self.tree
        example = "write for example `- drizzle: {pixfrac: 0.8}`"
        if not isinstance(tree.value, dict):
            what = f"a stage is a mapping with one key, {example}"
            if isinstance(tree.value, str) and tree.value in registry.names():
                what = f"write `- {tree.value}: {{}}`, a stage is a mapping with one key"
            self._problem(tree, "", what)
            return None
        if len(tree.value) != 1:
            keys = ", ".join(tree.value) or "none"
            self._problem(tree, "", f"a stage has one key, its name; here are {keys}; {example}")
            return None
        (name, body), *_ = tree.value.items()
        if name not in registry.names():
            line, column = tree.keys[name]
            what = f"there is no stage {name!r}, {did_you_mean(name, registry.names())}"
            self.problems.append(Problem(line, column, f"{self.path}.{name}", what))
            return None
        if body.value is None:
            body = Located({}, body.line, body.column, {})
        if not isinstance(body.value, dict):
            self._problem(body, f".{name}", "parameters of a stage are a mapping")
            return None
        return name, body

    def _common(self, body: Located, instance: Instance) -> None:
        for key in COMMON:
            if key in body.value and key not in self.common:
                line, column = body.keys[key]
                what = f"stands with stages only; write `- {instance.stage}: …` under `stages`"
                self.problems.append(Problem(line, column, f"{self.path}.{key}", what))
        name, on_bad, uses = (body.value.get(key) for key in ("name", "on_bad", "uses"))
        if name is not None:
            if name.value == RESERVED:
                self._problem(name, ".name", f"{RESERVED} is kept for files made elsewhere")
            elif isinstance(name.value, str) and re.fullmatch(INSTANCE_PATTERN, name.value):
                instance.name = name.value
            else:
                what = "is no stage name; use lower-case letters, digits, - and _"
                self._problem(name, ".name", f"{show(name.plain())} {what}")
        if on_bad is not None:
            if on_bad.value in ON_BAD:
                instance.on_bad = on_bad.value
            else:
                what = f"{show(on_bad.plain())} is not one of {', '.join(ON_BAD)}"
                self._problem(on_bad, ".on_bad", what)
        if uses is not None:
            nodes = uses.value if isinstance(uses.value, list) else [uses]
            if nodes and all(isinstance(node.value, str) for node in nodes):
                instance.uses = [node.value for node in nodes]
                instance.uses_places = [(node.line, node.column) for node in nodes]
            else:
                self._problem(uses, ".uses", "give the name of an earlier stage, or a list")

    def _unknown(self, tree: Located, known: Sequence[str]) -> None:
        for key in tree.value:
            if key not in known:
                message = f"unknown parameter, {did_you_mean(key, known)}"
                self.problems.append(Problem(*tree.keys[key], f"{self.path}.{key}", message))

    def _problem(self, tree: Located, inner: str, message: str) -> None:
        path = (self.path + inner).lstrip(".")
        self.problems.append(Problem(tree.line, tree.column, path, message))


def known_values(instance: Instance) -> dict[str, Any]:
    """Return what an instance was given, without keys that are no parameter of its stage."""
    names = registry.get(instance.stage).params.names()
    given = {**instance.values, **instance.overrides}
    return {key: value for key, value in given.items() if key in names}
