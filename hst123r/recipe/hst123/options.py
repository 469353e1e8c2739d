"""The command line of hst123: every option it has, and how one call is read."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """

    name: str
    kind: Kind = "flag"
    also: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """The name as it is written."""
        return f"--{self.name}"


OPTIONS: Final = (
    Option("object", "text"),
    # workspace and running again
    Option("work-dir", "text"),
    Option("raw-dir", "text"),
    Option("cleanup"),
    Option("keep-drizzle-artifacts"),
    Option("redo"),
    Option("redo-astrometry"),
    Option("redo-astrodrizzle"),
    Option("redo-dolphot"),
    Option("clobber"),
    Option("by-visit"),
    Option("version"),
    Option("help"),
    Option("max-cores", "whole"),
    # getting the exposures
    Option("download"),
    Option("token", "text"),
    Option("archive", "text"),
    Option("skip-copy"),
    Option("no-clear-downloads"),
    # which of them
    Option("before", "text"),
    Option("after", "text"),
    Option("only-filter", "text"),
    Option("only-wide"),
    Option("keep-short"),
    Option("keep-indt"),
    Option("keep-tdf-down"),
    # the reference
    Option("reference", "text", ("ref",)),
    Option("reference-filter", "text", ("ref-filter",)),
    Option("reference-instrument", "text"),
    Option("avoid-wfpc2"),
    Option("no-mask"),
    Option("drizzle-add", "text"),
    Option("drizzle-mask", "text"),
    # alignment
    Option("align-with", "text"),
    Option("skip-tweakreg"),
    Option("tweak-search", "number"),
    Option("tweak-min-obj", "whole"),
    Option("tweak-nbright", "whole"),
    Option("tweak-thresh", "number"),
    Option("keep-objfile"),
    Option("hierarchical"),
    Option("hierarchical-test"),
    Option("add-crmask"),
    # stacks
    Option("drizzle-all"),
    Option("redrizzle"),
    Option("drizzle-dim", "whole"),
    Option("drizzle-scale", "number"),
    Option("sky-sub"),
    Option("combine-type", "text"),
    Option("wht-type", "text"),
    Option("no-nan"),
    Option("fix-zpt", "number"),
    Option("no-rotation"),
    # photometry
    Option("run-dolphot"),
    Option("dolphot", "text", ("dp",)),
    Option("align-only"),
    Option("dolphot-lim", "number"),
    Option("fit-sky", "whole"),
    Option("include-all-splits"),
    Option("do-fake", "flag", ("df",)),
    Option("scrape-dolphot", "flag", ("sd",)),
    Option("scrape-all"),
    Option("scrape-radius", "number"),
    Option("brightest"),
    Option("no-cuts"),
    Option("no-write-dolphot-hdf5"),
    Option("write-dolphot-hdf5"),
)
"""All of hst123's options, by what they are about."""


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
