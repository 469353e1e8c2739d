"""Recipe text to a tree of located values, refusing what no honest recipe contains.

YAML is a large language; a recipe is plain data. Tags, duplicate keys, merge keys, aliases that
grow without bound, absurd depth or size and bytes that are not UTF-8 are refused with a sentence
before any value is built. YAML 1.2 rules hold: ``12:30:00`` stays text, ``on`` stays text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hst123r.errors import InputError
from hst123r.recipe.problem import Problem, RecipeError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode
    from ruamel.yaml.nodes import Node as YamlNode

MAX_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 20
MAX_VALUES: Final = 50_000
MAX_DIGITS: Final = 300
"""About as many as the largest number has that a float holds."""


@dataclass(frozen=True, slots=True)
class Located:
    """A value of a recipe with its place.

    Parameters
    ----------
    value : dict of str to Located, list of Located, or a plain scalar
        The value.
    line, column : int
        One-based place of the value.
    keys : dict of str to (line, column)
        Places of a mapping's keys.
    """

    value: Any
    line: int
    column: int
    keys: dict[str, tuple[int, int]]

    def plain(self) -> Any:
        """Return the value as plain dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def inside(self, step: str | int) -> Located | None:
        """Return the value of a key or at an index, None where there is none."""
        if isinstance(self.value, dict):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            found = self.value[step]
            return found if isinstance(found, Located) else None
        return None

    def find(self, path: tuple[str | int, ...]) -> tuple[Located, tuple[int, int]]:
        """Follow a path as far as it exists.

        Parameters
        ----------
        path : tuple of str or int
            Keys and indices.

        Returns
        -------
        Located
            The deepest value found.
        tuple of int
            Line and column of the value, or of its key where the path ended at a key.
        """
        node, place = self, (self.line, self.column)
        for step in path:
            inside = node.inside(step)
            if inside is None:
                break
            node = inside
            place = (node.line, node.column)
        return node, place


def read(content: bytes, name: str) -> Located:
    """Read a recipe's bytes.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        Its name as the user gave it, for messages.

    Returns
    -------
    Located
        A mapping.

    Raises
    ------
    RecipeError
        If the text is not plain YAML within the limits, or not a mapping.
    """
    tree, problems = read_on(content, name)
    if problems:
        raise RecipeError(problems, name)
    return tree


def read_on(content: bytes, name: str) -> tuple[Located, list[Problem]]:
    """Read a recipe's bytes as far as they make sense, so that other errors can be told too.

    Parameters
    ----------
    content : bytes
        The file.
    name : str
        Its name as the user gave it, for messages.

    Returns
    -------
    Located
        A mapping; without the keys and values that are refused.
    list of Problem
        What was refused in it.

    Raises
    ------
    RecipeError
        If there is no mapping to be had.
    """
    root = _compose(_decode(content, name), name)
    if root is None:
        raise RecipeError([Problem(1, 1, "", "the recipe is empty")], name)
    builder = _Builder(name)
    tree = builder.build(root)
    if not isinstance(tree.value, dict):
        wanted = "a recipe is a mapping that begins with `hst123r: 1`"
        raise RecipeError([Problem(tree.line, tree.column, "", wanted)], name)
    return tree, builder.problems


def _compose(text: str, name: str) -> YamlNode | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        _check_events(YAML(typ="safe", pure=True).parse(text), name)
        root: YamlNode | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = error.problem or error.context or "cannot be read"
        raise RecipeError([Problem(line, column, "", f"not valid YAML: {what}")], name) from error
    except ReaderError as error:
        odd = error.character
        odd = chr(odd) if isinstance(odd, int) else str(odd)
        before = text[: text.find(odd)]
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = f"the character {odd!r} cannot stand in YAML"
        raise RecipeError([Problem(*place, "", f"not valid YAML: {what}")], name) from error
    except YAMLError as error:
        message = " ".join(str(error).split())
        raise RecipeError([Problem(1, 1, "", f"not valid YAML: {message}")], name) from error
    return root


def scalar(text: str) -> Any:
    """Read the value of a ``--set`` option: YAML, so numbers, lists and mappings work.

    Parameters
    ----------
    text : str
        What stands behind the equals sign.

    Returns
    -------
    object
        Plain value.

    Raises
    ------
    InputError
        If the text is not one plain YAML value, all of it.
    """
    key = "value: "
    try:
        content = f"{key}{text}".encode()
    except UnicodeEncodeError as error:
        raise InputError("it is not UTF-8") from error
    if "\n" in text or "\r" in text:
        raise InputError("a value is one line; write lists as [a, b], mappings as {a: 1}")
    try:
        value = read(content, "--set").plain()["value"]
    except RecipeError as error:
        raise InputError("; ".join(problem.message for problem in error.problems)) from error
    root = _compose(content.decode(), "--set")
    used = root.value[0][1].end_mark.column if root is not None else 0
    if len(content.decode()[used:].strip()) > 0:
        raise InputError("what follows # would be lost; put the value in quotes")
    return value


def _decode(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        size = f"{len(content)} bytes long, more than the {MAX_BYTES} a recipe may have"
        raise RecipeError([Problem(1, 1, "", f"the recipe is {size}")], name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        what = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise RecipeError([Problem(line, column, "", what)], name) from error


def _check_events(events: Iterator[Any], name: str) -> None:
    """Refuse depth, size, tags and several documents before anything recursive runs."""
    from ruamel.yaml import events as kinds

    depth = documents = values = 0
    for event in events:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        documents += isinstance(event, kinds.DocumentStartEvent)
        values += isinstance(event, (kinds.ScalarEvent, kinds.CollectionStartEvent))
        depth += isinstance(event, kinds.CollectionStartEvent)
        depth -= isinstance(event, kinds.CollectionEndEvent)
        wrong = ""
        if documents > 1:
            wrong = "there is a second document in the file; a recipe is one"
        elif depth > MAX_DEPTH:
            wrong = f"nested deeper than {MAX_DEPTH} levels"
        elif values > MAX_VALUES:
            wrong = f"more than {MAX_VALUES} values"
        elif getattr(event, "tag", None) is not None:
            wrong = f"the tag {event.tag} is not allowed, a recipe is plain data"
        if wrong:
            raise RecipeError([Problem(line, column, "", wrong)], name)


class _Builder:
    """Builds the tree and collects duplicate keys, odd keys and runaway aliases."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._values = 0
        self._open: set[int] = set()

    def build(self, node: YamlNode, path: str = "", depth: int = 0) -> Located:
        from ruamel.yaml.nodes import MappingNode, SequenceNode

        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self._values += 1
        if self._values > MAX_VALUES or depth > MAX_DEPTH or id(node) in self._open:
            what = "aliases expand without bound; write the values out"
            raise RecipeError([Problem(line, column, path, what)], self.name)
        if isinstance(node, MappingNode):
            self._open.add(id(node))
            value, keys = self._mapping(node, path, depth)
            self._open.discard(id(node))
            return Located(value, line, column, keys)
        if isinstance(node, SequenceNode):
            self._open.add(id(node))
            items = [
                self.build(item, f"{path}[{index}]", depth + 1)
                for index, item in enumerate(node.value)
            ]
            self._open.discard(id(node))
            return Located(items, line, column, {})
        return Located(self._scalar(node, path), line, column, {})

    def _mapping(
        self, node: MappingNode, path: str, depth: int
    ) -> tuple[dict[str, Located], dict[str, tuple[int, int]]]:
        value: dict[str, Located] = {}
        keys: dict[str, tuple[int, int]] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node.value, str):
                self.problems.append(Problem(line, column, path, "a key must be plain text"))
                continue
            key = key_node.value
            inner = f"{path}.{key}" if path else key
            if key == "<<":
                what = "merge keys are not part of the language; write the values out"
                self.problems.append(Problem(line, column, path, what))
            elif key in value:
                what = f"{key!r} stands here twice, first in line {keys[key][0]}"
                self.problems.append(Problem(line, column, inner, what))
            else:
                keys[key] = (line, column)
                value[key] = self.build(value_node, inner, depth + 1)
        return value, keys

    def _scalar(self, node: YamlNode, path: str) -> Any:
        text, kind = node.value, str(node.tag).rsplit(":", 1)[-1]
        plain = getattr(node, "style", None) in {None, ""}
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        # a leading zero means an identifier, such as proposal 010775, not a number
        digits = text.lstrip("+-")
        if kind == "int" and plain and digits.isdecimal() and (digits == "0" or digits[0] != "0"):
            if len(digits) > MAX_DIGITS:
                self._refuse(node, path, f"a number of {len(digits)} digits is too long")
                return 0
            return int(text)
        if kind == "float" and plain:
            number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
            if not math.isfinite(number):
                self._refuse(node, path, f"{text} is not a finite number")
                return 0.0
            return number
        return text

    def _refuse(self, node: YamlNode, path: str, message: str) -> None:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.problems.append(Problem(line, column, path, message))
