"""One entry of a recipe's ``stages:`` list, from located text to a checked instance."""

from __future__ import annotations

import re
from typing import Any, Final

from hst123r import instruments
from hst123r.errors import InputError, did_you_mean
from hst123r.recipe.model import INSTANCE_PATTERN, Block, Instance
from hst123r.recipe.problem import Problem
from hst123r.recipe.text import Located
from hst123r.recipe.validate import check
from hst123r.records.params import Params
from hst123r.stage import registry

ON_BAD: Final = ("stop", "exclude", "use")
COMMON: Final = ("name", "for", "on_bad", "uses")
"""Keys every stage understands, beside its own parameters."""


class StageEntry:
    """Reads one entry and collects what is wrong with it.

    Parameters
    ----------
    tree : Located
        The entry.
    path : str
        Its path, e.g. ``stages[3]``.
    file : str
        Name of the recipe file, for origins.
    """

    def __init__(self, tree: Located, path: str, file: str) -> None:
        self.tree = tree
        self.path = path
        self.file = file
        self.problems: list[Problem] = []

    def read(self) -> Instance | None:
        """Return the instance, or None when the entry cannot be understood at all."""
        found = self._stage()
        if found is None:
            return None
        stage_name, body = found
        self.path = f"{self.path}.{stage_name}"
        values, origins = self._values(body)
        instance = Instance(name=stage_name, stage=stage_name, values=values, origins=origins)
        self._common(body, instance)
        params = registry.get(stage_name).params
        own = Located(
            {key: node for key, node in body.value.items() if key not in COMMON},
            body.line,
            body.column,
            body.keys,
        )
        self._unknown(own, self.path, [*params.names(), *COMMON])
        self.problems += check(params, own, self._known(params, values), self.path)[1]
        if "for" in body.value:
            instance.blocks = self._blocks(body.value["for"], params, values)
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

    def _values(self, body: Located) -> tuple[dict[str, Any], dict[str, str]]:
        values = {key: node.plain() for key, node in body.value.items() if key not in COMMON}
        return values, {key: self._place(body, key) for key in values}

    def _common(self, body: Located, instance: Instance) -> None:
        name = body.value.get("name")
        if name is not None:
            if isinstance(name.value, str) and re.match(INSTANCE_PATTERN, name.value):
                instance.name = name.value
            else:
                what = f"{name.value!r} is no stage name; use lower-case letters, digits, - and _"
                self._problem(name, ".name", what)
        on_bad = body.value.get("on_bad")
        if on_bad is not None:
            if on_bad.value in ON_BAD:
                instance.on_bad = on_bad.value
            else:
                what = f"{on_bad.value!r} is not one of {', '.join(ON_BAD)}"
                self._problem(on_bad, ".on_bad", what)
        uses = body.value.get("uses")
        if uses is not None:
            names = uses.plain() if isinstance(uses.value, list) else [uses.value]
            if names and all(isinstance(item, str) for item in names):
                instance.uses = names
            else:
                self._problem(uses, ".uses", "give the name of an earlier stage, or a list")

    def _unknown(self, tree: Located, path: str, known: list[str]) -> None:
        for key in tree.value:
            if key not in known:
                line, column = tree.keys[key]
                message = f"unknown parameter, {did_you_mean(key, known)}"
                self.problems.append(Problem(line, column, f"{path}.{key}", message))

    @staticmethod
    def _known(params: type[Params], values: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key in params.names()}

    def _blocks(self, tree: Located, params: type[Params], values: dict[str, Any]) -> list[Block]:
        if not isinstance(tree.value, dict) or not tree.value:
            example = f"{{{instruments.names()[0]}: {{scale: …}}}}"
            what = f"`for` maps a detector, a filter or both to parameters: {example}"
            self._problem(tree, ".for", what)
            return []
        blocks = []
        for key, body in tree.value.items():
            path = f"{self.path}.for.{key}"
            what_for = self._what_for(key)
            if what_for is None:
                line, column = tree.keys[key]
                known = [*instruments.names(), "or a filter"]
                message = f"{key!r} is neither a detector nor a filter, {did_you_mean(key, known)}"
                self.problems.append(Problem(line, column, path, message))
                continue
            if not isinstance(body.value, dict):
                self.problems.append(
                    Problem(body.line, body.column, path, "parameters are a mapping")
                )
                continue
            given = body.plain()
            self._unknown(body, path, list(params.names()))
            merged = {**self._known(params, values), **self._known(params, given)}
            found = check(params, body, merged, path)[1]
            self.problems += [item for item in found if self._is_inside(item, path, given)]
            origins = {name: self._place(body, name) for name in given}
            blocks.append(Block(*what_for, self._known(params, given), origins))
        # a block for one detector and one filter wins over a block for either
        return sorted(
            blocks, key=lambda block: (block.detector is not None) + (block.filter is not None)
        )

    @staticmethod
    def _is_inside(problem: Problem, path: str, given: dict[str, Any]) -> bool:
        inside = problem.path.removeprefix(path + ".")
        return re.split(r"[.\[]", inside)[0] in given

    @staticmethod
    def _what_for(key: str) -> tuple[str | None, str | None] | None:
        words = key.split()
        detectors = [word for word in words if word in instruments.names()]
        filters = [word for word in words if word not in instruments.names()]
        if len(words) not in (1, 2) or len(detectors) > 1 or len(filters) > 1:
            return None
        places = detectors or list(instruments.names())
        if filters and not any(filters[0] in instruments.get(name).filters for name in places):
            return None
        return (detectors[0] if detectors else None), (filters[0] if filters else None)

    def _place(self, tree: Located, key: str) -> str:
        line, column = tree.keys[key]
        return f"{self.file}:{line}:{column}"

    def _problem(self, tree: Located, inner: str, message: str) -> None:
        self.problems.append(Problem(tree.line, tree.column, self.path + inner, message))


def read_settings(settings: list[str], instances: list[Instance]) -> list[Problem]:
    """Apply ``--set stage.param=value`` options to the instances.

    Parameters
    ----------
    settings : list of str
        The options' values.
    instances : list of Instance
        The instances, changed in place.

    Returns
    -------
    list of Problem
        What is wrong with the options.
    """
    from hst123r.recipe.text import scalar

    problems = []
    for setting in settings:
        left, equals, right = setting.partition("=")
        name, dot, path = left.strip().partition(".")
        where = f"--set {setting}"
        if not equals or not dot or not path:
            message = "write --set stage.parameter=value"
            problems.append(Problem(0, 0, where, message))
            continue
        instance = next((item for item in instances if item.name == name), None)
        if instance is None:
            known = [item.name for item in instances]
            message = f"there is no stage {name!r} in this recipe, {did_you_mean(name, known)}"
            problems.append(Problem(0, 0, where, message))
            continue
        params = registry.get(instance.stage).params
        keys = path.split(".")
        if keys[0] not in params.names():
            message = f"unknown parameter, {did_you_mean(keys[0], params.names())}"
            problems.append(Problem(0, 0, where, message))
            continue
        try:
            value = scalar(right)
        except InputError as error:
            problems.append(Problem(0, 0, where, error.message))
            continue
        base = instance.overrides.get(keys[0], instance.values.get(keys[0]))
        instance.overrides[keys[0]] = _placed(base, keys[1:], value)
        problems += _check_override(instance, params, where)
    return problems


def _placed(base: Any, keys: list[str], value: Any) -> Any:
    if not keys:
        return value
    inner = dict(base) if isinstance(base, dict) else {}
    return {**inner, keys[0]: _placed(inner.get(keys[0]), keys[1:], value)}


def _check_override(instance: Instance, params: type[Params], where: str) -> list[Problem]:
    values = {**instance.values, **instance.overrides}
    known = {key: value for key, value in values.items() if key in params.names()}
    nowhere = Located({}, 0, 0, {})
    found = check(params, nowhere, known, "")[1]
    return [Problem(0, 0, where, problem.message) for problem in found]
