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
    earlier : tuple of str
        Names that it had in earlier versions.
    avoids : str
        Detector that it keeps from being the reference, if it does.
    why : str
        Why nothing comes of it, for one that only earlier versions had.
    """

    name: str
    kind: Kind = "flag"
    also: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    avoids: str = ""
    why: str = ""

    @property
    def written(self) -> str:
        """The name as it is written."""
        return f"--{self.name}"


def _read(section: str) -> tuple[Option, ...]:
    from ruamel.yaml import YAML

    entries = YAML(typ="safe").load(Path(__file__).with_name("options.yaml"))[section]
    return tuple(
        Option(
            entry["name"], entry.get("kind", "flag"), tuple(entry.get("also", ())),
            tuple(entry.get("earlier", ())), entry.get("avoids", ""), entry.get("why", ""),
        )
        for entry in entries
    )  # fmt: skip


OPTIONS: Final = _read("options")
"""All of hst123's options."""
GONE: Final = _read("gone")
"""Options that only earlier versions had."""
_NOW: Final = {f"--{name}": option.written for option in OPTIONS for name in option.earlier}
_GONE: Final = {f"--{name}": option for option in GONE for name in (option.name, *option.also)}


@dataclass(eq=False)
class Call:
    """One call of hst123.

    Parameters
    ----------
    ra, dec : str
        As they were written.
    values : dict of str to Any
        What was given, by the name of the option; True for a flag.
    gone : dict of str to str
        Options of earlier versions that were given, and why nothing comes of them.
    """

    ra: str
    dec: str
    values: dict[str, Any]
    gone: dict[str, str] = field(default_factory=dict)
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
    kept, gone = _as_of_now(words[2:])
    given = vars(_parser(where).parse_args(kept))
    values = {name: value for name, value in given.items() if value is not None}
    return Call(words[0], words[1], values, gone)


def _as_of_now(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return words with the names of now, and options that are no more with the reason."""
    kept: list[str] = []
    gone: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        option = _GONE.get(name)
        if option is None:
            kept.append(f"{_NOW.get(name, name)}{equals}{value}")
            continue
        gone[option.name] = option.why
        if option.kind != "flag" and not equals:
            next(waiting, None)
    return kept, gone
