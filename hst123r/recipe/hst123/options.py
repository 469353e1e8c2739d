"""The command line of hst123: every option it has, and how one call is read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from hst123r.errors import InputError

PROGRAM: Final = "hst123"
Kind = Literal["flag", "text", "number", "whole"]


@dataclass(frozen=True, slots=True)
class Option:
    """An option of hst123.

    Parameters
    ----------
    name : str
        Its long name without dashes.
    kind : str
        What follows it: nothing for a flag.
    also : tuple of str
        Other names.
    avoids : str
        Detector that it keeps from being the reference, if it does.
    """

    name: str
    kind: Kind = "flag"
    also: tuple[str, ...] = ()
    avoids: str = ""

    @property
    def written(self) -> str:
        """The name as it is written."""
        return f"--{self.name}"


def _read() -> tuple[Option, ...]:
    from ruamel.yaml import YAML

    entries = YAML(typ="safe").load(Path(__file__).with_name("options.yaml"))["options"]
    return tuple(
        Option(
            entry["name"], entry.get("kind", "flag"), tuple(entry.get("also", ())),
            entry.get("avoids", ""),
        )
        for entry in entries
    )  # fmt: skip


OPTIONS: Final = _read()
"""All of hst123's options."""


@dataclass(eq=False)
class Call:
    """One call of hst123.

    Parameters
    ----------
    ra, dec : str
        As they were written.
    values : dict of str to Any
        What was given, by the name of the option; True for a flag.
    """

    ra: str
    dec: str
    values: dict[str, Any]
    _taken: set[str] = field(default_factory=set)

    def take(self, name: str) -> Any:
        """Return the value of an option, None where it was not given, and note that it counts."""
        self._taken.add(name)
        return self.values.get(name)

    @property
    def left(self) -> list[str]:
        """Options that were given and that nobody took."""
        return [name for name in self.values if name not in self._taken]


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the program."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"hst123 would not understand this: {message}", where=self.prog)


def _parser(where: str) -> _Parser:
    parser = _Parser(prog=where, add_help=False)
    for option in OPTIONS:
        names = [option.written, *(f"--{name}" for name in option.also)]
        if option.name == "help":
            names.append("-h")
        if option.kind == "flag":
            parser.add_argument(*names, dest=option.name, action="store_true", default=None)
        else:
            parser.add_argument(*names, dest=option.name, type=_TYPES[option.kind], default=None)
    return parser


_TYPES: Final[dict[Kind, Any]] = {"text": str, "number": float, "whole": int}


def read_call(words: Sequence[str], where: str = PROGRAM) -> Call:
    """Read the words that follow ``hst123``.

    Names may be cut short where that is clear, as hst123 has it.

    Parameters
    ----------
    words : sequence of str
        Right ascension and declination first, then the options.
    where : str
        Where they stand, for messages.

    Returns
    -------
    Call
        What was asked.

    Raises
    ------
    InputError
        If hst123 would not understand them either.
    """
    if len(words) < 2 or words[0].startswith("--") or words[1].startswith("--"):
        raise InputError(
            "hst123 wants the right ascension and the declination before all options",
            where=where, hint="As in: hst123 12:45:08.14 -00:27:32.8 --download",
        )  # fmt: skip
    given = vars(_parser(where).parse_args(list(words[2:])))
    values = {name: value for name, value in given.items() if value is not None}
    return Call(words[0], words[1], values)
