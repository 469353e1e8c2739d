"""From a recipe file to a checked recipe, or to the list of everything wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, Final

from hst123r.errors import InputError, did_you_mean
from hst123r.recipe.model import SELECT, Head, Instance, Recipe
from hst123r.recipe.pipeline import connect
from hst123r.recipe.problem import Problem, RecipeError
from hst123r.recipe.resolve import resolve, variants
from hst123r.recipe.settings import read_settings
from hst123r.recipe.stage_entry import StageEntry
from hst123r.recipe.text import Located, read_on
from hst123r.recipe.validate import check
from hst123r.stage import registry

TOP: Final = (*Head.model_fields, "select", "stages")


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
    return _loaded(path, content, settings, name)


def load_text(path: Path, text: str, settings: Sequence[str] = ()) -> Recipe:
    """Check a recipe as it was when it was run, whatever stands in its file by now.

    Parameters
    ----------
    path : Path
        Where it stood; relative paths in it start there.
    text : str
        Its text.
    settings : sequence of str
        ``--set`` options.

    Returns
    -------
    Recipe
        The recipe.

    Raises
    ------
    RecipeError
        With every problem found.
    """
    return _loaded(path, text.encode(), settings, str(path))


def _loaded(path: Path, content: bytes, settings: Sequence[str], name: str) -> Recipe:
    tree, problems = read_on(content, name)
    loader = _Loader(tree, name, problems)
    return loader.load(path, content.decode("utf-8-sig"), list(settings))


class _Loader:
    """Reads what can be read, and tells of everything else."""

    def __init__(self, tree: Located, name: str, problems: list[Problem]) -> None:
        self.tree = tree
        self.name = name
        self.refused = problems
        self.problems: list[Problem] = []
        self.understood = True

    def load(self, path: Path, text: str, settings: list[str]) -> Recipe:
        head = self._head()
        targets = self._target_names()
        select = self._select(targets)
        instances = self._stages(targets)
        self._unique(instances)
        connected, problems = connect(instances, select)
        # what an entry that was not understood would have made, cannot be missed
        if self.understood:
            self.problems += problems
        self.problems += read_settings(settings, connected, targets)
        # of a value that was refused, nothing else is known
        places = {(problem.line, problem.column) for problem in self.refused}
        self.problems = [p for p in self.problems if (p.line, p.column) not in places]
        self.problems += self.refused
        if not self.problems:
            self._combined(connected)
        if self.problems or head is None:
            raise RecipeError(self.problems, self.name)
        return Recipe(path, text, head, connected, settings, select)

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
            folded = target.label.lower()
            if folded in seen:
                node = self.tree.value["targets"].value[index].value["name"]
                message = f"the name {target.name!r} is taken by targets[{seen[folded]}]"
                path = f"targets[{index}].name"
                self.problems.append(Problem(node.line, node.column, path, message))
            seen.setdefault(folded, index)

    def _target_names(self) -> list[str] | None:
        """Names of the targets, None when they cannot all be read."""
        targets = self.tree.inside("targets")
        entries = targets.value if targets is not None else None
        if not isinstance(entries, list):
            return None
        names = [entry.inside("name") for entry in entries]
        # as `TargetEntry.label` has them
        return [str(name.value).replace(" ", "") for name in names if name is not None]

    def _select(self, targets: list[str] | None) -> Instance:
        """The implied stage `select`, with the parameters of the recipe's top level."""
        instance = None
        entry = self.tree.value.get(SELECT)
        if entry is not None:
            tree = Located({SELECT: entry}, entry.line, entry.column, self.tree.keys)
            instance = self._read_entry(tree, "", targets)
        if instance is None:
            instance = Instance(name=SELECT, stage=SELECT)
        instance.implied = True
        return instance

    def _stages(self, targets: list[str] | None) -> list[Instance]:
        entries = self.tree.value.get("stages")
        if entries is None:
            message = "is missing; a recipe lists its stages"
            self.problems.append(Problem(self.tree.line, self.tree.column, "stages", message))
            return []
        if not isinstance(entries.value, list) or not entries.value:
            message = "is a list of stages, each `- name: {parameters}`"
            if entries.value == []:
                message = "is empty; it is a list of stages, each `- name: {parameters}`"
            self.problems.append(Problem(entries.line, entries.column, "stages", message))
            return []
        found = [
            self._read_entry(entry, f"stages[{index}]", targets)
            for index, entry in enumerate(entries.value)
        ]
        self.understood = None not in found
        return [instance for instance in found if instance is not None]

    def _read_entry(self, tree: Located, path: str, targets: list[str] | None) -> Instance | None:
        entry = StageEntry(tree, path, Path(self.name).name, targets)
        instance = entry.read()
        self.problems += entry.problems
        return instance

    def _unique(self, instances: list[Instance]) -> None:
        seen: dict[str, Instance] = {}
        for instance in instances:
            message = ""
            if instance.name in seen:
                message = (
                    f"the name {instance.name!r} is taken by {seen[instance.name].path}; "
                    "give one of them another `name`"
                )
            elif instance.name != instance.stage and instance.name in registry.names():
                message = f"{instance.name!r} is the name of another stage; choose a different one"
            elif instance.stage == SELECT and self.tree.value.get(SELECT) is not None:
                line, _ = self.tree.keys[SELECT]
                message = f"`select` stands at the top level too, in line {line}; keep one of them"
            if message:
                self.problems.append(Problem(*instance.place, instance.path, message))
            seen.setdefault(instance.name, instance)

    def _combined(self, instances: list[Instance]) -> None:
        """Check what blocks and ``--set`` come to together, each having been found good."""
        for instance in instances:
            try:
                variants(instance)
                for one, other in product(instance.blocks, repeat=2):
                    resolve(instance, one.detector, other.filter)
            except InputError as error:
                self.problems.append(Problem(*instance.place, instance.path, error.message))
        if not self.problems:
            self._together(instances)

    def _together(self, instances: list[Instance]) -> None:
        """Check what stages want of one another."""
        params = {instance.name: resolve(instance).params for instance in instances}
        for instance in instances:
            sources = {kind: [params[n] for n in names if n in params]
                       for kind, names in instance.sources.items()}  # fmt: skip
            for path, message in params[instance.name].clashes(sources):
                where = ".".join([instance.path, *map(str, path)])
                self.problems.append(Problem(*instance.place, where, message))


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
        **({"places": {n: asdict(p) for n, p in recipe.places.items()}} if recipe.places else {}),
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
