"""What of DOLPHOT is installed: its programs, the folder it was built with, and its modules."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from hst123r.errors import EnvironmentProblem
from hst123r.external.dolphot import PROGRAM
from hst123r.instruments.dolphot_parameters import table

PROGRAM_VARIABLE: Final = "HST123R_DOLPHOT_BIN"
"""Names the folder with DOLPHOT's programs, or the program itself; without it the search path."""
BASE_VARIABLE: Final = "HST123R_DOLPHOT_BASE"
"""Names the folder with its modules' data where the program does not tell it, as a script."""
INSTALL: Final = (
    "Install DOLPHOT from its author's site and put it on the search path, or name its folder in "
    f"{PROGRAM_VARIABLE}; or use `engine: psf`, which needs no other program"
)
_PATH: Final = re.compile(rb"/[\x21-\x7e]{2,160}")
UNASKED: Final = ("param/dolphot.param", "param/fits.param")
"""Files of its folder that DOLPHOT reads before the one that it is given, if they are there."""
_PARAMETERS: Final = "param"
"""A folder where it was built, beside those of its modules; one of them at least is there."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A DOLPHOT that was found.

    Parameters
    ----------
    program : Path
        Absolute path of ``dolphot``.
    base : Path or None
        Folder with the data of its modules; None if it is not known, and then DOLPHOT alone knows
        whether files are missing.
    words : frozenset of str
        Of the keywords asked for, those that the program knows: a module that was built in knows
        its own. Every word for a program that is a script.
    script : bool
        Whether it is one, so that nobody knows what it was built with.
    """

    program: Path
    base: Path | None
    words: frozenset[str]
    script: bool = False

    def unasked(self) -> dict[str, Path]:
        """Return the files of :data:`UNASKED` that are there."""
        if self.base is None:
            return {}
        return {name: self.base / name for name in UNASKED if (self.base / name).is_file()}

    def sibling(self, name: str) -> Path | None:
        """Return another program of the same installation, else one on the search path."""
        beside = self.program.with_name(name)
        if beside.is_file() and os.access(beside, os.X_OK):
            return beside
        found = shutil.which(name)
        return Path(found) if found else None


def find(words: Iterable[str] = ()) -> Installation | None:
    """Look for DOLPHOT.

    Parameters
    ----------
    words : iterable of str
        Keywords of modules to look for in it.

    Returns
    -------
    Installation or None
        None where there is no program.

    Raises
    ------
    EnvironmentProblem
        If a variable names what is not there.
    """
    program = _program()
    if program is None:
        return None
    status = program.stat()
    about = _look(program, status.st_mtime_ns, status.st_size, tuple(sorted(set(words))))
    return Installation(program, _base(about[0]), about[1], about[2])


def needed(words: Iterable[str] = ()) -> Installation:
    """Return the installation.

    Raises
    ------
    EnvironmentProblem
        If there is none.
    """
    found = find(words)
    if found is None:
        raise EnvironmentProblem("DOLPHOT is not installed", hint=INSTALL)
    return found


def _program() -> Path | None:
    named = os.environ.get(PROGRAM_VARIABLE)
    if not named:
        found = shutil.which(PROGRAM)
        return Path(found).absolute() if found else None
    path = Path(named).expanduser().absolute()
    path = path / PROGRAM if path.is_dir() else path
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise EnvironmentProblem(
            f"{PROGRAM_VARIABLE} names {named}, where there is no program {PROGRAM}", hint=INSTALL
        )
    return path


def _base(built: tuple[Path, ...]) -> Path | None:
    """Return the folder that DOLPHOT reads; of several in it the variable has to name one."""
    named = os.environ.get(BASE_VARIABLE)
    if not named:
        return built[0] if len(built) == 1 else None
    path = Path(named).expanduser().absolute()
    if path.is_dir() and built and path.resolve() not in {one.resolve() for one in built}:
        raise EnvironmentProblem(
            f"{BASE_VARIABLE} names {named}, and DOLPHOT was built with "
            f"{' and '.join(map(str, built))}, which it reads",
            hint=f"Unset {BASE_VARIABLE}, or build DOLPHOT with the other folder",
        )
    if not path.is_dir():
        raise EnvironmentProblem(
            f"{BASE_VARIABLE} names {named}, which is no folder",
            hint="It is the folder with one of each module, and `data` in each of these",
        )
    return path


@cache
def _look(
    program: Path, _time: int, _size: int, words: tuple[str, ...]
) -> tuple[tuple[Path, ...], frozenset[str], bool]:
    """Return folders a program was built with, the words in it, and whether it is a script."""
    content = program.read_bytes()
    if content.startswith(b"#!"):
        # what a script starts knows more than the script
        return (), frozenset(words), True
    found = frozenset(word for word in words if word.encode() in content)
    return tuple(dict.fromkeys(_folders(content))), found, False


def _folders(content: bytes) -> Iterator[Path]:
    """Yield folders named in a program that hold data of DOLPHOT's modules."""
    parts = (*table().modules, _PARAMETERS)
    for match in _PATH.finditer(content):
        named = Path(match[0].decode("ascii"))
        for path in (named, *named.parents[:3]):
            if path != Path("/") and any((path / part).is_dir() for part in parts):
                yield path
