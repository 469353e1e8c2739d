"""From a recipe file to a checked recipe, or to the list of everything wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from hst123r.errors import InputError, did_you_mean
from hst123r.recipe.model import Head, Instance, Recipe
from hst123r.recipe.pipeline import connect
from hst123r.recipe.problem import Problem, RecipeError
from hst123r.recipe.stage_entry import StageEntry, read_settings
from hst123r.recipe.text import Located, read
from hst123r.recipe.validate import check
from hst123r.stage import registry

TOP: Final = (*Head.model_fields, "select", "stages")
SELECT: Final = "select"
"""The stage whose parameters stand at the top level of a recipe."""


def load(path: Path, settings: Sequence[str] = (), *, shown: str | None = None) -> Recipe:
    """Read and check a recipe.

    Parameters
    ----------
    path : Path
        The recipe file.
    settings : sequence of str
        ``--set`` options, ``stage.parameter=value``.
    shown : str, optional
        How to name the file in messages; the path by default.

    Returns
    -------
    Recipe
        The recipe, its stages connected.

    Raises
    ------
    RecipeError
        With every problem found.
    InputError
        If the file cannot be read.
    """
    name = shown or str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the recipe: {error.strerror}", where=name) from error
    tree = read(content, name)
    return _Loader(path, content.decode("utf-8-sig"), tree, name, list(settings)).load()


class _Loader:
    def __init__(
        self, path: Path, text: str, tree: Located, name: str, settings: list[str]
    ) -> None:
        self.path = path
        self.text = text
        self.tree = tree
        self.name = name
        self.settings = settings
        self.problems: list[Problem] = []

    def load(self) -> Recipe:
        head = self._head()
        instances = self._stages()
        if not self.problems:
            self.problems += self._unique(instances)
        if not self.problems:
            connected, problems = connect(instances, self._select())
            self.problems += problems
            self.problems += read_settings(self.settings, connected)
        if self.problems or head is None:
            raise RecipeError(self.problems, self.name)
        return Recipe(self.path, self.text, head, connected, self.settings)

    def _head(self) -> Head | None:
        values = self.tree.plain()
        for key in self.tree.value:
            if key not in TOP:
                message = f"unknown key, {did_you_mean(key, TOP)}"
                self.problems.append(Problem(*self.tree.keys[key], key, message))
        known = {key: value for key, value in values.items() if key in Head.model_fields}
        head, problems = check(Head, self.tree, known, "")
        self.problems += problems
        if isinstance(head, Head):
            self._unique_targets(head)
            return head
        return None

    def _unique_targets(self, head: Head) -> None:
        seen: dict[str, int] = {}
        for index, target in enumerate(head.targets):
            folded = target.name.lower()
            if folded in seen:
                node = self.tree.value["targets"].value[index].value["name"]
                message = f"the name {target.name!r} is taken by targets[{seen[folded]}]"
                path = f"targets[{index}].name"
                self.problems.append(Problem(node.line, node.column, path, message))
            seen.setdefault(folded, index)

    def _select(self) -> Instance:
        """The implied stage `select`, with the parameters of the recipe's top level."""
        entry = self.tree.value.get("select")
        if entry is None:
            return Instance(name=SELECT, stage=SELECT, implied=True)
        instance = self._read_entry(
            Located({SELECT: entry}, entry.line, entry.column, self.tree.keys), ""
        )
        if instance is None:
            return Instance(name=SELECT, stage=SELECT, implied=True)
        instance.implied = True
        return instance

    def _stages(self) -> list[Instance]:
        entries = self.tree.value.get("stages")
        if entries is None:
            message = "is missing; a recipe lists its stages"
            self.problems.append(Problem(self.tree.line, self.tree.column, "stages", message))
            return []
        if not isinstance(entries.value, list) or not entries.value:
            message = "is a list of stages, each `- name: {parameters}`"
            self.problems.append(Problem(entries.line, entries.column, "stages", message))
            return []
        instances = []
        for index, entry in enumerate(entries.value):
            instance = self._read_entry(entry, f"stages[{index}]")
            if instance is not None:
                instances.append(instance)
        # errors of the top-level `select` are wanted even when stages have errors
        if self.problems:
            self._select()
        return instances

    def _read_entry(self, tree: Located, path: str) -> Instance | None:
        entry = StageEntry(tree, path, Path(self.name).name)
        instance = entry.read()
        self.problems += [
            Problem(p.line, p.column, p.path.lstrip("."), p.message) for p in entry.problems
        ]
        return instance

    def _unique(self, instances: list[Instance]) -> list[Problem]:
        problems = []
        seen: dict[str, int] = {}
        for index, instance in enumerate(instances):
            if instance.name in seen:
                entry = self.tree.value["stages"].value[index]
                message = (
                    f"the name {instance.name!r} is taken by stages[{seen[instance.name]}]; "
                    "give one of them another `name`"
                )
                problems.append(Problem(entry.line, entry.column, f"stages[{index}]", message))
            elif instance.name != instance.stage and instance.name in registry.names():
                entry = self.tree.value["stages"].value[index]
                message = f"{instance.name!r} is the name of another stage; choose a different one"
                problems.append(Problem(entry.line, entry.column, f"stages[{index}]", message))
            seen.setdefault(instance.name, index)
        return problems


def describe(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as plain JSON values: head and stages with what was given.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Returns
    -------
    dict
        Its canonical content; equal recipes have equal descriptions.
    """
    return {
        "head": recipe.head.as_json(),
        "stages": [
            {
                "name": item.name,
                "stage": item.stage,
                "values": item.values,
                "blocks": [[b.detector, b.filter, b.values] for b in item.blocks],
                "overrides": item.overrides,
                "on_bad": item.on_bad,
                "sources": item.sources,
            }
            for item in recipe.instances
        ],
    }
